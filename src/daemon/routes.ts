/** The HTTP routes beside the WebSocket: uploads in, artifacts out, a sign of life. All behind the gates and the key. */
import { constants, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { StorageState } from '#protocol/methods/system.ts';
import type { Store } from '#store/types.ts';
import { readRange } from './byte-range.ts';
import type { Route } from './http-server.ts';
import { receiveUpload } from './uploads.ts';
import type { UploadOptions } from './uploads.ts';

export interface RouteOptions extends UploadOptions {
  readonly store: Pick<Store, 'artifact' | 'asset' | 'putAsset'>;
  readonly storage: () => StorageState;
}

/** Shown in place; anything else is offered for saving. SVG and HTML could run scripts and are never shown. */
const SHOWN = /^(?:image\/(?:png|jpeg|webp|gif|avif)|video\/(?:mp4|webm|quicktime)|audio\/(?:mpeg|wav|flac|ogg|mp4))$/;

const STATUS_OF: Readonly<Record<string, number>> = {
  FILE_TOO_LARGE: 413,
  FILE_NOT_FOUND: 404,
  STORAGE_FAILED: 507,
  STORAGE_BUSY: 503,
  INTERNAL: 500,
};

export function createRoutes(options: RouteOptions): readonly Route[] {
  const { store } = options;
  return [
    {
      method: 'GET',
      path: /^\/healthz$/,
      scope: 'read',
      // It lives either way: what it cannot do at the moment passes by itself.
      handle: async (_request, response) => answerJson(response, 200, { ok: true, storage: options.storage() }),
    },
    {
      method: 'POST',
      path: /^\/uploads$/,
      scope: 'run',
      async handle(request, response) {
        try {
          answerJson(response, 201, { assetId: await receiveUpload(request, options) });
        } catch (error) {
          answerError(response, error);
        }
      },
    },
    {
      method: 'GET',
      path: /^\/artifacts\/([\w-]{1,100})$/,
      scope: 'read',
      async handle(request, response, match) {
        const artifact = store.artifact(match[1] ?? '');
        if (artifact === undefined) {
          answerError(
            response,
            new CallsheetError('FILE_NOT_FOUND', 'No artifact has this id.', { hint: 'List artifacts: artifact/list' }),
          );
          return;
        }
        await sendFile(request, response, artifact);
      },
    },
    {
      method: 'GET',
      path: /^\/assets\/([0-9a-f]{64})$/,
      scope: 'run',
      async handle(request, response, match) {
        const asset = store.asset(match[1] ?? '');
        if (asset === undefined) {
          answerError(response, new CallsheetError('FILE_NOT_FOUND', 'No asset has this id.', { hint: 'Ask for the export again.' }));
          return;
        }
        await sendFile(request, response, asset);
      },
    },
  ];
}

// --- helpers ---

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  { path, mediaType, sha256 }: { readonly path: string; readonly mediaType: string; readonly sha256: string },
): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined);
  const stats = await handle?.stat();
  if (handle === undefined || stats?.isFile() !== true) {
    await handle?.close();
    answerError(
      response,
      new CallsheetError('FILE_NOT_FOUND', 'The file of this artifact is gone.', { hint: 'Somebody moved or deleted it; run again.' }),
    );
    return;
  }
  const shown = SHOWN.test(mediaType);
  const etag = `"${sha256}"`;
  const { range: asked, 'if-range': held = etag } = request.headers;
  // A part of another file would spoil what the client has of the one that it knew.
  const range = held === etag ? readRange(asked, stats.size) : undefined;
  if (range === 'none') {
    await handle.close();
    response.writeHead(416, { 'Content-Range': `bytes */${stats.size}` }).end();
    return;
  }
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Type': shown ? mediaType : 'application/octet-stream',
    'Content-Length': range === undefined ? stats.size : range.end - range.start + 1,
    ...(range === undefined ? {} : { 'Content-Range': `bytes ${range.start}-${range.end}/${stats.size}` }),
    'Accept-Ranges': 'bytes',
    'Content-Disposition': `${shown ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeName(basename(path))}`,
    ETag: etag,
  });
  if (request.method === 'HEAD') {
    await handle.close();
    response.end();
    return;
  }
  try {
    await pipeline(handle.createReadStream({ ...range, autoClose: false }), response);
  } catch {
    // The reader may leave at any time.
    response.destroy();
  } finally {
    // Not left to the stream: one whose reader had left before it began closes nothing.
    await handle.close();
  }
}

/** RFC 5987 ext-value: what encodeURIComponent leaves and the grammar does not. */
function encodeName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function answerJson(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

function answerError(response: ServerResponse, error: unknown): void {
  const data = toErrorData(error);
  const { status } = data.details ?? {};
  // What is left of the body is not read.
  response.setHeader('Connection', 'close');
  answerJson(response, typeof status === 'number' ? status : (STATUS_OF[data.code] ?? 400), { error: data });
}
