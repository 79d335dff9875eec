/** Waits for a backend that refuses connections, for a while; anything else is passed on at once. */
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import { retryAfterMs, retryClass } from '#protocol/retry-class.ts';
import type { ActorDeps } from './deps.ts';

export interface Grace extends Pick<ActorDeps, 'graceMs' | 'retryMs'> {
  /** The grace counts only while connections are refused; a backend that is merely silent is waited for as long as it takes. */
  readonly outwaitsSilence?: boolean;
  /** Every transient error is waited for, not only a backend that cannot be reached. */
  readonly outwaitsErrors?: boolean;
  /** True for an error that is not worth waiting for. */
  readonly leaves?: (error: unknown) => boolean;
}

/**
 * Runs `work` again while it fails with BACKEND_UNREACHABLE and the grace lasts, from its first failure on, or from where it says `anew` because
 * it waited for something else meanwhile. `work` must be safe to repeat; `onWait` is told once.
 * What it throws at the end of the grace says so: it is not to be waited for again.
 */
export async function withGrace<T>(
  { graceMs, retryMs, outwaitsSilence = false, outwaitsErrors = false, leaves = () => false }: Grace,
  signal: AbortSignal,
  work: (anew: () => void) => Promise<T>,
  onWait?: (error: unknown) => void,
): Promise<T> {
  let since: number | undefined;
  const anew = () => {
    since = undefined;
  };
  let isTold = false;
  for (;;) {
    let wait: number;
    try {
      return await work(anew);
    } catch (error) {
      if (!(error instanceof CallsheetError) || !(isUnreachable(error) || (outwaitsErrors && retryClass(error.data) === 'transient')))
        throw error;
      if (leaves(error)) throw error;
      if (since === undefined || (outwaitsSilence && isUnreachable(error) && !isRefused(error))) since = performance.now();
      wait = Math.max(retryMs, retryAfterMs(error.data));
      if (performance.now() - since + wait > graceMs) throw waitedFor(error, graceMs);
      if (!isTold) onWait?.(error);
      isTold = true;
    }
    await pause(wait, undefined, { signal });
  }
}

/** The same error, marked as one whose time is over (protocol/retry-class.ts). */
export function waitedFor(error: CallsheetError, waitedMs: number): CallsheetError {
  return new CallsheetError(error.code, error.message, { ...error.data, details: { ...error.data.details, waitedMs }, cause: error.cause });
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof CallsheetError && error.code === 'BACKEND_UNREACHABLE';
}

/** True when the address refused the connection: proof that no server runs there, unlike a timeout (DESIGN 4). */
export function isRefused(error: unknown): boolean {
  return isUnreachable(error) && error instanceof Error && hasCode(error.cause, 'ECONNREFUSED');
}

function hasCode(cause: unknown, code: string): boolean {
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === code;
}
