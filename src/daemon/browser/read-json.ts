/** The small JSON bodies of the browser's routes. */
import type { IncomingMessage } from 'node:http';
import type { Refusal } from '../gates.ts';

/** Bytes of a body, and milliseconds until it must be here. */
const MOST = 1024;
const PATIENCE_MS = 5000;

export type Body = { readonly value: Readonly<Record<string, unknown>> } | { readonly refusal: Refusal };

/** The object in the body. Content-Type must be `application/json` exactly: no form and no foreign script without our leave can send that. */
export async function readJson(request: IncomingMessage): Promise<Body> {
  if (request.headers['content-type'] !== 'application/json') {
    return { refusal: { status: 415, reason: 'media-type', message: 'Content-Type must be application/json.' } };
  }
  if (Number(request.headers['content-length'] ?? 0) > MOST) return { refusal: TOO_LARGE };
  const chunks: Buffer[] = [];
  let bytes = 0;
  const watchdog = setTimeout(() => request.destroy(new Error('the body stood still')), PATIENCE_MS);
  try {
    // Leaving early must not destroy the request: the refusal still has to be sent on its socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MOST) return { refusal: TOO_LARGE };
      chunks.push(chunk);
    }
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { value: value as Readonly<Record<string, unknown>> };
  } catch {
    // Cut off, or no JSON: refused alike.
  } finally {
    clearTimeout(watchdog);
  }
  return { refusal: { status: 400, reason: 'malformed', message: 'The body must be one JSON object.' } };
}

const TOO_LARGE: Refusal = { status: 413, reason: 'malformed', message: `The body may have at most ${MOST} bytes.` };
