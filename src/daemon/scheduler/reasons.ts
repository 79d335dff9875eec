/** Why an item waits for its place, in words for a person. */
import type { BackendView } from '#protocol/views.ts';
import type { Cards } from './cards.ts';
import type { Pool, PlaceRequest } from './pool.ts';

export const PAUSED_REASON = 'The queue is paused. Go on with: callsheet queue resume';

export interface Circumstances {
  readonly isPaused: () => boolean;
  readonly cards: Pick<Cards, 'handing' | 'heldBy'>;
  readonly viewOf: (id: string) => BackendView | undefined;
  readonly isUp: (id: string) => boolean;
}

export interface Reasons {
  tell(request: PlaceRequest): void;
  /** Tells all that wait, as far as it is another than they were told. */
  retell(): void;
  /** Why nothing may be sent to a backend that has not got its card. */
  ofCard(id: string): string;
  /** After each answer of a backend, or none. */
  heard(view: Pick<BackendView, 'id' | 'status'>): void;
}

export function createReasons(pool: Pick<Pool, 'requests' | 'candidates'>, circumstances: Circumstances): Reasons {
  const told = new WeakMap<PlaceRequest, string>();
  const statuses = new Map<string, BackendView['status']>();
  const tell = (request: PlaceRequest): void => {
    const reason = whyWaiting(pool.candidates(request), circumstances);
    if (told.get(request) === reason) return;
    told.set(request, reason);
    request.onWait(reason);
  };
  const retell = (): void => {
    for (const request of pool.requests()) tell(request);
  };
  return {
    tell,
    retell,
    ofCard: (id) => cardReason([id], circumstances) ?? `Waiting for the graphics card of '${id}'.`,
    heard({ id, status }) {
      if (statuses.get(id) === status) return;
      statuses.set(id, status);
      retell();
    },
  };
}

/** `able`: ids of the backends that would take it if they had room. */
export function whyWaiting(able: readonly string[], circumstances: Circumstances): string {
  const { isPaused, viewOf, isUp } = circumstances;
  if (isPaused()) return PAUSED_REASON;
  const list = able.map((id) => `'${id}'`).join(', ');
  const up = able.filter((id) => isUp(id));
  if (up.length === 0) {
    const stuck = able.map((id) => viewOf(id)).find((view) => view?.status === 'worker-dead');
    const cure = stuck?.error === undefined ? '' : ` ${stuck.error.message} ${stuck.error.hint ?? ''}`;
    return `Of the backends that take it, ${list}, none ${stuck === undefined ? 'answers' : 'can work'}.${cure}`;
  }
  return cardReason(up, circumstances) ?? `Waiting for a place on ${list}.`;
}

/** Undefined when one of them has its card, or needs none. */
function cardReason(ids: readonly string[], { cards, viewOf }: Pick<Circumstances, 'cards' | 'viewOf'>): string | undefined {
  const list = ids.map((id) => `'${id}'`).join(', ');
  const handing = ids.map((id) => cards.handing(id)).find((one) => one !== undefined);
  if (handing !== undefined) {
    const { to, why } = handing;
    return `The graphics card of ${list} is being handed to '${to}'${why === undefined ? '.' : `, and waits: ${why}.`}`;
  }
  const holders = ids.map((id) => cards.heldBy(id));
  const [holder] = holders;
  if (holder !== undefined && holders.every((one) => one !== undefined))
    return `The graphics card of ${list} is with '${holder}'${silence(viewOf(holder))}.`;
  return undefined;
}

function silence(view: BackendView | undefined): string {
  if (view === undefined || view.status === 'ready' || view.status === 'unknown') return '';
  if (view.status === 'worker-dead') return ', whose worker has died: restart it';
  return `, which does not answer; if it is gone: callsheet backends lost ${view.id}`;
}
