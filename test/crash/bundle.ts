/**
 * Child processes of tests as one file each: most of what the start of a process costs is the search for several hundred modules. It is the
 * same code in a process of its own; only native packages stay outside. Bundles are kept and made anew when a source file changes.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What Node compiled is kept here as well: it knows each entry by its content. */
export const CACHE = join(root, 'node_modules/.cache/callsheet-tests');
const SOURCES = ['src', 'test/crash', 'test/faults', 'test/store'];
const NATIVE = [/^better-sqlite3/, /^sharp/, /^node:/];
const KEPT_MS = 86_400_000;

const made = new Map<string, Promise<string>>();

/** The path of the bundle of a TypeScript file. */
export function bundled(file: string): Promise<string> {
  const known = made.get(file) ?? make(file);
  made.set(file, known);
  return known;
}

async function make(file: string): Promise<string> {
  const folder = join(CACHE, 'bundles', `${basename(file, '.ts')}-${keyOf(file)}`);
  const entry = join(folder, 'main.mjs');
  if (existsSync(entry)) {
    const now = new Date();
    utimesSync(folder, now, now);
    return entry;
  }
  sweep();
  const staging = `${folder}.${String(process.pid)}`;
  const built = await rolldown({
    input: file,
    platform: 'node',
    external: NATIVE,
    plugins: [{ name: 'own-places', transform: ownPlaces }],
  });
  await built.write({ dir: staging, format: 'esm', entryFileNames: 'main.mjs', chunkFileNames: '[name].mjs' });
  try {
    renameSync(staging, folder);
  } catch {
    // Another process has just made the same.
    rmSync(staging, { recursive: true, force: true });
  }
  return entry;
}

/** A file finds what lies beside it from where it was written. */
function ownPlaces(code: string, id: string): string | null {
  if (!code.includes('import.meta.')) return null;
  return code
    .replaceAll('import.meta.dirname', JSON.stringify(dirname(id)))
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
}

function keyOf(file: string): string {
  const hash = createHash('sha256').update(file);
  for (const folder of SOURCES) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).toSorted()) {
      const { size, mtimeMs } = statSync(join(root, folder, name));
      hash.update(`${folder}/${name}:${String(size)}:${String(mtimeMs)};`);
    }
  }
  return hash
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
    .slice(0, 16);
}

/** Names the code of a bundle, the same wherever the checkout lies. */
export async function buildOf(file: string): Promise<string> {
  const folder = dirname(await bundled(file));
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).toSorted()) hash.update(readFileSync(join(folder, name), 'utf8').replaceAll(root, ''));
  return hash.digest('hex').slice(0, 12);
}

function sweep(): void {
  const folder = join(CACHE, 'bundles');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
  }
}
