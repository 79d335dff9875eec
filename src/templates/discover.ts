/** Finds what may be templates below a directory: folders with template.json, and JSON files that are not inside one. Bounded. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_FILE } from './compile.ts';

const MAX_DEPTH = 4;
const MAX_FOUND = 5000;

/** Paths of folders and of workflow files, in a stable order. Hidden folders, node_modules and links are not entered. */
export async function discover(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  await search(directory, 0, found);
  return found;
}

async function search(folder: string, depth: number, found: string[]): Promise<void> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch {
    // A folder that vanished or may not be read holds no templates.
    return;
  }
  if (entries.some((entry) => entry.name === MANIFEST_FILE)) {
    if (found.length < MAX_FOUND) found.push(folder);
    return;
  }
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.length >= MAX_FOUND) return;
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    if (entry.isDirectory() && depth < MAX_DEPTH) await search(join(folder, entry.name), depth + 1, found);
    else if (entry.isFile() && entry.name.toLowerCase().endsWith('.json')) found.push(join(folder, entry.name));
  }
}
