/** Who asks: the holder of a key, a browser with the cookie of a session, or nobody that is known. */
import type { IncomingMessage } from 'node:http';
import type { MethodScope } from '#protocol/methods/define.ts';
import type { Auth } from './auth.ts';
import type { BrowserSession, BrowserSessions } from './browser/sessions.ts';
import { valuesOf } from './gates.ts';
import type { Refusal } from './gates.ts';

export interface Caller {
  readonly scope: MethodScope;
  /** Absent for the holder of a key. */
  readonly session?: BrowserSession;
}

/** What a page of ours may do. */
const SESSION_SCOPE: MethodScope = 'run';

/** Undefined when there is neither a key nor the cookie of a session that lasts. The gates were passed. */
export function identify(
  request: Pick<IncomingMessage, 'method' | 'rawHeaders'>,
  auth: Auth,
  sessions: Pick<BrowserSessions, 'of' | 'isFromPage'>,
): Caller | Refusal | undefined {
  const key = auth.fromHeaders(request.rawHeaders);
  if (key === 'wrong') return { status: 401, reason: 'token', message: 'The key is wrong.' };
  if (key !== 'absent') return { scope: key };
  const session = sessions.of(request.rawHeaders);
  if (session === undefined) return undefined;
  return siteRefusal(request) ?? pageRefusal(request, session, sessions) ?? { scope: SESSION_SCOPE, session };
}

/**
 * A cookie goes along with what any page on this machine makes the browser ask for, whatever its port; a key does not.
 * So these requests must come from a page of ours: what changes something says so by its Origin, and what only reads by Sec-Fetch-Site,
 * where the browser sends that. Following a link to us is no harm from anywhere.
 */
function siteRefusal({ method, rawHeaders }: Pick<IncomingMessage, 'method' | 'rawHeaders'>): Refusal | undefined {
  const reads = method === 'GET' || method === 'HEAD';
  if (!reads && !hasOrigin(rawHeaders)) return ORIGIN_MISSING;
  const site = valuesOf(rawHeaders, 'sec-fetch-site');
  if (site.every((value) => value === 'same-origin' || value === 'none')) return undefined;
  const follows = reads && only(rawHeaders, 'sec-fetch-mode') === 'navigate' && only(rawHeaders, 'sec-fetch-dest') === 'document';
  return follows ? undefined : { status: 403, reason: 'origin', message: 'Only pages of this daemon may ask with its cookie.' };
}

/**
 * Cookies know no port: a server of somebody else on this machine, to which the browser is led, is sent ours. What only reads files whose ids
 * nobody can guess is let through with it alone; everything else needs what no page of another port can read.
 */
function pageRefusal(
  { method, rawHeaders }: Pick<IncomingMessage, 'method' | 'rawHeaders'>,
  session: BrowserSession,
  sessions: Pick<BrowserSessions, 'isFromPage'>,
): Refusal | undefined {
  if (method === 'GET' || method === 'HEAD' || sessions.isFromPage(session, rawHeaders)) return undefined;
  return { status: 403, reason: 'session', message: 'The cookie alone changes nothing. Open the page again: callsheet open' };
}

/** The gate has compared what there is; only its absence is left to be seen. */
export function hasOrigin(rawHeaders: readonly string[]): boolean {
  return valuesOf(rawHeaders, 'origin').length > 0;
}

export const ORIGIN_MISSING: Refusal = {
  status: 403,
  reason: 'origin',
  message: 'What a browser changes here needs the Origin of a page of this daemon.',
};

// --- helpers ---

function only(rawHeaders: readonly string[], name: string): string | undefined {
  const values = valuesOf(rawHeaders, name);
  return values.length === 1 ? values[0] : undefined;
}
