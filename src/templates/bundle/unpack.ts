/** Unpacks a bundle into an empty directory, or says everything that is wrong with it. A zip is the sender's word: nothing in it is believed. */
import { createHash } from 'node:crypto';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { openPromise } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import type { Problem } from '#protocol/problem.ts';
import { foldName, refuseEntryName } from './entry-names.ts';
import { BUNDLE_LIMITS, extensionOf } from './limits.ts';
import type { BundleLimits } from './limits.ts';

export interface UnpackedFile {
  /** With / between folders. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Unpacked {
  readonly files: readonly UnpackedFile[];
  readonly problems: readonly Problem[];
}

const ENCRYPTED = 0x1 | 0x40 | 0x2000;
const LOCAL_HEADER = 30;
const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;
const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
/** One problem each, but not five hundred of them. */
const MOST_PROBLEMS = 20;

/** `shown` is how problems call the archive. `into` must exist and be empty; with problems its content is worthless. Throws what the disk throws. */
export async function unpackBundle(path: string, shown: string, into: string, limits: BundleLimits = BUNDLE_LIMITS): Promise<Unpacked> {
  const problems: Problem[] = [];
  const refuse = (code: string, message: string, hint: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push({ code, severity: 'error', message, hint, file: shown });
  };
  if ((await stat(path)).size > limits.archive) {
    refuse('BUNDLE_TOO_LARGE', `The bundle has more than ${mib(limits.archive)}.`, 'Leave pictures and films out of it.');
    return { files: [], problems };
  }
  let zip: ZipFile | undefined;
  try {
    zip = await openPromise(path, { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true });
    const entries = await listEntries(zip, limits, refuse);
    if (problems.length > 0) return { files: [], problems };
    return { files: await unpackAll(zip, entries, into, limits, refuse), problems };
  } catch (error) {
    if (isDiskError(error)) throw error;
    const words = wordsOf(error);
    // The reader's own sentences about names, which end in the name.
    if (/^(?:absolute path|invalid relative path|invalid characters in fileName)/.test(words)) {
      refuse('BUNDLE_ENTRY_NAME', `An entry has a name that is refused: ${words}.`, NAME_HINT);
    } else refuse('BUNDLE_DAMAGED', `The bundle cannot be read: ${words}.`, 'Get it again; it may have been cut short on the way.');
    return { files: [], problems };
  } finally {
    zip?.close();
  }
}

// --- helpers ---

type Refuse = (code: string, message: string, hint: string) => void;

const NAME_HINT = 'Such a bundle was not made by Callsheet. Ask its author for one that `callsheet templates export` wrote.';

async function listEntries(zip: ZipFile, limits: BundleLimits, refuse: Refuse): Promise<readonly Entry[]> {
  if (zip.entryCount > limits.entries) {
    refuse(
      'BUNDLE_TOO_MANY',
      `The bundle has ${zip.entryCount} entries; at most ${limits.entries} are taken.`,
      'Remove what the template does not need.',
    );
    return [];
  }
  const entries: Entry[] = [];
  const names = new Map<string, string>();
  let total = 0;
  for await (const entry of zip.eachEntry()) {
    if (entries.length >= limits.entries) break;
    // A folder of its own has nothing to say: those that are needed are made.
    if (isFolder(entry)) continue;
    entries.push(entry);
    total += entry.uncompressedSize;
    judge(entry, names, limits, refuse);
  }
  if (total > limits.total) {
    refuse('BUNDLE_TOO_LARGE', `Unpacked the bundle has more than ${mib(limits.total)}.`, 'Leave pictures and films out of it.');
  }
  judgePlaces(entries, refuse);
  return entries;
}

function judge(entry: Entry, names: Map<string, string>, limits: BundleLimits, refuse: Refuse): void {
  const { fileName: name, uncompressedSize, compressedSize } = entry;
  const called = JSON.stringify(name.slice(0, 200));
  const refused = refuseEntryName(name);
  if (refused !== undefined) refuse('BUNDLE_ENTRY_NAME', `The entry ${called} ${refused}.`, NAME_HINT);
  const twin = names.get(foldName(name));
  if (twin !== undefined) {
    const other = twin === name ? 'is there twice' : `and ${JSON.stringify(twin.slice(0, 200))} are one file on some systems`;
    refuse('BUNDLE_ENTRY_TWICE', `The entry ${called} ${other}.`, 'Rename or remove one of the two.');
  }
  names.set(foldName(name), name);
  const kind = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  if (kind !== 0 && kind !== REGULAR) {
    refuse(
      'BUNDLE_ENTRY_KIND',
      `The entry ${called} is ${kind === SYMLINK ? 'a symbolic link' : 'no ordinary file'}.`,
      'Put the file itself into the bundle.',
    );
  }
  if ((entry.generalPurposeBitFlag & ENCRYPTED) !== 0) {
    refuse('BUNDLE_ENTRY_KIND', `The entry ${called} is encrypted.`, 'Make the bundle without a password.');
  }
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    refuse(
      'BUNDLE_ENTRY_KIND',
      `The entry ${called} is compressed in a way (${entry.compressionMethod}) that is not read.`,
      'Use plain deflate.',
    );
  }
  if (uncompressedSize > limits.entry) {
    refuse('BUNDLE_TOO_LARGE', `The entry ${called} has more than ${mib(limits.entry)}.`, 'Make the file smaller, or leave it out.');
  } else if (uncompressedSize > limits.ratioFrom && uncompressedSize > compressedSize * limits.ratio) {
    refuse(
      'BUNDLE_TOO_LARGE',
      `The entry ${called} unpacks to more than ${limits.ratio} times its size.`,
      'Such files are made to fill disks.',
    );
  }
}

