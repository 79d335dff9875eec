/** Tickets for /inspect: each opens one WebSocket once and soon, for clients that cannot send a header. They are worth nothing afterwards, and are no keys. */
import { createHash, randomBytes } from 'node:crypto';
import { CallsheetError } from '#protocol/errors.ts';

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
  /** By digest, so that the time of a look-up says nothing of a ticket. */
  const open = new Map<string, Ticket & { readonly expiresAt: number }>();

  function forgetOld(): void {
    for (const [digest, { expiresAt }] of open) if (expiresAt <= now()) open.delete(digest);
  }

  return {
    issue(ticket) {
      forgetOld();
      if (open.size >= MOST) {
        throw new CallsheetError('TOO_MANY_REQUESTS', `${String(MOST)} tickets are out and were not used.`, {
          hint: `Use them, or wait ${String(TICKET_MS / 1000)} s.`,
          details: { retryAfterMs: TICKET_MS },
        });
      }
      const text = randomBytes(32).toString('base64url');
      const expiresAt = now() + TICKET_MS;
      open.set(digestOf(text), { ...ticket, expiresAt });
      return { ticket: text, expiresAt };
    },
    redeem(text) {
      forgetOld();
      const digest = digestOf(text);
      const found = open.get(digest);
      open.delete(digest);
      return found?.ended?.aborted === true ? undefined : found;
    },
  };
}

// --- helpers ---

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
