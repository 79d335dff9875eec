/** Who may speak to the sandbox: decided from the headers alone, before anything is routed. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { SandboxOptions } from './options.ts';

export type Gate = (headers: IncomingHttpHeaders) => boolean;

/**
 * Host must be our own loopback address (no DNS rebinding), Origin absent or our own (no page of another site), cross-site
 * fetches are refused, and the secret must be there when one was set. Strings are compared whole.
 */
export function createGate(port: number, { secret, allowedOrigins = [] }: Pick<SandboxOptions, 'secret' | 'allowedOrigins'>): Gate {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const origins = [...hosts.map((host) => `http://${host}`), ...allowedOrigins];
  return (headers) => {
    if (headers.host === undefined || !hosts.includes(headers.host)) return false;
    if (headers.origin !== undefined && !origins.includes(headers.origin)) return false;
    if (headers['sec-fetch-site'] === 'cross-site') return false;
    return secret === undefined || sameText(headers[secret.header.toLowerCase()], secret.value);
  };
}

function sameText(given: string | string[] | undefined, wanted: string): boolean {
  const one = Buffer.from(typeof given === 'string' ? given : '');
  const two = Buffer.from(wanted);
  return one.length === two.length && timingSafeEqual(one, two);
}
