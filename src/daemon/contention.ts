/**
 * A database that another program holds for a while: what could not be written is tried again with jitter while the event loop is free.
 * Nothing was written and nothing is in doubt then, unlike after a failure; so machines wait at the gate and nobody is set aside (reliability F5).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import type { StorageState } from '#protocol/methods/system.ts';
import type { Logger } from './log.ts';

/** Pauses between two tries, in milliseconds: each is drawn between half of it and all of it, and doubles up to the last. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 250;
/** So long a caller is kept waiting; and so long one that comes when that has passed for others already. */
const PATIENCE_MS = 5000;
const IMPATIENCE_MS = 250;
/** Without a try for so long nobody wants to write, and whether it could is not known. */
const FORGOTTEN_MS = 1000;
/** From here on it is worth a line in the log. */
const TOLD_AFTER_MS = 1000;

export interface Contention {
  /** `probe` throws what a write would throw; asked where nobody has tried lately. */
  state(probe: () => void): StorageState;
  /** A try found the database held: milliseconds until the next. */
  putOff(error: CallsheetError): number;
  /** Something could be written. */
  free(): void;
  /** Whether somebody who waits since `since` (of `performance.now()`) is to be told that it takes longer. */
  isTooLong(since: number): boolean;
  /** What such a caller is told. `whether` says what becomes of the wish. */
  refusal(whether: string): CallsheetError;
  /** Writes at once where that is possible, else when it is, in order of the calls. Throws STORAGE_BUSY, and then nothing was written; `whether` as above. */
  write<T>(work: () => T, whether?: string): Promise<T>;
}

/** Of a wish that is not kept. */
export const NOTHING = 'Nothing was changed.';

interface Waiting {
  readonly since: number;
  /** Tells its caller how it went. Throws STORAGE_BUSY when it has to be tried again. */
  readonly work: () => void;
  readonly giveUp: () => void;
}

/** What tests put in place of time and chance. `now` is monotonic, in milliseconds. */
export interface ContentionClock {
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
  random(): number;
}

const CLOCK: ContentionClock = { now: () => performance.now(), sleep: (milliseconds) => sleep(milliseconds), random: Math.random };

export function createContention(log: Pick<Logger, 'info' | 'warn'>, clock: ContentionClock = CLOCK): Contention {
  const queue: Waiting[] = [];
  let draining = false;
  let heldSince: number | undefined;
  let heldAt = 0;
  let tries = 0;
  let isTold = false;
  let last: CallsheetError | undefined;

  const heldForMs = (): number | undefined => {
    const now = clock.now();
    return heldSince === undefined || now - heldAt > FORGOTTEN_MS ? undefined : now - heldSince;
  };

  function putOff(error: CallsheetError): number {
    const forMs = heldForMs();
    const now = clock.now();
    if (forMs === undefined) {
      heldSince = now;
      tries = 0;
    } else if (forMs > TOLD_AFTER_MS && !isTold) {
      isTold = true;
      log.warn({ err: error }, 'another program holds the database; what is to be written waits');
    }
    heldAt = now;
    last = error;
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10));
    tries += 1;
    return longest * (0.5 + clock.random() / 2);
  }

  function free(): void {
    if (heldSince === undefined) return;
    if (isTold) log.info({ seconds: (clock.now() - heldSince) / 1000 }, 'the database can be written again');
    heldSince = undefined;
    isTold = false;
  }

  function tryOut(probe: () => void): void {
    try {
      probe();
      free();
    } catch (error) {
      // Any other failure is told by whoever writes.
      if (isHeld(error)) putOff(error);
    }
  }

  const isTooLong = (since: number): boolean => {
    const isLong = (heldForMs() ?? 0) > PATIENCE_MS;
    return clock.now() - since > (isLong ? IMPATIENCE_MS : PATIENCE_MS);
  };

  function refusal(whether: string): CallsheetError {
    const { message = 'Another program keeps the database busy.', hint = '' } = last?.data ?? {};
    return new CallsheetError('STORAGE_BUSY', `${message} ${whether}`, { hint, cause: last, details: { retryAfterMs: 1000 } });
  }

  async function drain(): Promise<void> {
    if (draining) return;
    draining = true;
    try {
      for (let first = queue[0]; first !== undefined; first = queue[0]) {
        let pauseMs = 0;
        try {
          first.work();
          queue.shift();
          free();
        } catch (error) {
          if (!isHeld(error)) throw error;
          pauseMs = putOff(error);
        }
        if (pauseMs === 0) continue;
        for (const one of queue.filter(({ since }) => isTooLong(since))) {
          queue.splice(queue.indexOf(one), 1);
          one.giveUp();
        }
        await clock.sleep(pauseMs);
      }
    } finally {
      draining = false;
    }
  }

  return {
    state(probe) {
      if (heldForMs() === undefined) tryOut(probe);
      const forMs = heldForMs();
      if (forMs === undefined || last === undefined) return { status: 'ready' };
      const { message, hint = '' } = last.data;
      return { status: 'busy', seconds: forMs / 1000, message, hint };
    },
    putOff,
    free,
    isTooLong,
    refusal,
    write<T>(work: () => T, whether = NOTHING): Promise<T> {
      return new Promise((resolve, reject) => {
        const once = (): void => {
          try {
            resolve(work());
          } catch (error) {
            if (isHeld(error)) throw error;
            reject(error);
          }
        };
        queue.push({ since: clock.now(), work: once, giveUp: () => reject(refusal(whether)) });
        void drain();
      });
    },
  };
}

/** The database is held by another program, and nothing was written: no failure, and nothing in doubt. */
export function isHeld(error: unknown): error is CallsheetError {
  return error instanceof CallsheetError && error.code === 'STORAGE_BUSY';
}
