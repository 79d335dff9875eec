/** Brings one file home from /view, as a stream. */
import type { IncomingMessage } from 'node:http';
import { CallsheetError } from '#protocol/errors.ts';
import type { RemoteFile } from '../contract.ts';
import type { Http } from './http.ts';
import { httpError } from './replies.ts';
import { openView } from './view.ts';

/** Throws OUTPUT_MISSING when the server no longer has the file, and what the connection throws. */
export async function viewFile(
  http: Http,
  file: RemoteFile,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<{ readonly stream: NodeJS.ReadableStream; readonly bytes?: number; readonly mediaType?: string }> {
  const incoming = await openEither(http, file, timeoutMs, signal);
  const status = incoming.statusCode ?? 0;
  if (status !== 200) {
    incoming.resume();
    if (status === 404 || status === 400 || status === 403) {
      const name = file.subfolder === '' ? file.filename : `${file.subfolder}/${file.filename}`;
      throw new CallsheetError('OUTPUT_MISSING', `The backend at ${http.address.label} no longer has ${name} (status ${status}).`, {
        hint:
          file.type === 'temp'
            ? 'Previews are deleted when ComfyUI restarts: run the step again.'
            : 'The file was moved or deleted on the backend: run the step again.',
        node: file.node,
      });
    }
    throw httpError(http.address, `the request for ${file.filename}`, { status, headers: incoming.headers, text: '' });
  }
  const length = incoming.headers['content-length'];
  const mediaType = incoming.headers['content-type'];
  return {
    stream: incoming,
    ...(length === undefined ? {} : { bytes: Number(length) }),
    ...(mediaType === undefined ? {} : { mediaType }),
  };
}

/** Packs with a folder input of their own report its last part only: the attempt's folder is then known by its id. */
async function openEither(http: Http, file: RemoteFile, timeoutMs: number, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  const incoming = await openView(http, file, timeoutMs, signal);
  if (incoming.statusCode !== 404 || file.type !== 'output' || !UUID.test(file.subfolder)) return incoming;
  incoming.resume();
  return openView(http, { ...file, subfolder: `callsheet/${file.subfolder}` }, timeoutMs, signal);
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
