/** Waits for a backend that refuses connections, for a while; anything else is passed on at once. */
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import type { ActorDeps } from './deps.ts';

export interface Grace extends Pick<ActorDeps, 'graceMs' | 'retryMs'> {
  /** The grace counts only while connections are refused; a backend that is merely silent is waited for as long as it takes. */
  readonly outwaitsSilence?: boolean;
}

/** Runs `work` again while it fails with BACKEND_UNREACHABLE and the grace lasts. `work` must be safe to repeat; `onWait` is told once. */
export async function withGrace<T>(
  { graceMs, retryMs, outwaitsSilence = false }: Grace,
  signal: AbortSignal,
  work: () => Promise<T>,
  onWait?: (error: unknown) => void,
): Promise<T> {
  let since = performance.now();
  let isTold = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (outwaitsSilence && !isRefused(error)) since = performance.now();
      if (performance.now() - since + retryMs > graceMs) throw error;
      if (!isTold) onWait?.(error);
      isTold = true;
    }
    await pause(retryMs, undefined, { signal });
  }
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
