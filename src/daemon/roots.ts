/** The only way from a client's word to a file: an upload's id, or a path inside an approved root. Nothing outside them is opened. */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants, lstat, open, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { isCode } from '#results/durable.ts';
import { SNIFF_BYTES, sniff } from '#results/sniff.ts';
import type { AssetRow } from '#store/types.ts';
import type { MediaParameterType, MediaValue } from '#templates/types.ts';
import { fits, KIND_NAMES, SIZE_CAPS } from './media-kinds.ts';

export interface RootsOptions {
  /** Absolute directories. */
  readonly roots: readonly string[];
  readonly asset: (assetId: string) => AssetRow | undefined;
  /** Bytes by kind; tests make them small. */
  readonly caps?: Readonly<Record<MediaParameterType, number>>;
}

export interface Roots {
  /**
   * Checks and hashes the file of a media parameter. `extra` are directories that count as roots for this value alone.
   * Throws ASSET_NOT_FOUND, PATH_NOT_ALLOWED, FILE_NOT_FOUND, FILE_TOO_LARGE, MEDIA_INVALID.
   */
  resolveMedia(value: string, kind: MediaParameterType, extra?: readonly string[]): Promise<MediaValue>;
  /** The real path of a file or directory inside a root. Throws PATH_NOT_ALLOWED, FILE_NOT_FOUND. */
  resolvePath(path: string, extra?: readonly string[]): Promise<string>;
}

const CHUNK = 1024 * 1024;

export function createRoots({ roots, asset, caps = SIZE_CAPS }: RootsOptions): Roots {
  async function resolvePath(path: string, extra: readonly string[] = []): Promise<string> {
    const allowed = [...roots, ...extra].map((root) => resolve(root));
    if (path.includes('\0') || !isAbsolute(path)) {
      throw new CallsheetError('PATH_NOT_ALLOWED', 'A file must be given by its absolute path.', {
        hint: 'Write the whole path, from the root of the disk.',
      });
    }
    const real = await Promise.all(allowed.map((root) => realpath(root).catch(() => root)));
    // Two looks: the words first, so that paths elsewhere are not even asked about, then where links lead.
    const wanted = resolve(path);
    if (![...allowed, ...real].some((root) => isInside(root, wanted))) throw notAllowed();
    const found = await realpath(wanted).catch((error: unknown) => {
      if (isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) throw notFound(wanted);
      throw error;
    });
    if (!real.some((root) => isInside(root, found))) throw notAllowed();
    return found;
  }

  async function readMedia(path: string, kind: MediaParameterType, name: string): Promise<MediaValue> {
    const before = await lstat(path).catch(() => undefined);
    if (before?.isFile() !== true) throw notFound(path);
    // NONBLOCK: a FIFO that slipped in between must not hang us.
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
      if (isCode(error, 'EACCES', 'EPERM')) {
        throw new CallsheetError('FILE_NOT_FOUND', `The file ${path} cannot be read.`, { hint: 'Check its rights.', cause: error });
      }
      throw notFound(path);
    });
    try {
      const stats = await handle.stat();
      if (!sameFile(stats, before) || (await realpath(path).catch(() => '')) !== path) throw notFound(path);
      if (stats.size > caps[kind]) throw tooLarge(kind, caps[kind]);
      return { $media: 'media', path, name, ...(await readContent(handle, kind, name, stats.size)) };
    } finally {
      await handle.close();
    }
  }

  return {
    resolvePath,
    async resolveMedia(value, kind, extra = []) {
      if (!value.startsWith('asset:')) {
        const path = await resolvePath(value, extra);
        return readMedia(path, kind, basename(path));
      }
      const row = asset(value.slice('asset:'.length));
      const stats = row === undefined ? undefined : await lstat(row.path).catch(() => undefined);
      if (row === undefined || stats?.isFile() !== true || stats.size !== row.bytes) {
        throw new CallsheetError('ASSET_NOT_FOUND', 'No upload has this id.', {
          hint: 'Send the file again with POST /uploads and use the id it answers.',
        });
      }
      if (!fits(kind, row.mediaType)) throw wrongKind(kind, row.name, row.mediaType);
      if (row.bytes > caps[kind]) throw tooLarge(kind, caps[kind]);
      const { path, name, sha256, bytes, mediaType } = row;
      return { $media: 'media', path, name, sha256, bytes, mediaType };
    },
  };
}

/** With separator: `/a/test` does not hold `/a/testtest` (CVE-2026-35397 of another server). */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

// --- helpers ---

async function readContent(
  handle: FileHandle,
  kind: MediaParameterType,
  name: string,
  size: number,
): Promise<Pick<MediaValue, 'sha256' | 'bytes' | 'mediaType'>> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(size, SNIFF_BYTES)));
  let bytes = 0;
  let mediaType = 'application/octet-stream';
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, bytes);
    if (bytes === 0) {
      ({ mediaType } = sniff(chunk.subarray(0, Math.min(bytesRead, SNIFF_BYTES))));
      if (bytesRead === 0 || !fits(kind, mediaType)) throw wrongKind(kind, name, bytesRead === 0 ? 'an empty file' : mediaType);
    }
    if (bytesRead === 0) break;
    hash.update(chunk.subarray(0, bytesRead));
    bytes += bytesRead;
    if (bytes > size) break;
  }
  if (bytes !== size) {
    throw new CallsheetError('MEDIA_INVALID', `The file ${name} changed while it was read.`, {
      hint: 'Wait until it is written, then start the run again.',
    });
  }
  return { sha256: hash.digest('hex'), bytes, mediaType };
}

function sameFile(a: Stats, b: Stats): boolean {
  return a.isFile() && a.ino === b.ino && a.dev === b.dev;
}

function notAllowed(): CallsheetError {
  return new CallsheetError('PATH_NOT_ALLOWED', 'The path lies outside every approved root.', {
    hint: 'Start the daemon with --root DIR for the directory that holds the file, or upload the file and pass asset:ID.',
  });
}

function notFound(path: string): CallsheetError {
  return new CallsheetError('FILE_NOT_FOUND', `There is no regular file at ${path}.`, {
    hint: 'Check the path; directories, devices and pipes are not taken.',
  });
}

function tooLarge(kind: MediaParameterType, cap: number): CallsheetError {
  return new CallsheetError(
    'FILE_TOO_LARGE',
    `The file is larger than the ${Math.floor(cap / 1024 ** 2)} MiB that a parameter of type ${kind} takes.`,
  );
}

function wrongKind(kind: MediaParameterType, name: string, found: string): CallsheetError {
  return new CallsheetError('MEDIA_INVALID', `${name} is not ${KIND_NAMES[kind]}: its content is ${found}.`, {
    hint: 'The first bytes of the file decide, not its name.',
  });
}
