/** How long a step waits before its next attempt: longer each time, never the same twice, and as long as the other side asks for. */
import { ExponentialBackoff, type GeneratorFn, type IBackoff, noJitterGenerator } from 'cockatiel';
import type { ErrorData } from '#protocol/errors.ts';
import { retryAfterMs, type RetryClass } from '#protocol/retry-class.ts';

/** Attempts beyond the first, by the class of what ended the one before. `memory`: once after freeing, once with the lower profile. */
export const MOST_RETRIES: Readonly<Record<RetryClass, number>> = { transient: 4, memory: 2, permanent: 0 };

export interface BackOffOptions {
  /** Before the first retry, in milliseconds. */
  readonly initialMs: number;
  readonly maxMs: number;
  /** 0 ≤ x < 1, like Math.random. */
  readonly random: () => number;
}

export const USUAL_BACK_OFF: BackOffOptions = { initialMs: 1000, maxMs: 30_000, random: Math.random };

/** A server may ask for a pause, but not for a day. In milliseconds. */
const LONGEST_ASKED = 600_000;

/**
 * Milliseconds before retry number `retry` (1-based): between half of and the whole of 1 s, 2 s, 4 s … so that runs that failed together do
 * not come back together. `Retry-After` of the error is the least it waits.
 */
export function backOffMs(retry: number, error: Pick<ErrorData, 'details'> | null, options: BackOffOptions): number {
  const { initialMs, maxMs, random } = options;
  const generator: GeneratorFn<number> = (state, own) => {
    const [delay, next] = noJitterGenerator(state, own);
    return [Math.round(delay / 2 + (random() * delay) / 2), next];
  };
  let step: IBackoff<unknown> = new ExponentialBackoff({ initialDelay: initialMs, maxDelay: maxMs, generator }).next();
  for (let nth = 1; nth < retry; nth += 1) step = step.next(undefined);
  const asked = error === null ? 0 : Math.min(retryAfterMs(error), LONGEST_ASKED);
  return Math.max(step.duration, asked);
}
