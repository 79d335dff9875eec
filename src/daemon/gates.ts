/** The gates before any routing, alike for HTTP and upgrade: Host and Origin by equal strings, origin-form target, no query (docs/protocol.md, Gates). */
import type { RefusalReason } from './refusals.ts';

export interface GateRequest {
  readonly url?: string | undefined;
  /** Names and values in turn, as `IncomingMessage.rawHeaders`: the only place where duplicates still show. */
  readonly rawHeaders: readonly string[];
}

export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 503;
  readonly reason: RefusalReason;
  /** Names the reason; echoes nothing of the request. */
  readonly message: string;
}

/**
 * Undefined when the request may go on. Host and Origin are compared as strings and never parsed:
 * `new URL` makes 127.0.0.1 of `127.1`, `0x7f.1` and `evil@127.0.0.1`.
 */
export function checkGates(request: GateRequest, port: number): Refusal | undefined {
  const hosts = valuesOf(request.rawHeaders, 'host');
  if (hosts.length !== 1) return { status: 400, reason: 'host', message: 'Exactly one Host header is needed.' };
  if (hosts[0] !== `127.0.0.1:${port}` && hosts[0] !== `localhost:${port}`) {
    return { status: 403, reason: 'host', message: 'This Host is not served here. Use 127.0.0.1 with the port of the runtime file.' };
  }
  const origins = valuesOf(request.rawHeaders, 'origin');
  if (origins.length > 1) return { status: 403, reason: 'origin', message: 'More than one Origin header.' };
  if (origins.length === 1 && origins[0] !== `http://127.0.0.1:${port}` && origins[0] !== `http://localhost:${port}`) {
    return { status: 403, reason: 'origin', message: 'Requests from this Origin are refused. Programs should send no Origin header.' };
  }
  const target = request.url ?? '';
  if (!target.startsWith('/')) return { status: 400, reason: 'target', message: 'The request target must be a path.' };
  if (target.includes('?')) {
    return { status: 400, reason: 'query', message: 'Query strings are not taken, a key least of all. Send Authorization: Bearer KEY.' };
  }
  return undefined;
}

export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '');
  }
  return values;
}
