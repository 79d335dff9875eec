/** Brings one file home from /view, as a stream. */
import { CallsheetError } from '#protocol/errors.ts';
import type { RemoteFile } from '../contract.ts';
import type { Http } from './http.ts';
import { httpError } from './replies.ts';

/** Throws OUTPUT_MISSING when the server no longer has the file, and what the connection throws. */
export async function viewFile(
  http: Http,
  file: RemoteFile,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<{ readonly stream: NodeJS.ReadableStream; readonly bytes?: number; readonly mediaType?: string }> {
  // The sub-folder goes back as it came: its separators are those of the server's own system (comfyui.md 3.1).
  const query = new URLSearchParams({ filename: file.filename, subfolder: file.subfolder, type: file.type });
  const incoming = await http.open({ method: 'GET', path: `/view?${query.toString()}`, timeoutMs, isFile: true, signal });
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
