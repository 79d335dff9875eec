/** What becomes of an attempt that failed: tried again after a pause, tried with less memory, or given up at once (docs/retries.md). */
import type { ErrorCode, ErrorData } from './errors.ts';

/**
 * `transient`: the way to the backend, the backend as a whole: goes away by itself. `memory`: the backend ran out of it.
 * `permanent`: the same again would end the same, or nobody may try it again without a person's word.
 */
export type RetryClass = 'transient' | 'memory' | 'permanent';

/** Codes whose errors may go away by themselves; every other code is permanent. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  'BACKEND_UNREACHABLE',
  'BACKEND_RESTARTED',
  'BACKEND_HTTP',
  'STEP_STALLED',
  'UPLOAD_FAILED',
]);

/**
 * The one place that decides it. By code; `retryable: false` makes a single error of a transient code permanent (a 413, a 401), and so does
 * `details.waitedMs`: what was waited for as long as the grace allows is not waited for again.
 */
export function retryClass({ code, retryable, details }: Pick<ErrorData, 'code' | 'retryable' | 'details'>): RetryClass {
  if (code === 'OUT_OF_MEMORY') return 'memory';
  return TRANSIENT.has(code) && retryable && details?.['waitedMs'] === undefined ? 'transient' : 'permanent';
}

/** How long the other side asked to be left alone (`Retry-After`), in milliseconds; 0 when it did not. */
export function retryAfterMs({ details }: Pick<ErrorData, 'details'>): number {
  const asked = details?.['retryAfterMs'];
  return typeof asked === 'number' && Number.isFinite(asked) && asked > 0 ? asked : 0;
}
