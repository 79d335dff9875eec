/** The last gate before anything new goes to a backend: shut while the queue is paused, also for what was prepared before it was. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a pause waits for the answers to what is being sent at that moment, in milliseconds: a silent backend has it already. */
const PATIENCE_MS = 3000;

export interface Sending {
  /** Runs `work`, which sends something new, as soon as the queue is not paused; `onPaused` is told once when that is not now. */
  send<T>(signal: AbortSignal, onPaused: () => void, work: () => Promise<T>): Promise<T>;
  /** Lets go what waits. */
  resumed(): void;
  /** Resolves when nothing is on its way out. */
  quiet(): Promise<void>;
}

export function createSending(isPaused: () => boolean): Sending {
  const waiting = new Set<() => void>();
  const leaving = new Set<Promise<unknown>>();

  function resumed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        waiting.delete(settle);
        signal.removeEventListener('abort', settle);
        if (signal.aborted) reject(signal.reason as Error);
        else resolve();
      };
      waiting.add(settle);
      signal.addEventListener('abort', settle);
      if (signal.aborted) settle();
    });
  }

  return {
    async send(signal, onPaused, work) {
      if (isPaused()) onPaused();
      // It may be paused again before its turn comes.
      while (isPaused()) await resumed(signal);
      const going = work();
      leaving.add(going);
      try {
        return await going;
      } finally {
        leaving.delete(going);
      }
    },
    resumed() {
      for (const go of waiting) go();
    },
    async quiet() {
      const done = new AbortController();
      const patience = sleep(PATIENCE_MS, undefined, { signal: done.signal }).catch(() => undefined);
      await Promise.race([Promise.allSettled(leaving), patience]);
      done.abort();
    },
  };
}
