/** Finds what an earlier try of the same conversion made, whole and unchanged: a killed daemon may have saved it and not said so. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConversionTarget } from '#protocol/assets.ts';
import type { Conversion } from '#protocol/provenance.ts';
import { bytesOfFile } from '../bytes.ts';
import { safeName } from '../names.ts';
import { recognise } from '../recognise.ts';
import { hashOfFile, hashOfSequence } from '../sequences.ts';
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
const FRAMES = ['png', 'jpg', 'tiff', 'tif', 'webp', 'exr'];
const DIGITS = [4, 5, 6];

export async function findMade({ directory, baseName, to, conversion, path }: Wanted): Promise<MadeBefore | undefined> {
  const base = safeName(baseName);
  const wanted = JSON.stringify(conversion);
  const candidates = Array.from({ length: TRIED_NAMES }, (_, n) => join(directory, n === 0 ? base : `${base}-${String(n + 1)}`));
  const paths = candidates.flatMap((candidate) => (to === 'frames' ? framesIn(candidate, base) : [`${candidate}.${to}`]));
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
  const all = sequence === undefined ? note.sha256 : await hashOfSequence(path, sequence);
  const first = await hashOfFile(path);
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
