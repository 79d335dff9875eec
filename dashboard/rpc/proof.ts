/** Both proofs of the handshake (docs/protocol.md, The challenge), with the ticket in the place of the key. */

export interface Handshake {
  /** As dialled: `127.0.0.1:PORT`. */
  readonly host: string;
  readonly scope: string;
  readonly serverNonce: string;
  readonly clientNonce: string;
}

export function createNonce(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** HMAC-SHA256 over the five lines, base64url without padding. */
export async function proofOf(side: 'client' | 'server', ticket: string, handshake: Handshake): Promise<string> {
  const text = [`callsheet-${side}-1`, handshake.host, handshake.scope, handshake.serverNonce, handshake.clientNonce].join('\n');
  const bytes = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', bytes.encode(ticket), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return base64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes.encode(text))));
}

// --- helpers ---

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
