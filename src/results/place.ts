/**
 * Gives a finished file its name: never over one that is there, and never the same content twice on the disk where one run has it already.
 * A second name for the same content is a hard link, so that each result has a file of its own and a sequence has no gaps.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import type { Provenance } from '#protocol/provenance.ts';
import { isCode, publishNew } from './durable.ts';
import { readSidecar, sidecarPath } from './sidecar.ts';

/** Names tried before giving up: `base.png`, `base-2.png` … */
const MOST_NAMES = 10_000;

/** Another result of the same run with the same content. */
export interface Twin {
  readonly artifactId: string;
  readonly path: string;
}

export interface Placing {
  /** Stays where it is when the content is on the disk already. */
  readonly temporary: string;
  readonly directory: string;
  readonly base: string;
  readonly extension: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Which result it is: one that stands there for another keeps its name to itself. */
  readonly provenance?: Provenance;
  readonly twin?: Twin;
}

export interface Placed {
  readonly path: string;
  /** False when the same result stood there already: an earlier try had saved it. */
  readonly isNew: boolean;
  /** True when `temporary` has become the file. */
  readonly isMoved: boolean;
  /** Whose bytes it shares. */
  readonly sameAs?: string;
}

/** Throws STORAGE_FAILED, and what the disk throws. */
export async function placeFile(placing: Placing): Promise<Placed> {
  const { temporary, directory, base, extension, provenance } = placing;
  let twin = placing.twin !== undefined && (await holds(placing.twin.path, placing)) ? placing.twin : undefined;
  for (let number = 1; number <= MOST_NAMES; number += 1) {
    const path = join(directory, `${base}${number === 1 ? '' : `-${number}`}.${extension}`);
    if (twin !== undefined) {
      const made = await linkNew(twin.path, path);
      if (made === 'linked') return { path, isNew: true, isMoved: false, sameAs: twin.artifactId };
      // This disk has no links: a copy it is.
      if (made === 'impossible') twin = undefined;
    }
    if (twin === undefined && (await publishNew(temporary, path))) return { path, isNew: true, isMoved: true };
    if (!(await holds(path, placing)) || !(await isFree(path, provenance))) continue;
    const shared = twin !== undefined && (await isOneFile(path, twin.path));
    return { path, isNew: false, isMoved: false, ...(shared ? { sameAs: twin?.artifactId ?? '' } : {}) };
  }
  throw new CallsheetError('STORAGE_FAILED', `${directory} holds ${MOST_NAMES} files named ${base}.`, { hint: 'Move some of them away.' });
}

async function linkNew(from: string, to: string): Promise<'linked' | 'taken' | 'impossible'> {
  try {
    await link(from, to);
    return 'linked';
  } catch (error) {
    if (isCode(error, 'EEXIST')) return 'taken';
    if (isCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK', 'EINVAL', 'EXDEV', 'EACCES')) return 'impossible';
    throw error;
  }
}

/** Whether this very content lies there. */
export async function holds(path: string, { bytes, sha256 }: Pick<Placing, 'bytes' | 'sha256'>): Promise<boolean> {
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size !== bytes) return false;
    const hash = createHash('sha256');
    for await (const piece of createReadStream(path)) hash.update(piece);
    return hash.digest('hex') === sha256;
  } catch (error) {
    if (isCode(error, 'ENOENT', 'EACCES', 'EPERM')) return false;
    throw error;
  }
}

/** Nobody's (a try that was killed had not written its note yet), or this very result's, of this attempt or of one before it. */
async function isFree(path: string, provenance: Provenance | undefined): Promise<boolean> {
  if (provenance === undefined) return true;
  const note = await readSidecar(sidecarPath(path));
  return note === undefined || placeOf(note.provenance) === placeOf(provenance);
}

function placeOf({ runId, step, item, node, index, conversion }: Partial<Provenance>): string {
  return JSON.stringify([runId, step, item, node, index, conversion?.to]);
}

async function isOneFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([stat(a), stat(b)]);
  return first.ino === second.ino && first.dev === second.dev;
}
