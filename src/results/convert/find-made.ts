/** Finds what an earlier try of the same conversion made, whole and unchanged: a killed daemon may have saved it and not said so. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ConversionTarget } from '#protocol/assets.ts';
import type { Conversion } from '#protocol/provenance.ts';
import { bytesOfFile } from '../bytes.ts';
import { safeName } from '../names.ts';
import { recognise } from '../recognise.ts';
import { type Note, readSidecar, sidecarPath } from '../sidecar.ts';
import type { SavedArtifact } from '../save.ts';
import type { SequenceView } from '#protocol/views.ts';

export interface MadeBefore {
  readonly note: Note;
  readonly facts: Omit<SavedArtifact, 'source' | 'notEmbedded'> & { readonly sequence?: SequenceView };
}

interface Wanted {
  readonly directory: string;
  readonly baseName: string;
  readonly to: ConversionTarget;
  readonly conversion: Conversion;
  /** Where the database says that it is. */
  readonly path?: string;
}

/** Names that are looked at: a file of somebody else may have taken the first. */
const TRIED_NAMES = 8;
const EXTENSIONS: Readonly<Partial<Record<ConversionTarget, string>>> = { tiff: 'tif' };
const FRAMES = ['png', 'jpg', 'tiff', 'tif', 'webp', 'exr'];
const DIGITS = [4, 5, 6];

export async function findMade({ directory, baseName, to, conversion, path }: Wanted): Promise<MadeBefore | undefined> {
  const base = safeName(baseName);
  const wanted = JSON.stringify(conversion);
  const candidates = Array.from({ length: TRIED_NAMES }, (_, n) => join(directory, n === 0 ? base : `${base}-${String(n + 1)}`));
  const paths = candidates.flatMap((candidate) => (to === 'frames' ? framesIn(candidate, base) : [`${candidate}.${EXTENSIONS[to] ?? to}`]));
  for (const file of path === undefined ? paths : [path, ...paths]) {
    const note = await readSidecar(sidecarPath(file));
    if (note === undefined || JSON.stringify(note.provenance.conversion) !== wanted) continue;
    const facts = await unchanged(file, note);
    if (facts !== undefined) return { note, facts };
  }
  return undefined;
}

// --- helpers ---

function framesIn(folder: string, base: string): readonly string[] {
  return DIGITS.flatMap((digits) => FRAMES.map((extension) => join(folder, `${base}_${'1'.padStart(digits, '0')}.${extension}`)));
}

async function unchanged(path: string, note: Note): Promise<MadeBefore['facts'] | undefined> {
  const { sequence } = note;
  const all = sequence === undefined ? note.sha256 : await hashOfAll(path, sequence);
  const first = await hashOf(path);
  if (first !== note.sha256 || all !== (sequence?.sha256 ?? note.sha256)) return undefined;
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const { fault, extension: _, ...facts } = await recognise(bytesOfFile(handle, size));
    if (fault !== undefined) return undefined;
    return { path, bytes: size, sha256: first, ...facts, ...(sequence === undefined ? {} : { sequence }) };
  } finally {
    await handle.close();
  }
}

async function hashOfAll(first: string, { count, first: from, pattern }: SequenceView): Promise<string | undefined> {
  const all = createHash('sha256');
  for (const name of namesOf({ count, first: from, pattern })) {
    const one = await hashOf(join(dirname(first), name));
    if (one === undefined) return undefined;
    all.update(one);
  }
  return all.digest('hex');
}

/** Names of all files of a sequence, in order. */
export function namesOf({ count, first, pattern }: Pick<SequenceView, 'count' | 'first' | 'pattern'>): readonly string[] {
  const [digits = ''] = /#+(?=[^#]*$)/.exec(pattern) ?? [];
  const at = pattern.lastIndexOf(digits);
  return Array.from(
    { length: count },
    (_, n) => `${pattern.slice(0, at)}${String(first + n).padStart(digits.length, '0')}${pattern.slice(at + digits.length)}`,
  );
}

async function hashOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
