/** Graphics cards that several backends share: makes one engine let go before the next one begins. */
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import { isRefused } from '#actors/grace.ts';
import type { Backend } from '#backends/contract.ts';
import type { Logger } from '../log.ts';
import { type Card, decide, handed, letGo, mayUse, newCard, sent } from './shared-gpu.ts';
import type { Slots } from './slots.ts';

export interface CardsOptions {
  readonly backends: readonly Pick<Backend, 'id' | 'describe' | 'free'>[];
  /** The name of the card that a backend computes on; undefined: its own. */
  readonly gpuOf: (id: string) => string | undefined;
  readonly slots: Slots;
  /** Milliseconds between looks at a backend that is not idle yet. */
  readonly lookMs: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** A card changed hands. */
  readonly onHanded: () => void;
}

export interface Cards {
  /** Whether there are shared cards at all. */
  readonly any: boolean;
  mayUse(id: string): boolean;
  /** Before places are handed out: `wanted` are backends that items wait for, by turn. May begin a hand-over. */
  look(wanted: readonly string[]): void;
  /** An attempt goes to `id`. */
  sent(id: string, wanted: readonly string[]): void;
  /** Who is to have the card of `id` next, while the others unload; undefined when nothing is under way. */
  handingTo(id: string): string | undefined;
  close(): void;
}

export function createCards({ backends, gpuOf, slots, lookMs, log, onHanded }: CardsOptions): Cards {
  const cards = new Map<string, Card>();
  const closing = new AbortController();
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
    log.info({ gpu, to: card.next, from: card.holder }, 'a graphics card changes hands');
    await Promise.all(letGo(card).map((id) => empty(id)));
    if (closing.signal.aborted) return;
    cards.set(gpu, handed(card));
    onHanded();
  }

  /** Resolves once the backend has nothing to do and was told to unload; a dead one holds nothing. Silence is waited out. */
  async function empty(id: string): Promise<void> {
    const backend = backends.find((one) => one.id === id);
    if (backend === undefined) return;
    let isFreed = false;
    while (!closing.signal.aborted) {
      try {
        const { queueRemaining } = await backend.describe(closing.signal);
        if (queueRemaining === 0 && isFreed) return;
        if (queueRemaining === 0) {
          await backend.free();
          slots.emptied(id);
          isFreed = true;
          continue;
        }
        // Somebody else gave it work after it was told: what that loads has to go too.
        isFreed = false;
      } catch (error) {
        if (isRefused(error)) return;
        const data = error instanceof CallsheetError ? error.data : undefined;
        if (data !== undefined && data.code !== 'BACKEND_UNREACHABLE' && !closing.signal.aborted) {
          log.warn(
            { err: error, backend: id },
            'a backend does not take the request to unload; its graphics card is handed on all the same',
          );
          return;
        }
      }
      await pause(lookMs, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
  }

  return {
    any: cards.size > 0,
    mayUse(id) {
      const card = cardOf(id);
      return card === undefined || mayUse(card, id, byOthers(card, id));
    },
    look(wanted) {
      lastWanted = wanted;
      for (const [gpu, card] of cards) {
        const next = decide(card, { busy: (id) => slots.on(id).length > 0, wanted });
        if (next === card) continue;
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
    handingTo: (id) => cardOf(id)?.next,
    close: () => closing.abort(),
  };
}
