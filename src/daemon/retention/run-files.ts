/**
 * The files of a run on disk: which of them are ours and as we wrote them, and taking exactly those away. What somebody changed, moved or put
 * there stays, and so does everything outside the output directory.
 */
import { realpath, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import type { ArtifactView } from '#protocol/views.ts';
import { isCode } from '#results/durable.ts';
import { namesOf } from '#results/sequences.ts';
import { NOTES_FOLDER, readSidecar } from '#results/sidecar.ts';
import { GONE, look, lookAtAll, type Size } from './look.ts';
import { type CopyPlace, takeTemplateCopy } from './template-copy.ts';
import { foldersIn, graphsNamed, isNoteOf, namesIn, type Take, takeGraphs, takeNote, takeRecord } from './run-notes.ts';

/** A file as we wrote it. */
export interface OwnFile {
  readonly path: string;
  /** Null where nobody wrote it down. */
  readonly sha256: string | null;
}

/** What has to be taken away of a run; stands in the database until it is. */
export interface RunFiles {
  readonly runId: string;
  readonly files: readonly OwnFile[];
  readonly sequences: readonly OwnSequence[];
  /** Hash of the template that it pinned. Removals of older releases do not say. */
  readonly template?: string;
}

/** By its first file. All or none of its pictures go. */
export interface OwnSequence {
  readonly path: string;
  readonly names: readonly string[];
  /** Of all together, as its note tells. */
  readonly sha256: string;
  /** Of each picture, once they were found whole and were to go: from then on each that is still there goes by itself. */
  readonly hashes?: readonly string[];
}

export interface Taken {
  /** Ours, unchanged; on a dry run they would go. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly left: readonly { readonly path: string; readonly why: string }[];
  /** Of the disk. Names of one file, which results with the same content are, cost it once. */
  readonly bytes: number;
}

/** By the rows of the run. What an earlier try left behind and no row tells of any more is found by its note. */
export async function filesOfRun(
  runId: string,
  artifacts: readonly ArtifactView[],
  directory: string,
  template?: string,
): Promise<RunFiles> {
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
  return { runId, files: [...files.values()], sequences: [...sequences.values()], ...(template === undefined ? {} : { template }) };
}

/**
 * With the hash of each picture of the sequences that are whole now. Stands in the database before the first picture goes: of what a killed daemon
 * has left of a sequence, nobody could tell otherwise that it is as it was written.
 */
export async function withPictures(files: RunFiles, outputDir: string): Promise<RunFiles> {
  const home = await realpath(outputDir).catch(() => outputDir);
  const sequences: OwnSequence[] = [];
  for (const sequence of files.sequences) {
    const all = await lookAtAll(sequence.path, sequence.names, sequence.sha256, home);
    sequences.push('hashes' in all ? { ...sequence, hashes: all.hashes } : sequence);
  }
  return { ...files, sequences };
}

/** Looks at each file again right before it goes. `isDry` takes nothing away. */
export async function takeAway(
  { runId, files, sequences, template }: RunFiles,
  place: CopyPlace,
  directory: string,
  isDry: boolean,
): Promise<Taken> {
  const { outputDir } = place;
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
    if ('bytes' in found) await take(path, found);
    else if (found.why !== GONE) {
      left.push({ path, why: found.why });
      continue;
    }
    // Of a file that somebody deleted the note is still ours.
    if ('bytes' in found || (await isNoteOf(path, runId, home))) await takeNote(path, take);
    folders.add(dirname(path));
  }
  for (const sequence of sequences) {
    const { isTaken, kept } = await takeSequence(sequence, home, take);
    left.push(...kept);
    if (kept.length > 0) continue;
    if (isTaken || (await isNoteOf(sequence.path, runId, home))) await takeNote(sequence.path, take);
    folders.add(dirname(sequence.path));
  }
  await takeGraphs(directory, home, await graphsNamed(directory, new Set(taken.map(({ path }) => path))), take);
  await takeRecord(runId, directory, home, take);
  if (template !== undefined) {
    await takeTemplateCopy(place, template, home, take);
    folders.add(join(outputDir, NOTES_FOLDER));
  }
  if (!isDry) for (const folder of [...folders].toSorted((a, b) => b.length - a.length)) await takeFolder(folder, home);
  return { files: taken, left, bytes: total };
}

// --- helpers ---

const NOTHING: Size = { bytes: 0, id: '' };

interface TakenSequence {
  readonly isTaken: boolean;
  readonly kept: Taken['left'];
}

async function takeSequence({ path, names, sha256, hashes }: OwnSequence, home: string, take: Take): Promise<TakenSequence> {
  const pictures = names.map((name) => join(dirname(path), name));
  if (hashes === undefined) {
    const all = await lookAtAll(path, names, sha256, home);
    if ('why' in all) return { isTaken: false, kept: all.why === GONE ? [] : [{ path, why: all.why }] };
    for (const [index, picture] of pictures.entries()) await take(picture, all.found[index] ?? NOTHING);
    return { isTaken: true, kept: [] };
  }
  const kept: { path: string; why: string }[] = [];
  let isTaken = false;
  for (const [index, picture] of pictures.entries()) {
    const found = await look(picture, home, hashes[index] ?? '');
    if ('bytes' in found) await take(picture, found);
    else if (found.why !== GONE) kept.push({ path: picture, why: found.why });
    isTaken ||= 'bytes' in found;
  }
  return { isTaken, kept };
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
