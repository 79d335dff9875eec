/**
 * The files of a run on disk: which of them are ours and as we wrote them, and taking exactly those away. What somebody changed, moved or put
 * there stays, and so does everything outside the output directory.
 */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, realpath, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import type { ArtifactView } from '#protocol/views.ts';
import { isCode } from '#results/durable.ts';
import { hashOfFile, namesOf } from '#results/sequences.ts';
import { NOTES_FOLDER, readSidecar, sidecarPath } from '#results/sidecar.ts';

/** A file as we wrote it. */
export interface OwnFile {
  readonly path: string;
  /** Of a file in a sequence nobody wrote it down: its note tells of all together. */
  readonly sha256: string | null;
}

/** What has to be taken away of a run; stands in the database until it is. */
export interface RunFiles {
  readonly runId: string;
  readonly files: readonly OwnFile[];
  /** Sequences by their first file: all or none of their files go. */
  readonly sequences: readonly { readonly path: string; readonly names: readonly string[]; readonly sha256: string }[];
}

export interface Taken {
  /** Ours, unchanged; on a dry run they would go. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly left: readonly { readonly path: string; readonly why: string }[];
  /** Of the disk. Names of one file, which results with the same content are, cost it once. */
  readonly bytes: number;
}

/** By the rows of the run. What an earlier try left behind and no row tells of any more is found by its note. */
export async function filesOfRun(runId: string, artifacts: readonly ArtifactView[], directory: string): Promise<RunFiles> {
  const files = new Map<string, OwnFile>();
  const sequences = new Map<string, RunFiles['sequences'][number]>();
  for (const { path, sha256, sequence } of artifacts) {
    if (sequence === undefined) files.set(path, { path, sha256 });
    else sequences.set(path, { path, names: namesOf(sequence), sha256: sequence.sha256 });
  }
  for (const folder of [directory, ...(await foldersIn(directory))]) {
    for (const name of await namesIn(join(folder, NOTES_FOLDER))) {
      const note = await readSidecar(join(folder, NOTES_FOLDER, name));
      if (note === undefined || note.provenance.runId !== runId || basename(note.file) !== note.file) continue;
      const path = join(folder, note.file);
      if (note.sequence === undefined && !files.has(path)) files.set(path, { path, sha256: note.sha256 });
      if (note.sequence !== undefined && !sequences.has(path)) {
        sequences.set(path, { path, names: namesOf(note.sequence), sha256: note.sequence.sha256 });
      }
    }
  }
  return { runId, files: [...files.values()], sequences: [...sequences.values()] };
}

/** Looks at each file again right before it goes. `isDry` takes nothing away. */
export async function takeAway(
  { runId, files, sequences }: RunFiles,
  outputDir: string,
  directory: string,
  isDry: boolean,
): Promise<Taken> {
  const taken: { path: string; bytes: number }[] = [];
  const left: { path: string; why: string }[] = [];
  const home = await realpath(outputDir).catch(() => outputDir);
  const seen = new Set<string>();
  let total = 0;
  const take: Take = async (path, { bytes, id }) => {
    if (!isDry) await rm(path, { force: true });
    taken.push({ path, bytes });
    if (!seen.has(id)) total += bytes;
    seen.add(id);
  };
  const folders = new Set<string>([directory]);
  for (const { path, sha256 } of files) {
    const found = await look(path, home, sha256);
    if ('why' in found) left.push({ path, why: found.why });
    else {
      await take(path, found);
      await takeNote(path, take);
      folders.add(dirname(path));
    }
  }
  for (const { path, names, sha256 } of sequences) {
    const all = await lookAtAll(path, names, sha256, home);
    if ('why' in all) left.push({ path, why: all.why });
    else {
      for (const [index, name] of names.entries()) await take(join(dirname(path), name), all.found[index] ?? NOTHING);
      await takeNote(path, take);
      folders.add(dirname(path));
    }
  }
  if (left.every(({ why }) => why === GONE)) await takeGraphs(directory, home, take);
  await takeRecord(runId, directory, home, take);
  if (!isDry) for (const folder of [...folders].toSorted((a, b) => b.length - a.length)) await takeFolder(folder, home);
  return { files: taken, left: left.filter(({ why }) => why !== GONE), bytes: total };
}

// --- helpers ---

const GONE = 'it is gone';

/** `id` is the same for all names of one file. */
interface Size {
  readonly bytes: number;
  readonly id: string;
}

const NOTHING: Size = { bytes: 0, id: '' };

type Found = Size | { readonly why: string };

async function look(path: string, home: string, sha256: string | null): Promise<Found> {
  try {
    const folder = await realpath(dirname(path));
    if (folder !== home && !folder.startsWith(`${home}${sep}`)) return { why: 'it lies outside the output directory' };
    const stats = await lstat(path);
    if (!stats.isFile()) return { why: 'it is no file any more' };
    if (sha256 !== null && (await hashOfFile(path)) !== sha256) return { why: 'it was changed since' };
    return sizeOf(stats);
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return { why: GONE };
    return { why: `it can not be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

async function lookAtAll(
  path: string,
  names: readonly string[],
  sha256: string,
  home: string,
): Promise<{ readonly found: readonly Size[] } | { readonly why: string }> {
  const all = createHash('sha256');
  const sizes: Size[] = [];
  for (const name of names) {
    const file = join(dirname(path), name);
    const found = await look(file, home, null);
    if ('why' in found) return found;
    all.update((await hashOfFile(file)) ?? '');
    sizes.push(found);
  }
  return all.digest('hex') === sha256 ? { found: sizes } : { why: 'one of its pictures was changed since' };
}

type Take = (path: string, size: Size) => Promise<void>;

function sizeOf({ size, dev, ino }: Pick<Stats, 'size' | 'dev' | 'ino'>): Size {
  return { bytes: size, id: `${String(dev)}:${String(ino)}` };
}

async function takeNote(path: string, take: Take): Promise<void> {
  const note = sidecarPath(path);
  const stats = await lstat(note).catch(() => undefined);
  if (stats?.isFile() === true) await take(note, sizeOf(stats));
}

/** Their names are their hashes: one that does not fit is somebody else's. */
async function takeGraphs(directory: string, home: string, take: Take): Promise<void> {
  for (const name of await namesIn(join(directory, NOTES_FOLDER))) {
    const [, hash] = /^(?:graph|workflow)-([0-9a-f]{64})\.json$/.exec(name) ?? [];
    const path = join(directory, NOTES_FOLDER, name);
    const found = hash === undefined ? undefined : await look(path, home, hash);
    if (found !== undefined && 'bytes' in found) await take(path, found);
  }
}

/** Of it a lost database makes its run again, and this one must not come back. */
async function takeRecord(runId: string, directory: string, home: string, take: Take): Promise<void> {
  const path = join(directory, NOTES_FOLDER, 'run.json');
  const found = await look(path, home, null);
  if ('why' in found) return;
  try {
    const record: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof record !== 'object' || record === null || !('run' in record)) return;
    if ((record.run as { readonly runId?: unknown } | null)?.runId === runId) await take(path, found);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}

/** Folders that are empty now, ours by their place. */
async function takeFolder(folder: string, home: string): Promise<void> {
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined || !real.startsWith(`${home}${sep}`)) return;
  for (const one of [join(folder, NOTES_FOLDER), folder]) {
    await rmdir(one).catch((error: unknown) => {
      if (!isCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EPERM', 'EBUSY', 'EACCES')) throw error;
    });
  }
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && entry.name !== NOTES_FOLDER).map(({ name }) => join(directory, name));
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
