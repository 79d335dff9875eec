/**
 * The pool: hands out places on backends to items that are ready to be sent, one attempt each, in the order of the fair queue.
 * It sends nothing itself: whoever got a place does, and the attempt's own row says when the place is free again.
 */
import { createFairQueue, type Entry } from './fair-queue.ts';
import { eligible, type Health, type Place, route } from './routing.ts';
import type { Cards } from './cards.ts';
import type { Slots } from './slots.ts';

export interface PlaceRequest extends Entry {
  readonly promptId: string;
  readonly runId: string;
  /** Ids of the backends that take the kind of step, or the one that was named. */
  readonly takers: readonly string[];
  /** By what the backend said last. */
  readonly fit: (id: string) => 'fits' | 'lacks' | 'unknown';
  readonly models: readonly string[];
  /** `wasLoaded`: whether all of its models were used by what went there before; undefined for an item without models. */
  readonly grant: (backendId: string, wasLoaded: boolean | undefined) => void;
  /** Why it has to wait is another than before. */
  readonly onWait: (reason: string) => void;
}

export interface PoolOptions {
  readonly slots: Slots;
  readonly cards: Cards;
  readonly health: (id: string) => Health;
  /** Prompts of others that the backend was last seen with. */
  readonly foreign: (id: string) => number;
  /** How many attempts may be on their way to it at once. */
  readonly ahead: (id: string) => number;
  /** False: nothing is handed out. */
  readonly isOpen: () => boolean;
  /** Something that has its place on this one waits for the graphics card to be sent. */
  readonly waitsForCard: (id: string) => boolean;
  /** After a look at everything that waits. */
  readonly onPumped: () => void;
}

export interface Pool {
  /** Puts an item into the queue; true when it got its place at once. */
  ask(request: PlaceRequest): boolean;
  withdraw(request: PlaceRequest): void;
  /** Something changed: looks through everything that waits, soon. */
  wake(): void;
  readonly waiting: number;
  requests(): Iterable<PlaceRequest>;
  /** Ids of backends that would take the item if they had room. */
  candidates(request: Pick<PlaceRequest, 'takers' | 'fit'>): readonly string[];
  /** Room for more attempts, whoever has the graphics card now. */
  room(id: string): number;
  close(): void;
}

export function createPool({ slots, cards, health, foreign, ahead, isOpen, waitsForCard, onPumped }: PoolOptions): Pool {
  const queue = createFairQueue<PlaceRequest>();
  let scheduled: NodeJS.Immediate | undefined;
  let closed = false;

  const room = (id: string) => Math.max(0, ahead(id) - slots.on(id).length);
  const candidates = ({ takers, fit }: Pick<PlaceRequest, 'takers' | 'fit'>): readonly string[] => {
    const able = takers.filter((id) => fit(id) !== 'lacks');
    // What all lack may have come since they were asked; the backend itself says it best.
    return able.length > 0 ? able : takers;
  };
  /** Backends that an item whose turn it is waits for until they are empty. */
  let draining: ReadonlySet<string> = new Set();

  /**
   * What makes a backend load other models is not sent ahead: until it is done with the rest, something may come that needs what is loaded.
   * Where others have work there too, its place in their queue counts for more.
   */
  const wouldSwitch = (id: string, { models }: PlaceRequest) =>
    (slots.share(id, models) ?? 1) < 1 && slots.on(id).length > 0 && foreign(id) === 0;
  const placesFor = (request: PlaceRequest): readonly Place[] =>
    candidates(request).map((id) => ({
      id,
      health: health(id),
      fits: request.fit(id) === 'fits',
      free: cards.mayUse(id) && !draining.has(id) && !wouldSwitch(id, request) ? room(id) : 0,
      load: slots.on(id).length + foreign(id),
      holdsModels: slots.holds(id, request.models),
    }));
  /** Where it could go now, were it not for the models that are loaded there. */
  const switches = (request: PlaceRequest): readonly string[] =>
    eligible(placesFor(request)).flatMap(({ id }) =>
      cards.mayUse(id) && room(id) > 0 && !draining.has(id) && wouldSwitch(id, request) ? [id] : [],
    );
  /** With nothing up, only an item that has just come is sent to what there is: to fail there with a reason, after a grace. */
  const placeFor = (request: PlaceRequest, isNew: boolean): Place | undefined => {
    const places = placesFor(request);
    return isNew || eligible(places)[0]?.health !== 'away' ? route(places) : undefined;
  };

  function pump(fresh?: PlaceRequest): void {
    if (closed) return;
    draining = new Set();
    while (isOpen()) {
      cards.look(wanted());
      let held: PlaceRequest | undefined;
      const placeOf = (one: PlaceRequest) => placeFor(one, one === fresh);
      const request = queue.take(
        (one) => placeOf(one) !== undefined || switches(one).length > 0,
        (one) => shareOf(one, placeOf(one)),
        (one) => {
          if (placeOf(one) === undefined) held = one;
          return held === undefined;
        },
      );
      const place = request === undefined ? undefined : placeOf(request);
      if (request !== undefined && place !== undefined) {
        const wasLoaded = slots.share(place.id, request.models);
        slots.occupy({ promptId: request.promptId, runId: request.runId, backendId: place.id });
        slots.loaded(place.id, request.models);
        cards.sent(place.id, wanted());
        request.grant(place.id, wasLoaded === undefined ? undefined : wasLoaded === 1);
      } else if (held === undefined) break;
      // Nothing more goes where it is to go; others may still go elsewhere.
      else draining = new Set([...draining, ...switches(held)]);
    }
    draining = new Set();
    onPumped();
  }

  function shareOf(request: PlaceRequest, place: Place | undefined): number | undefined {
    const shares =
      place === undefined ? switches(request).map((id) => slots.share(id, request.models)) : [slots.share(place.id, request.models)];
    return shares.reduce((most, share) => (share === undefined ? most : Math.max(most ?? 0, share)), undefined as number | undefined);
  }

  /** Backends that answer and that something waits for which cannot go anywhere else now, by turn: a card is handed to no other. */
  function wanted(): readonly string[] {
    if (cards.members.length === 0) return [];
    const ids = [...queue.entries()]
      .toSorted((a, b) => b.priority - a.priority || a.order - b.order)
      .map((request) => {
        const able = eligible(placesFor(request));
        const [best] = able
          .filter((place) => place.health === 'up' && room(place.id) > 0)
          .toSorted((a, b) => b.free - a.free || Number(b.holdsModels) - Number(a.holdsModels));
        return best?.id;
      });
    const granted = cards.members.filter((id) => health(id) === 'up' && waitsForCard(id));
    return [...new Set([...granted, ...ids.flatMap((id) => id ?? [])])];
  }

  return {
    ask(request) {
      queue.add(request);
      pump(request);
      // Nothing left it: a request that was not granted is still there to be withdrawn.
      return !queue.has(request);
    },
    withdraw: (request) => void queue.remove(request),
    wake() {
      scheduled ??= setImmediate(() => {
        scheduled = undefined;
        pump();
      });
    },
    get waiting() {
      return queue.size;
    },
    requests: () => queue.entries(),
    candidates,
    room,
    close() {
      closed = true;
      clearImmediate(scheduled);
    },
  };
}
