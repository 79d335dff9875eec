/** Receives an upload: streamed to disk under a cap, hashed on the way, whole or not there at all. */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { isPartialName, partialPath, syncDirectory, writeWhole } from '#results/durable.ts';
import { SNIFF_BYTES, sniff } from '#results/sniff.ts';
import type { Store } from '#store/types.ts';
import type { Contention } from './contention.ts';

export interface UploadOptions {
  /** `<dataDir>/assets` */
  readonly assetDir: string;
  readonly store: Pick<Store, 'asset' | 'putAsset'>;
  readonly contention: Pick<Contention, 'write'>;
  /** Bytes of one upload. */
  readonly cap: number;
  /** Milliseconds without a byte. */
  readonly stall: number;
}

/**
 * Body: the bytes, as `application/octet-stream` (a type that no HTML form can send). Header `Callsheet-Name`: the file's name, percent-encoded.
 * Answers the asset id, which is the sha256 of the content: sending the same file again is no second upload.
 * Throws INVALID_REQUEST, FILE_TOO_LARGE, STORAGE_FAILED, STORAGE_BUSY, CONNECTION_LOST.
 */
export async function receiveUpload(request: IncomingMessage, { assetDir, store, contention, cap, stall }: UploadOptions): Promise<string> {
  if (request.headers['content-type'] !== 'application/octet-stream') {
    throw new CallsheetError('INVALID_REQUEST', 'Uploads are sent as application/octet-stream.', {
      hint: 'Set Content-Type: application/octet-stream and put the bytes into the body.',
      details: { status: 415 },
    });
  }
  const name = nameOf(request.headers['callsheet-name']);
  if (Number(request.headers['content-length'] ?? 0) > cap) throw tooLarge(cap);
  await mkdir(assetDir, { recursive: true, mode: 0o700 });
  const temporary = partialPath(assetDir);
  try {
    const { sha256, bytes, head } = await writeBody(request, temporary, cap, stall);
    if (bytes === 0)
      throw new CallsheetError('INVALID_REQUEST', 'The upload is empty.', { hint: 'Put the bytes of the file into the body.' });
    const { mediaType, extension } = sniff(head);
    const path = join(assetDir, `${sha256}.${extension}`);
    const known = store.asset(sha256);
    if (known !== undefined && (await sizeOf(known.path)) === bytes) return sha256;
    await rename(temporary, path);
    await syncDirectory(assetDir);
    await contention.write(() => store.putAsset({ assetId: sha256, path, name, mediaType, bytes, sha256, createdAt: Date.now() }));
    return sha256;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Keeps bytes that the daemon made as an asset, whole and under their sha256, which is the answer. Throws STORAGE_FAILED, STORAGE_BUSY. */
export async function keepAsset(
  bytes: Uint8Array,
  name: string,
  { assetDir, store, contention }: Pick<UploadOptions, 'assetDir' | 'store' | 'contention'>,
): Promise<string> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const known = store.asset(sha256);
  if (known !== undefined && (await sizeOf(known.path)) === bytes.length) return sha256;
  const { mediaType, extension } = sniff(bytes.subarray(0, SNIFF_BYTES));
  const path = join(assetDir, `${sha256}.${extension}`);
  try {
    await mkdir(assetDir, { recursive: true, mode: 0o700 });
    await writeWhole(path, bytes);
  } catch (error) {
    throw new CallsheetError('STORAGE_FAILED', 'The bundle could not be written.', {
      hint: 'Check the free space of the data directory.',
      cause: error,
    });
  }
  const row = { assetId: sha256, path, name, mediaType, bytes: bytes.length, sha256, createdAt: Date.now() };
  await contention.write(() => store.putAsset(row));
  return sha256;
}

/** Removes what a killed daemon left half received. Call before the door opens. */
export async function sweepUploads(assetDir: string): Promise<void> {
  const names = await readdir(assetDir).catch(() => []);
  await Promise.all(names.filter((name) => isPartialName(name)).map((name) => rm(join(assetDir, name), { force: true })));
}

// --- helpers ---

async function writeBody(
  request: IncomingMessage,
  temporary: string,
  cap: number,
  stall: number,
): Promise<{ readonly sha256: string; readonly bytes: number; readonly head: Uint8Array }> {
  const hash = createHash('sha256');
  const head = Buffer.alloc(SNIFF_BYTES);
  let bytes = 0;
  const handle = await open(temporary, 'wx', 0o600);
  const watchdog = setTimeout(() => request.destroy(new Error('the upload stood still')), stall);
  try {
    // Leaving early must not destroy the request: the refusal still has to be sent on its socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      watchdog.refresh();
      if (bytes + chunk.length > cap) throw tooLarge(cap);
      if (bytes < SNIFF_BYTES) chunk.copy(head, bytes);
      hash.update(chunk);
      bytes += chunk.length;
      await handle.writeFile(chunk);
    }
    await handle.sync();
  } catch (error) {
    if (error instanceof CallsheetError) throw error;
    if (request.destroyed && !request.complete) {
      throw new CallsheetError('CONNECTION_LOST', 'The upload ended before it was complete.', { cause: error });
    }
    throw new CallsheetError('STORAGE_FAILED', 'The upload could not be written.', {
      hint: 'Check the free space of the data directory.',
      cause: error,
    });
  } finally {
    clearTimeout(watchdog);
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes, head: head.subarray(0, Math.min(bytes, SNIFF_BYTES)) };
}

function nameOf(header: string | string[] | undefined): string {
  if (header === undefined) return 'upload';
  const bad = new CallsheetError('INVALID_REQUEST', 'The header Callsheet-Name must be a percent-encoded file name of at most 255 bytes.', {
    hint: 'Send encodeURIComponent(name).',
  });
  let name: string;
  try {
    name = decodeURIComponent(String(header));
  } catch {
    throw bad;
  }
  // Only the name: what stands before a slash of either kind is somebody's directory.
  const last = name.split(/[\\/]/).at(-1) ?? '';
  if (last === '' || last === '.' || last === '..' || Buffer.byteLength(last) > 255 || /\p{Cc}/u.test(last)) throw bad;
  return last;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (stats) => (stats.isFile() ? stats.size : undefined),
    () => undefined,
  );
}

function tooLarge(cap: number): CallsheetError {
  return new CallsheetError('FILE_TOO_LARGE', `An upload may have at most ${Math.floor(cap / 1024 ** 2)} MiB.`);
}
