/** Tickets for /inspect: each opens one WebSocket once and soon, for clients that cannot send a header. They are worth nothing afterwards, and are no keys. */
import { CallsheetError } from '#protocol/errors.ts';
import { createOneTime } from '../one-time.ts';

export interface Ticket {
  /** Absent: every run. */
  readonly runId?: string;
  /** The session of the browser that asked for it: what it opened ends with that. */
  readonly ended?: AbortSignal;
}

export interface InspectTickets {
  /** 43 characters base64url. Throws TOO_MANY_REQUESTS. */
  issue(ticket: Ticket): { readonly ticket: string; readonly expiresAt: number };
  /** Undefined for one that was used, is too old or never was. */
  redeem(text: string): Ticket | undefined;
}

export const TICKET_MS = 30_000;
const MOST = 64;

export function createInspectTickets(now: () => number = Date.now): InspectTickets {
  const open = createOneTime<Ticket>(TICKET_MS, MOST, now);
  return {
    issue(ticket) {
      // Whoever holds one keeps it: another client that asks too often is told, and takes none away.
      if (open.isFull) {
        throw new CallsheetError('TOO_MANY_REQUESTS', `${String(MOST)} tickets are out and were not used.`, {
          hint: `Use them, or wait ${String(TICKET_MS / 1000)} s.`,
          details: { retryAfterMs: TICKET_MS },
        });
      }
      return { ticket: open.issue(ticket), expiresAt: now() + TICKET_MS };
    },
    redeem(text) {
      const found = open.take(text);
      return found?.ended?.aborted === true ? undefined : found;
    },
  };
}
