/** Schemas of the node classes that templates use, kept in the data directory when a template first fits a backend: a user's folder is not written to unasked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClassSchema } from '#graph/class-schema.ts';
import { parseJson } from '#graph/json.ts';
import { isRecord } from '#graph/node-classes.ts';
import type { JsonValue } from '#graph/types.ts';
import { printJson, toValue } from '#graph/values.ts';
import { isCode, writeWhole } from '#results/durable.ts';
import { type ClassLock, type LockedClass, readLockIn, type ReadLock, readSchema } from '#templates/class-lock.ts';
import type { TemplateOrigin } from '#templates/types.ts';
import type { Logger } from './log.ts';

/** Written this long after the first change, in milliseconds. */
const SOON_MS = 1000;
/** Of earlier contents of templates; the oldest go first. */
const MOST_TEMPLATES = 5000;

export interface Locked {
  readonly hash: string | undefined;
  readonly origin: TemplateOrigin;
}

export interface ClassLocks {
  /** What lies beside the template, else what was kept of this very content. */
  of(template: Locked): ReadLock | undefined;
  has(hash: string): boolean;
  /** Kept for this content from now on. */
  keep(hash: string, lock: ClassLock): void;
  /** Writes down what was put off. */
  close(): Promise<void>;
}

export function lockStore(dataDir: string): string {
  return join(dataDir, 'class-locks.json');
}

/** A file that cannot be read counts as empty: locks are made again, and only drift before that moment is not seen. */
export function openClassLocks(file: string, log: Pick<Logger, 'warn'>): ClassLocks {
  const kept = readStore(file, log);
  let soon: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function write(): void {
    soon = undefined;
    for (const hash of kept.keys()) {
      if (kept.size <= MOST_TEMPLATES) break;
      kept.delete(hash);
    }
    const text = storeText(kept);
    writing = writing
      .then(() => writeWhole(file, text))
      .catch((error: unknown) => log.warn({ err: error, file }, 'the schemas of node classes could not be kept'));
  }

  return {
    of: ({ hash, origin }) => lockFor(kept, hash, origin),
    has: (hash) => kept.has(hash),
    keep(hash, lock) {
      if (lock.classes.size === 0) return;
      kept.set(hash, lock);
      soon ??= setTimeout(write, SOON_MS).unref();
    },
    async close() {
      if (soon !== undefined) {
        clearTimeout(soon);
        write();
      }
      await writing;
    },
  };
}

// --- helpers ---

function lockFor(kept: ReadonlyMap<string, ClassLock>, hash: string | undefined, { kind, path }: TemplateOrigin): ReadLock | undefined {
  const beside = kind === 'folder' ? readLockIn(path) : undefined;
  if (beside !== undefined) return beside;
  const lock = hash === undefined ? undefined : kept.get(hash);
  return lock === undefined ? undefined : { lock, problems: [] };
}

/** Every schema once, by its hash: templates share most of their classes. */
function storeText(kept: ReadonlyMap<string, ClassLock>): string {
  const schemas = new Map<string, ClassSchema>();
  const templates = [...kept].map(([template, { comfyui, classes }]) => {
    for (const { hash, schema } of classes.values()) schemas.set(hash, schema);
    const names = Object.fromEntries([...classes].map(([name, { hash }]) => [name, hash]));
    return `${JSON.stringify(template)}:${JSON.stringify({ ...(comfyui === undefined ? {} : { comfyui }), classes: names })}`;
  });
  const all = [...schemas].map(([hash, schema]) => `${JSON.stringify(hash)}:${printJson(schema as unknown as JsonValue)}`);
  return `{"format":1,\n"schemas":{\n${all.join(',\n')}},\n"templates":{\n${templates.join(',\n')}}}\n`;
}

function readStore(file: string, log: Pick<Logger, 'warn'>): Map<string, ClassLock> {
  const kept = new Map<string, ClassLock>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!isCode(error, 'ENOENT')) log.warn({ err: error, file }, 'the schemas of node classes cannot be read');
    return kept;
  }
  const { root } = parseJson(text);
  const value = root === undefined ? undefined : toValue(root);
  if (!isRecord(value) || value['format'] !== 1 || !isRecord(value['schemas']) || !isRecord(value['templates'])) {
    log.warn({ file }, 'the schemas of node classes are damaged; they are collected anew');
    return kept;
  }
  const schemas = new Map(Object.entries(value['schemas']).map(([hash, schema]) => [hash, readSchema(schema)]));
  for (const [template, entry] of Object.entries(value['templates'])) {
    if (!isRecord(entry) || !isRecord(entry['classes'])) continue;
    const classes = new Map<string, LockedClass>();
    for (const [name, hash] of Object.entries(entry['classes'])) {
      const schema = typeof hash === 'string' ? schemas.get(hash) : undefined;
      if (typeof hash === 'string' && schema !== undefined) classes.set(name, { hash, schema });
    }
    const { comfyui } = entry;
    kept.set(template, typeof comfyui === 'string' ? { comfyui, classes } : { classes });
  }
  return kept;
}
