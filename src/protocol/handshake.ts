/**
 * Proof of a key without showing it, both ways: HMAC-SHA256 over both nonces, the scope and the address.
 * The address is part of it so that a stranger on another port can not relay the proof to the real daemon.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { MethodScope } from './methods/define.ts';

export interface Handshake {
  /** As the client dialled it and as the `Host` header says: `127.0.0.1:PORT`. */
  readonly host: string;
  readonly scope: MethodScope;
  readonly serverNonce: string;
  readonly clientNonce: string;
}

/** 32 random bytes, base64url. */
export function createNonce(): string {
  return randomBytes(32).toString('base64url');
}

export function clientProof(key: string, handshake: Handshake): string {
  return proof('client', key, handshake);
}

export function serverProof(key: string, handshake: Handshake): string {
  return proof('server', key, handshake);
}

/** Compares in constant time; both sides are proofs, so their length is no secret. */
export function sameProof(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}

// The side is part of the text: else the server's proof could be made by sending the client's back.
function proof(side: 'client' | 'server', key: string, handshake: Handshake): string {
  const text = [`callsheet-${side}-1`, handshake.host, handshake.scope, handshake.serverNonce, handshake.clientNonce].join('\n');
  return createHmac('sha256', key).update(text).digest('base64url');
}
