/** lock.json of a bundle: which files belong to it with their hashes, and what it needs. Written at export, held against the files at import. */
import type { Problem } from '#protocol/problem.ts';
import type { ClassLock } from '../class-lock.ts';
import type { CompiledTemplate } from '../compiled.ts';
import { contentsOf } from '../contents.ts';
import type { UnpackedFile } from './unpack.ts';

export const LOCK_FILE = 'lock.json';
export const PROVENANCE_FILE = 'provenance.json';

/** Versions of what made it, such as `callsheet` and backends' own. */
export type Versions = Readonly<Record<string, string>>;

/** `classLock` is what template.lock.json of the bundle says of its node classes. */
export function lockText(
  template: CompiledTemplate,
  files: readonly UnpackedFile[],
  versions: Versions,
  classLock: ClassLock | undefined,
): string {
  const { nodeClasses, models } = contentsOf(template);
  const { id, version, hash } = template;
  const byName = files.filter((file) => file.name !== LOCK_FILE).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const lock = {
    format: 1,
    template: { id, version, hash },
    files: Object.fromEntries(byName.map(({ name, bytes, sha256 }) => [name, { bytes, sha256 }])),
    nodeClasses: nodeClasses.map((name) => ({ class: name, ...packOf(template, name), ...schemaOf(classLock, name) })),
    models,
    versions: Object.fromEntries(Object.entries(versions).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
  return `${JSON.stringify(lock, null, 2)}\n`;
}

function schemaOf(classLock: ClassLock | undefined, name: string): { readonly schema?: string } {
  const locked = classLock?.classes.get(name);
  return locked === undefined ? {} : { schema: locked.hash };
}

function packOf({ manifest }: CompiledTemplate, name: string): { readonly pack?: string } {
  const nodes = manifest.requires?.['nodes'];
  if (typeof nodes !== 'object' || nodes === null || !Object.hasOwn(nodes, name)) return {};
  const entry: unknown = (nodes as Readonly<Record<string, unknown>>)[name];
  return typeof entry === 'object' && entry !== null && 'pack' in entry && typeof entry.pack === 'string' ? { pack: entry.pack } : {};
}

/** Every file that is missing, changed or not listed, and node classes of another schema. Without a lock there is nothing to hold them against. */
export function checkLock(lock: string | undefined, files: readonly UnpackedFile[], shown: string, classLock?: ClassLock): Problem[] {
  if (lock === undefined) {
    const message = 'The bundle has no lock.json, so nothing says whether its files are the ones its author packed.';
    return [
      {
        code: 'BUNDLE_LOCK_MISSING',
        severity: 'warning',
        message,
        hint: 'Look at what the template uses before you approve it.',
        file: shown,
      },
    ];
  }
  const listed = listedIn(lock);
  const mismatch = (message: string): Problem => ({
    code: 'BUNDLE_LOCK_MISMATCH',
    severity: 'error',
    message,
    hint: 'The bundle was changed after it was made, or damaged. Get it again from its author.',
    file: shown,
  });
  if (listed === undefined) return [mismatch('lock.json is not one that Callsheet writes.')];
  const there = new Map(files.filter((file) => file.name !== LOCK_FILE).map((file) => [file.name, file.sha256]));
  const problems: Problem[] = [];
  for (const [name, sha256] of listed) {
    const found = there.get(name);
    if (found === undefined) problems.push(mismatch(`lock.json lists ${JSON.stringify(name.slice(0, 200))}, which is not in the bundle.`));
    else if (found !== sha256) problems.push(mismatch(`${JSON.stringify(name)} is not the file that lock.json lists.`));
    there.delete(name);
  }
  for (const name of there.keys()) problems.push(mismatch(`${JSON.stringify(name)} is in the bundle but not in lock.json.`));
  for (const [name, schema] of schemasIn(lock)) {
    const hash = classLock?.classes.get(name)?.hash;
    if (hash !== schema)
      problems.push(mismatch(`The schema of node class ${JSON.stringify(name.slice(0, 200))} is not the one that lock.json lists.`));
  }
  return problems.slice(0, 20);
}

/** Node class → hash of its schema, where the lock says one. It is JSON: `listedIn` has read it. */
function schemasIn(lock: string): ReadonlyMap<string, string> {
  const value = JSON.parse(lock) as { readonly nodeClasses?: unknown };
  const list: readonly unknown[] = Array.isArray(value.nodeClasses) ? value.nodeClasses : [];
  const found = new Map<string, string>();
  for (const entry of list) {
    if (typeof entry !== 'object' || entry === null || !('class' in entry) || !('schema' in entry)) continue;
    if (typeof entry.class === 'string' && typeof entry.schema === 'string') found.set(entry.class, entry.schema);
  }
  return found;
}

function listedIn(lock: string): ReadonlyMap<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(lock);
    if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== 1 || !('files' in value)) return undefined;
    if (typeof value.files !== 'object' || value.files === null) return undefined;
    const listed = new Map<string, string>();
    for (const [name, entry] of Object.entries(value.files) as [string, unknown][]) {
      if (typeof entry !== 'object' || entry === null || !('sha256' in entry) || typeof entry.sha256 !== 'string') return undefined;
      listed.set(name, entry.sha256);
    }
    return listed;
  } catch {
    return undefined;
  }
}
