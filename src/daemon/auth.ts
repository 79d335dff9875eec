/** Keys and who holds them. The root token lives in this process alone; what leaves it are keys derived for one scope. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { clientProof, sameProof, serverProof } from '#protocol/handshake.ts';
import type { Handshake } from '#protocol/handshake.ts';
import { SCOPES } from '#protocol/methods/define.ts';
import type { MethodScope } from '#protocol/methods/define.ts';
import { valuesOf } from './gates.ts';

export interface Auth {
  /** The key of a scope, 43 characters base64url. Goes into the runtime file and nowhere else. */
  keyOf(scope: MethodScope): string;
  /** Scope of the one `Authorization: Bearer KEY` header; `wrong` when there is one that does not fit, `absent` without. */
  fromHeaders(rawHeaders: readonly string[]): MethodScope | 'absent' | 'wrong';
  /** Undefined when the client's proof is wrong. */
  answer(handshake: Handshake, proof: string): Grant | undefined;
}

export interface Grant {
  /** The server's own proof. */
  readonly proof: string;
  /** Aborted when what was proven is no longer worth anything; absent for keys, which live as long as the daemon. */
  readonly ended?: AbortSignal;
}

/** `root`: 32 random bytes, new in every process. */
export function createAuth(root: Buffer = randomBytes(32)): Auth {
  const keys = new Map(SCOPES.map((scope) => [scope, derive(root, scope)]));
  const digests = new Map([...keys].map(([scope, key]) => [scope, digest(key)]));
  const keyOf = (scope: MethodScope): string => keys.get(scope) ?? derive(root, scope);

  return {
    keyOf,
    fromHeaders(rawHeaders) {
      const values = valuesOf(rawHeaders, 'authorization');
      if (values.length === 0) return 'absent';
      const key = values.length === 1 ? /^Bearer ([\w-]{43})$/.exec(values[0] ?? '')?.[1] : undefined;
      if (key === undefined) return 'wrong';
      const given = digest(key);
      let found: MethodScope | undefined;
      // All are compared whatever is found: the time says nothing.
      for (const [scope, expected] of digests) if (timingSafeEqual(expected, given)) found = scope;
      return found ?? 'wrong';
    },
    answer(handshake, proof) {
      const key = keyOf(handshake.scope);
      return sameProof(clientProof(key, handshake), proof) ? { proof: serverProof(key, handshake) } : undefined;
    },
  };
}

export function allows(held: MethodScope, needed: MethodScope): boolean {
  return SCOPES.indexOf(held) >= SCOPES.indexOf(needed);
}

// --- helpers ---

function derive(root: Buffer, scope: MethodScope): string {
  return createHmac('sha256', root).update(`callsheet-key-1\n${scope}`).digest('base64url');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
