/** Sends one file to the daemon; what comes back is its id. Progress is why this is not fetch. */
import { CallsheetError, isErrorData } from '../../src/protocol/errors.ts';
import { pageHeader } from '../rpc/page-secret.ts';

/** Throws what the daemon answers, UPLOAD_FAILED when nothing came back. */
export function upload(file: File, onProgress: (part: number) => void, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/uploads');
    request.responseType = 'json';
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('Callsheet-Name', encodeURIComponent(file.name.toWellFormed()));
    for (const [name, value] of Object.entries(pageHeader())) request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total === 0 ? 1 : loaded / total));
    request.addEventListener('load', () => {
      const answer = request.response as { assetId?: string; error?: unknown } | null;
      if (request.status === 201 && answer?.assetId !== undefined) resolve(answer.assetId);
      else if (isErrorData(answer?.error)) reject(CallsheetError.from(answer.error));
      else reject(new CallsheetError('UPLOAD_FAILED', `The daemon did not take the file (HTTP ${String(request.status)}).`));
    });
    request.addEventListener('error', () =>
      reject(new CallsheetError('UPLOAD_FAILED', 'The file could not be sent: the daemon does not answer.')),
    );
    request.addEventListener('abort', () => reject(new CallsheetError('UPLOAD_FAILED', 'The upload was stopped.')));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
