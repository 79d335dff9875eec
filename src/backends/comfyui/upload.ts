/** Uploads input files under names made of their content, streamed, each at most once (ComfyUI#13356). */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { CallsheetError } from '#protocol/errors.ts';
import type { InputFile } from '../contract.ts';
import type { Http } from './http.ts';
import { isUnknownRoute } from './http.ts';
import { httpError, readObject, text } from './replies.ts';

export interface Uploader {
  /** Throws UPLOAD_FAILED for the file's own troubles, and what the connection throws. */
  upload(file: InputFile, signal?: AbortSignal): Promise<string>;
  /** The server may have lost its input folder. */
  forget(): void;
}

export function createUploader(http: Http, timeoutMs: number): Uploader {
  const sent = new Map<string, Promise<string>>();
  let settled = false;

  const send = async (file: InputFile, name: string, signal: AbortSignal | undefined): Promise<string> => {
    const { size } = await stat(file.path).catch((error: unknown) => {
      throw new CallsheetError('UPLOAD_FAILED', `The input file ${file.path} cannot be read.`, {
        hint: 'See that it still exists.',
        retryable: false,
        cause: error,
      });
    });
    const boundary = `callsheet-${randomUUID()}`;
    const field = (key: string, value: string): string =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`;
    const mediaType = /^[\w.+-]+\/[\w.+-]+$/.test(file.mediaType) ? file.mediaType : 'application/octet-stream';
    const head = Buffer.from(
      `${field('type', 'input')}--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="${name}"\r\nContent-Type: ${mediaType}\r\n\r\n`,
    );
    const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
    const reply = await http.send({
      method: 'POST',
      path: '/upload/image',
      body: { stream: Readable.from(parts(head, file, tail)), bytes: head.length + sizeOf(file, size) + tail.length },
      contentType: `multipart/form-data; boundary=${boundary}`,
      timeoutMs,
      signal,
    });
    if (isUnknownRoute(reply)) throw httpError(http.address, 'the upload', reply);
    if (reply.status !== 200) {
      const why = httpError(http.address, `the upload of ${file.name}`, reply);
      throw new CallsheetError('UPLOAD_FAILED', why.message, {
        ...(why.data.hint === undefined ? {} : { hint: why.data.hint }),
        retryable: why.data.retryable,
        ...(why.data.details === undefined ? {} : { details: why.data.details }),
      });
    }
    const answer = readObject(http.address, 'the upload', reply);
    const stored = text(answer['name']);
    if (stored === undefined || stored === '') {
      throw new CallsheetError('UPLOAD_FAILED', `The backend took ${file.name} but did not say under which name.`, {
        hint: 'Update ComfyUI.',
      });
    }
    // Other bytes under our name make the server choose another: only its own word counts.
    const folder = text(answer['subfolder']) ?? '';
    return folder === '' ? stored : `${folder}/${stored}`;
  };

  const sendFirst = async (file: InputFile, name: string, signal: AbortSignal | undefined): Promise<string> => {
    // A stream cannot be sent again: the form of the routes behind a proxy is found out before the first one.
    if (!settled) await http.send({ method: 'GET', path: '/prompt', timeoutMs, signal });
    settled = true;
    return send(file, name, signal);
  };

  return {
    async upload(file, signal) {
      const name = uploadName(file);
      for (;;) {
        const known = sent.get(name);
        const sending = known ?? sendFirst(file, name, signal);
        if (known === undefined) sent.set(name, sending);
        try {
          return await sending;
        } catch (error) {
          if (sent.get(name) === sending) sent.delete(name);
          // Somebody else began this upload and gave it up; we have not.
          const theirs = known !== undefined && error instanceof CallsheetError && error.code === 'CANCELLED';
          if (!theirs || signal?.aborted === true) throw error;
        }
      }
    },
    forget() {
      sent.clear();
    },
  };
}

/** Equal bytes give equal names, so that nobody's queued job sees its input change. */
export function uploadName(file: Pick<InputFile, 'sha256' | 'name'>): string {
  const extension = /\.([A-Za-z0-9]{1,8})$/.exec(file.name)?.[1]?.toLowerCase();
  return `callsheet-${file.sha256.toLowerCase()}${extension === undefined ? '' : `.${extension}`}`;
}

function sizeOf({ stretches }: InputFile, size: number): number {
  return stretches === undefined ? size : stretches.reduce((sum, { start, end }) => sum + end - start, 0);
}

async function* parts(head: Buffer, { path, stretches }: InputFile, tail: Buffer): AsyncGenerator<Buffer> {
  yield head;
  // Node's own ends are inclusive.
  const pieces = stretches?.map(({ start, end }) => ({ start, end: end - 1 })) ?? [{}];
  for (const piece of pieces) for await (const chunk of createReadStream(path, piece) as AsyncIterable<Buffer>) yield chunk;
  yield tail;
}