/** Entries that share bytes make a small file unpack to an enormous one. */
function judgePlaces(entries: readonly Entry[], refuse: Refuse): void {
  const places = entries
    .map((entry) => ({
      entry,
      start: entry.relativeOffsetOfLocalHeader,
      end: entry.relativeOffsetOfLocalHeader + LOCAL_HEADER + entry.compressedSize,
    }))
    .toSorted((a, b) => a.start - b.start);
  for (const [at, { entry, start }] of places.entries()) {
    const before = places[at - 1];
    if (before === undefined || before.end <= start) continue;
    const [one, other] = [before.entry.fileName, entry.fileName].map((name) => JSON.stringify(name.slice(0, 200)));
    refuse('BUNDLE_DAMAGED', `The entries ${one} and ${other} lie over each other.`, NAME_HINT);
    return;
  }
}

async function unpackAll(
  zip: ZipFile,
  entries: readonly Entry[],
  into: string,
  limits: BundleLimits,
  refuse: Refuse,
): Promise<readonly UnpackedFile[]> {
  const files: UnpackedFile[] = [];
  for (const entry of entries) {
    try {
      files.push(await unpackOne(zip, entry, into, limits));
    } catch (error) {
      if (isDiskError(error)) throw error;
      const called = JSON.stringify(entry.fileName.slice(0, 200));
      const code = error instanceof EntryFailure ? error.code : 'BUNDLE_DAMAGED';
      refuse(
        code,
        `The entry ${called} ${error instanceof EntryFailure ? error.message : `cannot be read: ${wordsOf(error)}`}.`,
        NAME_HINT,
      );
      return [];
    }
  }
  return files;
}

class EntryFailure extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

async function unpackOne(zip: ZipFile, entry: Entry, into: string, limits: BundleLimits): Promise<UnpackedFile> {
  const target = join(into, ...entry.fileName.split('/'));
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const hash = createHash('sha256');
  let bytes = 0;
  let head = Buffer.alloc(0);
  let checksum = 0;
  const handle = await open(target, 'wx', 0o600);
  try {
    // Nothing may come between the stream and its reader: an error that nobody listens to ends the process.
    const stream = await zip.openReadStreamPromise(entry, {});
    await pipeline(stream, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        // The header's word is not enough: what really comes is counted.
        if (bytes > Math.min(limits.entry, entry.uncompressedSize)) throw new EntryFailure('BUNDLE_DAMAGED', 'holds more than it says');
        if (head.length < 4) head = Buffer.concat([head, chunk.subarray(0, 4)]);
        hash.update(chunk);
        checksum = crc32(chunk, checksum);
        await handle.writeFile(chunk);
      }
    });
    if (bytes !== entry.uncompressedSize) throw new EntryFailure('BUNDLE_DAMAGED', 'holds less than it says');
    if (checksum !== entry.crc32) throw new EntryFailure('BUNDLE_DAMAGED', 'is not what was packed: its checksum is another');
    if (isArchive(head, entry.fileName)) throw new EntryFailure('BUNDLE_ENTRY_KIND', 'is an archive itself');
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { name: entry.fileName, bytes, sha256: hash.digest('hex') };
}

function isFolder(entry: Entry): boolean {
  const kind = (entry.externalFileAttributes >>> 16) & FILE_TYPE;
  return (
    entry.fileName.endsWith('/') &&
    entry.uncompressedSize === 0 &&
    (kind === 0 || kind === DIRECTORY) &&
    refuseEntryName(`${entry.fileName}a.txt`) === undefined
  );
}

/** Zip (with entries, empty, in parts), gzip, 7z, rar, xz, bzip2, zstd by their first bytes, in hexadecimal. */
const ARCHIVES = ['504b0304', '504b0506', '504b0708', '1f8b', '377abcaf', '52617221', 'fd377a58', '425a68', '28b52ffd'];

function isArchive(head: Buffer, name: string): boolean {
  const start = head.toString('hex', 0, 4);
  return ARCHIVES.some((magic) => start.startsWith(magic)) || ['zip', 'callsheet'].includes(extensionOf(name));
}

function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function wordsOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return words.replaceAll(/\p{Cc}/gu, ' ').slice(0, 200);
}

function mib(bytes: number): string {
  return bytes >= MIB ? `${Math.floor(bytes / MIB)} MiB` : `${bytes} bytes`;
}

const MIB = 1024 * 1024;
