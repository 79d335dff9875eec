/** Asks /view for a file: whether it is there, and its first bytes. Sub-folders go back as they came, in the server's own spelling. */
import type { IncomingMessage } from 'node:http';
import type { RemoteFile } from '../contract.ts';
import type { Http } from './http.ts';
import { httpError } from './replies.ts';

export type Place = Pick<RemoteFile, 'filename' | 'subfolder' | 'type'>;

/** The separators of a sub-folder are those of the server's own system (comfyui.md 3.1). */
export function openView(
  http: Http,
  { filename, subfolder, type }: Place,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const query = new URLSearchParams({ filename, subfolder, type });
  return http.open({ method: 'GET', path: `/view?${query.toString()}`, timeoutMs, isFile: true, signal });
}

export async function isThere(http: Http, place: Place, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  return (await beginningOf(http, place, 0, timeoutMs, signal)) !== undefined;
}

/** The first bytes of a file; undefined when it is not there. */
export async function beginningOf(
  http: Http,
  place: Place,
  bytes: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  const incoming = await openView(http, place, timeoutMs, signal);
  const chunks: Buffer[] = [];
  try {
    const status = incoming.statusCode ?? 0;
    if (status === 404) return undefined;
    if (status !== 200)
      throw httpError(http.address, `the question for ${place.filename}`, { status, headers: incoming.headers, text: '' });
    let size = 0;
    if (bytes === 0) return Buffer.alloc(0);
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= bytes) break;
    }
    return Buffer.concat(chunks);
  } finally {
    incoming.destroy();
  }
}
