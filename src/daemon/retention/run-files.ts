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
import { foldersIn, graphsNamed, isNoteOf, namesIn, type Take, takeGraphs, takeNote, takeRecord } from './run-notes.ts';

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
    if ('bytes' in found) await take(path, found);
    else if (found.why !== GONE) {
      left.push({ path, why: found.why });
      continue;
    }
    // Of a file that somebody deleted the note is still ours.
    if ('bytes' in found || (await isNoteOf(path, runId, home))) await takeNote(path, take);
    folders.add(dirname(path));
  }
  for (const { path, names, sha256 } of sequences) {
    const all = await lookAtAll(path, names, sha256, home);
    if ('found' in all) {
      for (const [index, name] of names.entries()) await take(join(dirname(path), name), all.found[index] ?? NOTHING);
    } else if (all.why !== GONE) {
      left.push({ path, why: all.why });
      continue;
    }
    if ('found' in all || (await isNoteOf(path, runId, home))) await takeNote(path, take);
    folders.add(dirname(path));
  }
  await takeGraphs(directory, home, await graphsNamed(directory, new Set(taken.map(({ path }) => path))), take);
  await takeRecord(runId, directory, home, take);
  if (!isDry) for (const folder of [...folders].toSorted((a, b) => b.length - a.length)) await takeFolder(folder, home);
  return { files: taken, left, bytes: total };
}

// --- helpers ---

const NOTHING: Size = { bytes: 0, id: '' };

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
