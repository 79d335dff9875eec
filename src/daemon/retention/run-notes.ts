/** What lies beside the files of a run and is ours: their notes, the graphs that these name, and its record. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { NOTES_FOLDER, readSidecar, sidecarPath } from '#results/sidecar.ts';
import { look, type Size, sizeOf } from './look.ts';

export type Take = (path: string, size: Size) => Promise<void>;

const RECORD = 'run.json';
const GRAPH_NAME = /^(?:graph|workflow)-([0-9a-f]{64})\.json$/;

export async function takeNote(path: string, take: Take): Promise<void> {
  const note = sidecarPath(path);
  const stats = await lstat(note).catch(() => undefined);
  if (stats?.isFile() === true) await take(note, sizeOf(stats));
}

/** Where the file is gone nothing else tells that its note was not put there by somebody, or lies elsewhere by now. */
export async function isNoteOf(path: string, runId: string, home: string): Promise<boolean> {
  const note = sidecarPath(path);
  if ('why' in (await look(note, home, null))) return false;
  const said = await readSidecar(note);
  return said?.provenance.runId === runId && said.file === basename(path);
}

/** Hashes of the graphs that notes name which stay. Undefined where one cannot be read: nobody knows which it needs. */
export async function graphsNamed(directory: string, taken: ReadonlySet<string>): Promise<ReadonlySet<string> | undefined> {
  const named = new Set<string>();
  for (const folder of [directory, ...(await foldersIn(directory))]) {
    for (const name of await namesIn(join(folder, NOTES_FOLDER))) {
      const path = join(folder, NOTES_FOLDER, name);
      if (taken.has(path) || !name.endsWith('.json') || name === RECORD || GRAPH_NAME.test(name)) continue;
      const note = await readSidecar(path);
      if (note === undefined) return undefined;
      for (const hash of [note.provenance.graph, note.provenance.workflow]) if (hash !== undefined) named.add(hash);
    }
  }
  return named;
}

/** Their names are their hashes: one that does not fit is somebody else's. */
export async function takeGraphs(directory: string, home: string, named: ReadonlySet<string> | undefined, take: Take): Promise<void> {
  if (named === undefined) return;
  for (const name of await namesIn(join(directory, NOTES_FOLDER))) {
    const [, hash] = GRAPH_NAME.exec(name) ?? [];
    const path = join(directory, NOTES_FOLDER, name);
    const found = hash === undefined || named.has(hash) ? undefined : await look(path, home, hash);
    if (found !== undefined && 'bytes' in found) await take(path, found);
  }
}

/** Of it a lost database makes its run again, and this one must not come back. */
export async function takeRecord(runId: string, directory: string, home: string, take: Take): Promise<void> {
  const path = join(directory, NOTES_FOLDER, RECORD);
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

export async function foldersIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() && entry.name !== NOTES_FOLDER).map(({ name }) => join(directory, name));
}

export async function namesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
