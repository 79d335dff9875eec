/**
 * How a browser comes in: a code, good once, becomes a session with a cookie; the session asks for tickets, each good for one WebSocket.
 * All of it lives in memory and ends with the daemon.
 */
import { randomBytes } from 'node:crypto';
import { clientProof, sameProof, serverProof } from '#protocol/handshake.ts';
import type { Auth } from '../auth.ts';
import { valuesOf } from '../gates.ts';
import { createTokenBucket } from '../token-bucket.ts';
import { createOneTime, digestOf } from '../one-time.ts';

/** Milliseconds. */
export const CODE_LIFE = 60_000;
export const TICKET_LIFE = 30_000;
export const SESSION_LIFE = 12 * 60 * 60_000;

/** Carries the secret of a page; cookies alone go to every port of the machine. */
export const PAGE_HEADER = 'callsheet-page';

const MOST_CODES = 16;
const MOST_TICKETS = 64;
const MOST_SESSIONS = 32;
/** Wrong codes that are answered as such: so many at once, then one each six seconds. */
const WRONG_BURST = 10;
const WRONG_PER_SECOND = 1 / 6;

export interface BrowserSession {
  readonly endsAt: number;
  /** Aborted when the session ends; its WebSockets end with it. */
  readonly ended: AbortSignal;
}

/** What a browser gets for its code. */
export interface Redeemed {
  /** Goes into the cookie. */
  readonly secret: string;
  /** Goes to the page, which keeps it where only pages of its own port can read. */
  readonly page: string;
}

export interface BrowserSessions {
  /** `callsheet-<8 hex of the instance>`: cookies know no port, so that each daemon needs a name of its own. */
  readonly cookieName: string;
  issueCode(): string;
  /** The secrets of the new session; `wrong` when the code is, `later` with milliseconds when it is and too many were. */
  redeem(code: string): Redeemed | 'wrong' | { readonly later: number };
  /** The session of the cookie among the headers. */
  of(rawHeaders: readonly string[]): BrowserSession | undefined;
  /** True when the headers also have the secret that only pages of this port know. */
  isFromPage(session: BrowserSession, rawHeaders: readonly string[]): boolean;
  issueTicket(session: BrowserSession): string;
  end(session: BrowserSession): void;
  /** Ends all of them. */
  close(): void;
  /** The keys of `auth`, and tickets as keys of scope run. */
  withTickets(auth: Auth): Auth;
}

export function createBrowserSessions(instance: string, now: () => number = () => performance.now()): BrowserSessions {
  const cookieName = `callsheet-${instance.replaceAll('-', '').slice(0, 8)}`;
  const codes = createOneTime<true>(CODE_LIFE, MOST_CODES, now);
  const tickets = createOneTime<BrowserSession>(TICKET_LIFE, MOST_TICKETS, now);
  const sessions = new Map<string, KnownSession>();
  const wrong = createTokenBucket(WRONG_PER_SECOND, WRONG_BURST, now);

  function endBy(digest: string): void {
    const found = sessions.get(digest);
    if (found === undefined) return;
    sessions.delete(digest);
    clearTimeout(found.timer);
    tickets.drop((session) => session === found);
    found.controller.abort();
  }

  function begin(): Redeemed {
    const oldest = sessions.size >= MOST_SESSIONS ? sessions.keys().next().value : undefined;
    if (oldest !== undefined) endBy(oldest);
    const [secret, page] = [newSecret(), newSecret()];
    const digest = digestOf(secret);
    const controller = new AbortController();
    const timer = setTimeout(() => endBy(digest), SESSION_LIFE);
    timer.unref();
    sessions.set(digest, { endsAt: now() + SESSION_LIFE, ended: controller.signal, page: digestOf(page), controller, timer });
    return { secret, page };
  }

  const self: BrowserSessions = {
    cookieName,
    issueCode: () => codes.issue(true),
    redeem(code) {
      // First: others who send wrong codes must not keep out whoever has a right one. It has 256 random bits, so that looking gives nothing away.
      if (codes.take(code) !== undefined) return begin();
      const later = wrong.take();
      return later > 0 ? { later } : 'wrong';
    },
    of(rawHeaders) {
      // Another server on this machine can set a cookie of the same name beside ours: each is looked at.
      for (const secret of cookiesOf(rawHeaders, cookieName)) {
        const digest = digestOf(secret);
        const session = sessions.get(digest);
        if (session === undefined) continue;
        if (session.endsAt > now()) return session;
        // The clock of timers may stand still while a laptop sleeps.
        endBy(digest);
      }
      return undefined;
    },
    isFromPage(session, rawHeaders) {
      const given = valuesOf(rawHeaders, PAGE_HEADER);
      // Digests are compared: the time says nothing of the secret.
      const digest = given.length === 1 ? digestOf(given[0] ?? '') : undefined;
      return [...sessions.values()].some((one) => one === session && one.page === digest);
    },
    issueTicket: (session) => tickets.issue(session),
    end(session) {
      for (const [digest, one] of sessions) if (one === session) endBy(digest);
    },
    close() {
      for (const digest of sessions.keys()) endBy(digest);
    },
    withTickets: (auth) => ({
      keyOf: (scope) => auth.keyOf(scope),
      fromHeaders: (rawHeaders) => auth.fromHeaders(rawHeaders),
      answer(handshake, proof) {
        const granted = auth.answer(handshake, proof);
        if (granted !== undefined || handshake.scope !== 'run') return granted;
        let key = '';
        const session = tickets.takeBy((ticket) => {
          key = ticket;
          return sameProof(clientProof(ticket, handshake), proof);
        });
        return session === undefined ? undefined : { proof: serverProof(key, handshake), ended: session.ended };
      },
    }),
  };
  return self;
}

// --- helpers ---

interface KnownSession extends BrowserSession {
  readonly page: string;
  readonly controller: AbortController;
  readonly timer: NodeJS.Timeout;
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function cookiesOf(rawHeaders: readonly string[], name: string): string[] {
  return valuesOf(rawHeaders, 'cookie')
    .flatMap((header) => header.split(';'))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
