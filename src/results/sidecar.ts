/** The note beside a result: what the file is and where it came from, enough to rebuild the database's rows (docs/store.md 6). */
import { mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isCode, writeWhole } from './durable.ts';

/** One folder for all notes, so that a folder of results shows results only. */
export const NOTES_FOLDER = '.callsheet';

export interface SidecarFacts {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly mediaType: string;
  readonly width?: number;
  readonly height?: number;
  readonly duration?: number;
}

/** Where the note of a result lies. */
export function sidecarPath(file: string): string {
  return join(dirname(file), NOTES_FOLDER, `${basename(file)}.json`);
}

/** The same facts written again leave the note as it is; `isNew` says that the result has just been made and has no note yet. */
export async function writeSidecar(
  { path, ...facts }: SidecarFacts,
  provenance: Readonly<Record<string, unknown>>,
  isNew = false,
): Promise<void> {
  const target = sidecarPath(path);
  const content = `${JSON.stringify({ format: 1, file: basename(path), ...facts, provenance }, null, 2)}\n`;
  if (!isNew && (await currentContent(target)) === content) return;
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
