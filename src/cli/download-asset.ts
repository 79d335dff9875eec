/** Fetches what the daemon packed, and holds it against its hash. */
import { createHash } from 'node:crypto';
import { CallsheetError } from '#protocol/errors.ts';
import type { Session } from './session.ts';

/** Throws CONNECTION_LOST when the bytes are not those that were promised. */
export async function downloadAsset(assetId: string, { endpoint }: Session): Promise<Uint8Array> {
  const address = new URL(`/assets/${assetId}`, endpoint.url.replace(/^ws/, 'http'));
  const response = await fetch(address, { headers: { authorization: `Bearer ${endpoint.key}` } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.ok && createHash('sha256').update(bytes).digest('hex') === assetId) return bytes;
  throw new CallsheetError('CONNECTION_LOST', `The daemon did not hand out what it had packed: HTTP ${response.status}.`, {
    hint: 'Try again; if it stays, look into the log of the daemon.',
  });
}
