/** Finds what may be templates below a directory: folders with template.json, and JSON files that are not inside one. Bounded. */
import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_FILE } from './compile.ts';

const MAX_DEPTH = 4;
const MAX_FOUND = 5000;

/**
 * Paths of folders and of workflow files, in a stable order. Hidden folders, node_modules and links are not entered.
 * Folders that were templates before, `known`, are not listed as long as they still have their manifest.
 */
export function discover(directory: string, known: (folder: string) => boolean = () => false): readonly string[] {
  const found: string[] = [];
  search(directory, 0, { found, known });
  return found;
}

interface Search {
  readonly found: string[];
  readonly known: (folder: string) => boolean;
}

function search(folder: string, depth: number, context: Search): void {
  const { found, known } = context;
  if (known(folder) && existsSync(join(folder, MANIFEST_FILE))) {
    if (found.length < MAX_FOUND) found.push(folder);
    return;
  }
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
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
    if (entry.isDirectory() && depth < MAX_DEPTH) search(join(folder, entry.name), depth + 1, context);
    else if (entry.isFile() && entry.name.toLowerCase().endsWith('.json')) found.push(join(folder, entry.name));
  }
}
