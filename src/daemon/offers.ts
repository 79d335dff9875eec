/** What each backend said last of its nodes, models, version and memory, and when that changes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { objectInfoOf } from '#actors/render-item.ts';
import type { Backend } from '#backends/contract.ts';
import type { BackendView } from '#protocol/views.ts';
import type { BackendOffer } from '#templates/fits.ts';
import type { Logger } from './log.ts';

/** One that loads a model may take a minute to answer. In milliseconds. */
const PATIENCE_MS = 120_000;
/** Model files come and go without a restart, and the answer is dear: the server looks through its folders for it. In milliseconds. */
const AGAIN_MS = 300_000;

export interface Offers {
  /** What is known now, without asking: the same object until it changes. The last word of a backend that is away counts until it is back. */
  known(id: string): BackendOffer;
  /** Asks where nothing is known, with `refresh` in any case. Never throws: what could not be asked stays as it was. */
  ask(id: string, options?: { readonly refresh?: boolean; readonly signal?: AbortSignal }): Promise<BackendOffer>;
  /** Asks all; resolves when they have answered, at the latest after `patienceMs`. */
  begin(patienceMs: number): Promise<void>;
  /** Somebody else has just asked the backend anew: takes over what it said. */
  take(id: string): Promise<BackendOffer>;
  /** A backend is up, down, or another version: from the monitor. */
  heard(view: Pick<BackendView, 'id' | 'status' | 'version'>): void;
  /** Whether files may be sent to one of them was decided anew. */
  decided(id: string): void;
  /** Called after what is known of a backend has changed. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export function createOffers(
  backends: readonly Pick<Backend, 'id' | 'kind' | 'objectInfo' | 'describe'>[],
  log: Pick<Logger, 'debug'>,
  takesFiles: (id: string) => boolean = () => true,
): Offers {
  const offers = new Map<string, BackendOffer>(backends.map(({ id }) => [id, withFiles({ id })]));
  const known = new Set<string>();
  const working = new Map<string, Promise<unknown>>();
  const ready = new Set<string>();
  const listeners = new Set<() => void>();
  const closing = new AbortController();

  function keep(offer: BackendOffer): BackendOffer {
    const before = offerOf(offer.id);
    known.add(offer.id);
    if (before.info === offer.info && before.version === offer.version && before.vram === offer.vram) return before;
    return put(withFiles(offer));
  }

  function put(offer: BackendOffer): BackendOffer {
    offers.set(offer.id, offer);
    if (!closing.signal.aborted) for (const listener of listeners) listener();
    return offer;
  }

  function withFiles({ takesFiles: _before, ...offer }: BackendOffer): BackendOffer {
    return takesFiles(offer.id) ? offer : { ...offer, takesFiles: false };
  }

  async function askNow(id: string, refresh: boolean): Promise<BackendOffer> {
    const backend = backends.find((one) => one.id === id);
    if (backend === undefined || backend.kind === 'wan2gp') return offerOf(id);
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      if (refresh) await backend.objectInfo({ refresh, signal });
      const [{ version, vram }, info] = await Promise.all([backend.describe(signal), objectInfoOf(backend, signal)]);
      return keep({ id, info, version, vram });
    } catch (error) {
      log.debug({ err: error, backend: id }, 'what the backend has could not be asked');
      return offerOf(id);
    }
  }

  /** One question at a time: of two answers the later one has to stay. */
  function inTurn(id: string, question: () => Promise<BackendOffer>): Promise<BackendOffer> {
    const answer = (working.get(id) ?? Promise.resolve()).then(question);
    working.set(id, answer);
    return answer;
  }

  const ask = (id: string, refresh: boolean): Promise<BackendOffer> =>
    inTurn(id, async () => (refresh || !known.has(id) ? askNow(id, refresh) : offerOf(id)));

  const offerOf = (id: string): BackendOffer => offers.get(id) ?? withFiles({ id });
  const again = setInterval(() => {
    for (const id of ready) void ask(id, true);
  }, AGAIN_MS).unref();

  return {
    known: offerOf,
    async ask(id, { refresh = false, signal } = {}) {
      if (!refresh && known.has(id)) return offerOf(id);
      const answer = ask(id, refresh);
      if (signal === undefined) return answer;
      const patience = Promise.withResolvers<BackendOffer>();
      const giveUp = () => patience.resolve(offerOf(id));
      // One that ran out over an earlier question is told of no more.
      if (signal.aborted) giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      return Promise.race([answer, patience.promise]).finally(() => signal.removeEventListener('abort', giveUp));
    },
    async begin(patienceMs) {
      const all = Promise.all(backends.map(({ id }) => ask(id, false)));
      await Promise.race([all, sleep(patienceMs, undefined, { ref: false })]);
    },
    take: (id) => inTurn(id, () => askNow(id, false)),
    heard({ id, status }) {
      if (status !== 'ready') {
        ready.delete(id);
        return;
      }
      ready.add(id);
      // It was away, or is another version now: nothing of before holds.
      void ask(id, known.has(id));
    },
    decided: (id) => void put(withFiles(offerOf(id))),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      clearInterval(again);
      closing.abort();
    },
  };
}
