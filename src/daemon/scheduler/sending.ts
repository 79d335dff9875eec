/**
 * The last gate before anything new goes to a backend: shut while the queue is paused, across restarts, and while another engine has the graphics
 * card, also for what was prepared before that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '#store/types.ts';
import type { Contention } from '../contention.ts';
import { PAUSED_REASON } from './reasons.ts';

const PAUSED = 'queue.paused';

/** How long a pause waits for the answers to what is being sent at that moment, in milliseconds: a silent backend has it already. */
const PATIENCE_MS = 3000;

export interface Obstacle {
  readonly code: 'QUEUE_PAUSED' | 'CARD_WAITED_FOR';
  readonly reason: string;
}

export interface Sending {
  /** Runs `work`, which sends something new to that backend, once nothing is in its way; `onWait` is told what is. */
  send<T>(backendId: string, signal: AbortSignal, onWait: (obstacle: Obstacle) => void, work: () => Promise<T>): Promise<T>;
  /** How many wait here to be sent there: they have their places, and there is nothing of them on the backend. */
  waitingFor(backendId: string): number;
  /** A card has changed hands. */
  wake(): void;
  readonly isPaused: boolean;
  /** Resolves when nothing is on its way out any more. Throws STORAGE_BUSY, and then goes on. */
  pause(): Promise<void>;
  /** Lets go what waits. Throws STORAGE_BUSY, and then stays paused. */
  resume(): Promise<void>;
}

export interface SendingOptions {
  readonly store: Pick<Store, 'setting' | 'putSetting'>;
  readonly contention: Pick<Contention, 'write'>;
  /** Why nothing may be sent to a backend although the queue is not paused; undefined: it may. */
  readonly obstacleFor: (backendId: string) => string | undefined;
  /** It was paused, goes on, or something has begun to wait here. */
  readonly onChange: () => void;
}

export function createSending({ store, contention, obstacleFor, onChange }: SendingOptions): Sending {
  let isPaused = store.setting(PAUSED) === 'true';
  const waiting = new Map<() => void, string>();
  const leaving = new Set<Promise<unknown>>();

  const obstacle = (backendId: string): Obstacle | undefined => {
    if (isPaused) return { code: 'QUEUE_PAUSED', reason: PAUSED_REASON };
    const reason = obstacleFor(backendId);
    return reason === undefined ? undefined : { code: 'CARD_WAITED_FOR', reason };
  };

  /** Resolves at the next change. */
  function changed(backendId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        waiting.delete(settle);
        signal.removeEventListener('abort', settle);
        if (signal.aborted) reject(signal.reason as Error);
        else resolve();
      };
      waiting.set(settle, backendId);
      signal.addEventListener('abort', settle);
      if (signal.aborted) settle();
    });
  }

  function wake(): void {
    for (const go of waiting.keys()) go();
  }

  async function quiet(): Promise<void> {
    const done = new AbortController();
    const patience = sleep(PATIENCE_MS, undefined, { signal: done.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(leaving), patience]);
    done.abort();
  }

  return {
    async send(backendId, signal, onWait, work) {
      let told: string | undefined;
      for (let found = obstacle(backendId); found !== undefined; found = obstacle(backendId)) {
        if (found.reason !== told) onWait(found);
        told = found.reason;
        const change = changed(backendId, signal);
        // Who may have the card is decided anew with this one in mind.
        onChange();
        await change;
      }
      const going = work();
      leaving.add(going);
      try {
        return await going;
      } finally {
        leaving.delete(going);
      }
    },
    waitingFor: (backendId) => [...waiting.values()].filter((id) => id === backendId).length,
    wake,
    get isPaused() {
      return isPaused;
    },
    async pause() {
      await contention.write(() => {
        store.putSetting(PAUSED, 'true');
        isPaused = true;
      });
      onChange();
      await quiet();
    },
    async resume() {
      await contention.write(() => {
        store.putSetting(PAUSED, 'false');
        isPaused = false;
      });
      wake();
      onChange();
    },
  };
}
