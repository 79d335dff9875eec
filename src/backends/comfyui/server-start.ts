/**
 * Since when a server on this machine has been there, by its own log: what it was given before that is gone. ComfyUI has no boot id, and a daemon
 * that was down meanwhile, as in a power cut, saw no refused connection. Only of this machine: the log's times are local and without a zone.
 */
import type { Address } from './address.ts';
import type { Http } from './http.ts';
import { isFields, list, parsePython, text } from './replies.ts';
import type { Timeouts } from './settings.ts';

/** The last words of ComfyUI's start (server.py). */
const STARTED = /^(?:Starting server|To see the GUI go to:)/;

/** Milliseconds since 1970; undefined when the log does not say it any more, or is not to be had. Throws what the connection does. */
export async function serverStart(http: Http, { hostname }: Address, { getMs }: Pick<Timeouts, 'getMs'>): Promise<number | undefined> {
  if (!isThisMachine(hostname)) return undefined;
  const reply = await http.send({ method: 'GET', path: '/internal/logs/raw', isBare: true, timeoutMs: getMs });
  if (reply.status !== 200) return undefined;
  const body = parsePython(reply.text);
  const entry = list(isFields(body) ? body['entries'] : []).findLast((one) => isFields(one) && STARTED.test(text(one['m']) ?? ''));
  const at = Date.parse(isFields(entry) ? (text(entry['t']) ?? '') : '');
  return Number.isNaN(at) ? undefined : at;
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
