/** Tells the failures of a connection that never stood from those after which a request may have arrived. */
import { CallsheetError } from '#protocol/errors.ts';

/** ELINKLOCAL is our own: an address that is refused before anything is opened. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ELINKLOCAL', 'EHOSTUNREACH', 'ENETUNREACH']);

/** True for a BACKEND_UNREACHABLE that proves that nothing was sent, so that sending again cannot send twice. */
export function wasNeverSent(error: unknown): boolean {
  if (!(error instanceof CallsheetError) || error.code !== 'BACKEND_UNREACHABLE') return false;
  const { cause } = error;
  return typeof cause === 'object' && cause !== null && 'code' in cause && NEVER_SENT.has(String(cause.code));
}
