/** One answer for many askers: asked for once and kept until it is forgotten. Nobody's giving up takes it from the others. */
import { aborted } from './settings.ts';

export interface SharedAnswer<T> {
  /** Throws CANCELLED when the signal says so first, and what the question throws; a failure is not kept. */
  get(signal?: AbortSignal): Promise<T>;
  forget(): void;
}

export function createSharedAnswer<T>(ask: () => Promise<T>): SharedAnswer<T> {
  let answer: Promise<T> | undefined;
  return {
    async get(signal) {
      if (signal?.aborted === true) throw aborted();
      const asked = (answer ??= ask());
      const given = asked.catch((error: unknown) => {
        if (answer === asked) answer = undefined;
        throw error;
      });
      return signal === undefined ? given : orAborted(given, signal);
    },
    forget() {
      answer = undefined;
    },
  };
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const give = (): void => reject(aborted());
  signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}
