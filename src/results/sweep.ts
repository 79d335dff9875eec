/** Removes what a killed daemon left half-written. Run at start, before anything is written. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isPartialName } from './durable.ts';

/** Output directory, run, sidecars; a few more for people who sort their results into folders. */
const DEEPEST = 6;
const MOST_FOLDERS = 100_000;

/** Deletes only files and folders whose names we alone make, follows no links, and skips what it may not read. Returns the paths removed. */
export async function sweepPartials(root: string): Promise<readonly string[]> {
  const removed: string[] = [];
  const waiting = [{ folder: root, depth: 0 }];
  for (let count = 0; count < MOST_FOLDERS; count += 1) {
    const next = waiting.pop();
    if (next === undefined) break;
    for (const entry of await entriesOf(next.folder)) {
      const path = join(next.folder, entry.name);
      const isOurs = isPartialName(entry.name) && (entry.isFile() || entry.isDirectory());
      if (isOurs) {
        // A folder of that name is where a conversion was worked on.
        await rm(path, { force: true, recursive: entry.isDirectory() });
        removed.push(path);
      } else if (entry.isDirectory() && next.depth < DEEPEST) waiting.push({ folder: path, depth: next.depth + 1 });
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
