/** Runs that a database does not know and whose files lie in the output directory: what was lost when a damaged one was replaced (docs/store.md 5). */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '#results/durable.ts';
import { readSidecar, sidecarPath } from '#results/sidecar.ts';

export interface LostRun {
  readonly runId: string;
  readonly template: string;
  /** Absolute paths of its finished files, by name. */
  readonly files: readonly string[];
}

/** Reads the notes beside the results; what is no note of ours is passed over. */
export async function findLostRuns(outputDir: string, isKnown: (runId: string) => boolean): Promise<readonly LostRun[]> {
  const lost: LostRun[] = [];
  for (const folder of await foldersOf(outputDir)) {
    const found = await Promise.all((await notesOf(join(outputDir, folder))).map(readNote));
    const notes = found.filter((note) => note !== undefined);
    for (const [runId, mine] of Map.groupBy(notes, (note) => note.runId)) {
      if (isKnown(runId)) continue;
      lost.push({ runId, template: mine[0]?.template ?? '', files: mine.map(({ file }) => file).toSorted() });
    }
  }
  return lost;
}

// --- helpers ---

async function foldersOf(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(nothingThere);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Results of a run, each with the path of its note. */
async function notesOf(directory: string): Promise<readonly { readonly file: string; readonly note: string }[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(nothingThere);
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => join(directory, name));
  return files.map((file) => ({ file, note: sidecarPath(file) }));
}

async function readNote({ file, note }: { readonly file: string; readonly note: string }) {
  const read = await readSidecar(note);
  return read === undefined ? undefined : { file, runId: read.provenance.runId, template: read.provenance.template };
}

function nothingThere(error: unknown): [] {
  if (isCode(error, 'ENOENT', 'EACCES')) return [];
  throw error;
}
