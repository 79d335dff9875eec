/** Looks at a file of a run right before it goes: whether it lies where it may be taken, and is what was written. */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { isCode } from '#results/durable.ts';
import { hashOfFile } from '#results/sequences.ts';

export const GONE = 'it is gone';

/** `id` is the same for all names of one file. */
export interface Size {
  readonly bytes: number;
  readonly id: string;
}

export type Found = Size | { readonly why: string };

export async function look(path: string, home: string, sha256: string | null): Promise<Found> {
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

/** `hashes`: of each of its pictures. */
export async function lookAtAll(
  path: string,
  names: readonly string[],
  sha256: string,
  home: string,
): Promise<{ readonly found: readonly Size[]; readonly hashes: readonly string[] } | { readonly why: string }> {
  const all = createHash('sha256');
  const sizes: Size[] = [];
  const hashes: string[] = [];
  let gone = 0;
  for (const name of names) {
    const file = join(dirname(path), name);
    const found = await look(file, home, null);
    if ('bytes' in found) {
      const hash = (await hashOfFile(file)) ?? '';
      all.update(hash);
      sizes.push(found);
      hashes.push(hash);
    } else if (found.why === GONE) gone += 1;
    else return found;
  }
  if (gone > 0) return { why: gone === names.length ? GONE : 'one of its pictures is gone' };
  return all.digest('hex') === sha256 ? { found: sizes, hashes } : { why: 'one of its pictures was changed since' };
}

export function sizeOf({ size, dev, ino }: Pick<Stats, 'size' | 'dev' | 'ino'>): Size {
  return { bytes: size, id: `${String(dev)}:${String(ino)}` };
}
