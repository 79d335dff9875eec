/** Graphics cards that several backends share: makes one engine let go before the next one begins. */
import type { Backend } from '#backends/contract.ts';
import type { BackendView } from '#protocol/views.ts';
import type { Logger } from '../log.ts';
import { letGoOf } from './let-go.ts';
import type { Health } from './routing.ts';
import { type Card, decide, handed, letGo, mayUse, newCard, sent } from './shared-gpu.ts';
import type { Slots } from './slots.ts';

export interface CardsOptions {
  readonly backends: readonly Pick<Backend, 'id' | 'describe' | 'free'>[];
  /** The name of the card that a backend computes on; undefined: its own. */
  readonly gpuOf: (id: string) => string | undefined;
  /** Whether an attempt of ours may be at work or queued there. */
  readonly isBusy: (id: string) => boolean;
  readonly slots: Pick<Slots, 'emptied'>;
  readonly health: (id: string) => Health;
  /** Milliseconds between looks at a backend that is not idle yet. */
  readonly lookMs: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** A card changed hands. */
  readonly onHanded: () => void;
  /** Why a card is not handed on yet is another than before; see `handing`. */
  readonly onDoubt: () => void;
}

export interface Cards {
  /** Backends that share a card with others. */
  readonly members: readonly string[];
  /** Whether an attempt may be given to this one now. */
  mayUse(id: string): boolean;
  /** Whether this one has its card, so that what was given to it may go out. */
  isWith(id: string): boolean;
  /** Before places are handed out: `wanted` are backends that answer and that items wait for, by turn. May begin a hand-over, or call it off. */
  look(wanted: readonly string[]): void;
  /** An attempt goes to `id`. */
  sent(id: string, wanted: readonly string[]): void;
  /** Who is to have the card of `id` next, and what that waits for, if anything; undefined when nothing is under way. */
  handing(id: string): { readonly to: string; readonly why: string | undefined } | undefined;
  /** Who has the card of `id`, when that is another one. */
  heldBy(id: string): string | undefined;
  /** A person or a policy has decided that nothing runs on a backend any more, although it does not answer: it holds no card until it does. */
  givenUp(id: string): void;
  /** After each answer of a backend, or none. */
  heard(view: Pick<BackendView, 'id' | 'status'>): void;
  close(): void;
}

interface HandOver {
  readonly calledOff: AbortController;
  /** By backend that has to let go. */
  readonly reasons: Map<string, string>;
}

export function createCards(options: CardsOptions): Cards {
  const { backends, gpuOf, isBusy: busy, slots, health, log } = options;
  const cards = new Map<string, Card>();
  const underWay = new Map<string, HandOver>();
  const gone = new Set<string>();
  let lastWanted: readonly string[] = [];
  for (const [gpu, members] of Map.groupBy(backends, ({ id }) => gpuOf(id))) {
    if (gpu !== undefined && members.length > 1) cards.set(gpu, newCard(members.map(({ id }) => id)));
  }
  const cardOf = (id: string): Card | undefined => {
    const gpu = gpuOf(id);
    return gpu === undefined ? undefined : cards.get(gpu);
  };
  const byOthers = ({ members }: Card, id: string) => lastWanted.some((other) => other !== id && members.includes(other));

  async function handOver(gpu: string, card: Card): Promise<void> {
    const handing: HandOver = { calledOff: new AbortController(), reasons: new Map() };
    underWay.set(gpu, handing);
    log.info({ gpu, to: card.next, from: card.holder }, 'a graphics card changes hands');
    await Promise.all(letGo(card).map((id) => empty(id, handing)));
    if (handing.calledOff.signal.aborted) return;
    underWay.delete(gpu);
    cards.set(gpu, handed(card));
    options.onHanded();
  }

  function callOff(gpu: string): void {
    underWay.get(gpu)?.calledOff.abort();
    underWay.delete(gpu);
  }

  async function empty(id: string, { calledOff: { signal }, reasons }: HandOver): Promise<void> {
    const backend = backends.find((one) => one.id === id);
    if (backend === undefined) return;
    await letGoOf({
      backend,
      lookMs: options.lookMs,
      signal,
      isGivenUp: () => gone.has(id),
      onWait(why) {
        const reason = health(id) === 'stuck' ? 'answers, but its worker has died: restart it' : why;
        if (reasons.get(id) === reason) return;
        reasons.set(id, reason);
        options.onDoubt();
      },
      onFreed: () => slots.emptied(id),
      onRefusal: (error) =>
        log.warn({ err: error, backend: id }, 'a backend does not take the request to unload; its graphics card is handed on all the same'),
    });
    reasons.delete(id);
  }

  return {
    members: [...cards.values()].flatMap(({ members }) => members),
    mayUse(id) {
      const card = cardOf(id);
      return card === undefined || mayUse(card, id, byOthers(card, id));
    },
    isWith(id) {
      const card = cardOf(id);
      return card === undefined || (card.holder === id && card.next === undefined);
    },
    look(wanted) {
      lastWanted = wanted;
      for (const [gpu, card] of cards) {
        const next = decide(card, { busy, wanted });
        if (next === card) continue;
        if (next.next === undefined) callOff(gpu);
        cards.set(gpu, next);
        if (next.next !== undefined) void handOver(gpu, next);
      }
    },
    sent(id, wanted) {
      lastWanted = wanted;
      const gpu = gpuOf(id);
      const card = cardOf(id);
      if (gpu !== undefined && card !== undefined) cards.set(gpu, sent(card, byOthers(card, id)));
    },
    handing(id) {
      const to = cardOf(id)?.next;
      if (to === undefined) return undefined;
      const reasons = underWay.get(gpuOf(id) ?? '')?.reasons ?? new Map<string, string>();
      const why = [...reasons].map(([other, reason]) => `'${other}' ${reason}`).join('; ');
      return { to, why: why === '' ? undefined : why };
    },
    heldBy(id) {
      const holder = cardOf(id)?.holder;
      return holder === id ? undefined : holder;
    },
    givenUp(id) {
      if (cardOf(id) !== undefined) gone.add(id);
    },
    heard({ id, status }) {
      if (status !== 'ready' || !gone.delete(id)) return;
      // What it kept meanwhile is in the way of who has the card now.
      const backend = cardOf(id)?.holder === id ? undefined : backends.find((one) => one.id === id);
      backend?.free().then(
        () => slots.emptied(id),
        (error: unknown) => log.warn({ err: error, backend: id }, 'a backend that was given up is back, and could not be asked to unload'),
      );
    },
    close() {
      for (const gpu of underWay.keys()) callOff(gpu);
    },
  };
}
