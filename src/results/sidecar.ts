/** The note beside a result: what the file is and where it came from, enough to rebuild the database's rows (docs/results.md). */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256Hex } from '#graph/hash.ts';
import { SIDECAR_FORMAT, type Sidecar } from '#protocol/methods/sidecar.ts';
import type { Provenance } from '#protocol/provenance.ts';
import type { SequenceView } from '#protocol/views.ts';
import { isCode, writeWhole } from './durable.ts';

/** One folder for all notes, so that a folder of results shows results only. */
export const NOTES_FOLDER = '.callsheet';

/** A note is some kilobytes; one that is larger is none of ours. */
const LARGEST_NOTE = 16 * 1024 * 1024;

export interface SidecarFacts extends Omit<Sidecar, 'format' | 'file' | 'provenance'> {
  readonly path: string;
}

/** As it was read: of any format, with what all of them have. */
export interface Note {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly sequence?: SequenceView;
  readonly provenance: Pick<Provenance, 'artifactId' | 'runId' | 'template'> & Partial<Provenance>;
}

/** Where the note of a result lies. */
export function sidecarPath(file: string): string {
  return join(dirname(file), NOTES_FOLDER, `${basename(file)}.json`);
}

/** Where the graph lies that made results in this directory, by its hash: once for all of them. */
export function graphPath(directory: string, hash: string, what: 'graph' | 'workflow' = 'graph'): string {
  return join(directory, NOTES_FOLDER, `${what}-${hash}.json`);
}

/** The same facts written again leave the note as it is; `isNew` says that the result has just been made and has no note yet. */
export async function writeSidecar({ path, ...facts }: SidecarFacts, provenance: Provenance, isNew = false): Promise<void> {
  const target = sidecarPath(path);
  const note: Sidecar = { format: SIDECAR_FORMAT, file: basename(path), ...facts, provenance };
  const content = `${JSON.stringify(note, null, 2)}\n`;
  if (!isNew && (await currentContent(target)) === content) return;
  await writeInto(target, content);
}

/** Keeps a graph, or a workflow in UI format, beside the notes that name it. One that lies there already is left alone. */
export async function writeGraph(directory: string, hash: string, text: string, what?: 'graph' | 'workflow'): Promise<void> {
  const target = graphPath(directory, hash, what);
  try {
    if ((await stat(target)).size === Buffer.byteLength(text)) return;
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  await writeInto(target, text);
}

/** Undefined where it is not there, or has another content than its name says. */
export async function readGraph(directory: string, hash: string, what?: 'graph' | 'workflow'): Promise<string | undefined> {
  try {
    const text = await readFile(graphPath(directory, hash, what), 'utf8');
    return sha256Hex(text) === hash ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for what is no note of ours, or cannot be read. */
export async function readSidecar(path: string): Promise<Note | undefined> {
  try {
    if ((await stat(path)).size > LARGEST_NOTE) return undefined;
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isNote(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// --- helpers ---

async function writeInto(target: string, content: string): Promise<void> {
  try {
    await writeWhole(target, content);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
    await mkdir(dirname(target), { recursive: true });
    await writeWhole(target, content);
  }
}

async function currentContent(target: string): Promise<string | null> {
  try {
    return await readFile(target, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function isNote(value: unknown): value is Note {
  if (!isRecord(value) || !isRecord(value['provenance'])) return false;
  const { file, bytes, sha256, provenance } = value;
  const { artifactId, runId, template } = provenance;
  return [file, sha256, artifactId, runId, template].every((text) => typeof text === 'string') && typeof bytes === 'number';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
