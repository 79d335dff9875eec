/** Removes what a killed daemon left half-written. Run at start, before anything is written. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isPartialName } from './durable.ts';

/** Output directory, run, sidecars; a few more for people who sort their results into folders. */
const DEEPEST = 6;
const MOST_FOLDERS = 100_000;

/** Deletes only files whose names we alone make, follows no links, and skips what it may not read. Returns the paths removed. */
export async function sweepPartials(root: string): Promise<readonly string[]> {
  const removed: string[] = [];
  const waiting = [{ folder: root, depth: 0 }];
  for (let count = 0; count < MOST_FOLDERS; count += 1) {
    const next = waiting.pop();
    if (next === undefined) break;
    for (const entry of await entriesOf(next.folder)) {
      const path = join(next.folder, entry.name);
      if (entry.isDirectory() && next.depth < DEEPEST) waiting.push({ folder: path, depth: next.depth + 1 });
      if (!entry.isFile() || !isPartialName(entry.name)) continue;
      await rm(path, { force: true });
      removed.push(path);
    }
  }
  return removed;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
