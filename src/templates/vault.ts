/**
 * Keeps what a library read: compiled templates within a bound of memory, sources until they are written to the cache file,
 * and the way back from a hash to a compiled template. A cache file that fails or lies costs time, never a wrong template.
 */
import { compileTemplate } from './compile.ts';
import { createCompiledCache, unitsOf } from './compiled-cache.ts';
import type { CompiledTemplate } from './compiled.ts';
import { type LoadResult, namesOf, sourceOf } from './load.ts';
import type { Place } from './place.ts';
import type { TemplateSource } from './types.ts';

/** A file that may be deleted at any time. None of its functions throws. */
export interface VaultFile {
  /** What was last written for each path, by this build of Callsheet. */
  places(): readonly { readonly path: string; readonly record: string }[];
  /** Answers with the hashes whose sources are in the file now. */
  write(changes: VaultChanges): ReadonlySet<string>;
  source(hash: string): string | undefined;
}

export interface VaultChanges {
  /** `hash` is the source that the place needs. */
  readonly places: readonly { readonly path: string; readonly record: string; readonly hash: string | null }[];
  readonly gone: readonly string[];
  readonly sources: readonly { readonly hash: string; readonly content: string }[];
}

export interface VaultUse {
  /** Templates that are compiled now, and about how many bytes of memory they take. */
  readonly compiled: number;
  readonly compiledBytes: number;
  readonly compiledLimit: number;
  /** Sources that only memory holds, and their length in bytes as UTF-16. */
  readonly sources: number;
  readonly sourceBytes: number;
}

export interface Vault {
  places(): ReadonlyMap<string, Place>;
  /** A template that was just compiled from the files at `path`; when it is not `wanted` soon, its source alone is kept. */
  readonly keep: (template: CompiledTemplate, path: string, wanted: boolean) => void;
  /** Forgets what only the places before needed, and has the cache file follow soon. */
  replace(before: ReadonlyMap<string, Place>, after: ReadonlyMap<string, Place>): void;
  compiled(place: Place): CompiledTemplate | undefined;
  flush(): void;
  use(): VaultUse;
}

export interface VaultOptions {
  readonly cache?: VaultFile;
  readonly compiledLimit?: number;
  /** One reading of the disk, as the library does it. */
  readonly load: (path: string) => LoadResult;
}

/** Places that are written in one go; between two the event loop gets its turn. */
const PLACES_AT_ONCE = 64;

export function createVault({ cache, compiledLimit, load }: VaultOptions): Vault {
  const compiled = createCompiledCache(compiledLimit);
  /** Hash → source that is in no file of ours. */
  const sources = new Map<string, TemplateSource>();
  const inFile = new Set<string>();
  let current: ReadonlyMap<string, Place> = new Map();
  const dirty = new Set<string>();
  const gone = new Set<string>();
  let soon: NodeJS.Immediate | undefined;

  function write(most: number): void {
    if (cache === undefined) return;
    const paths = [...dirty].slice(0, most);
    const changed = paths.flatMap((path) => current.get(path) ?? []);
    const hashes = new Set(changed.flatMap(({ hash }) => (hash !== undefined && sources.has(hash) ? [hash] : [])));
    const stored = cache.write({
      places: changed.map((place) => ({ path: place.origin.path, record: JSON.stringify(place), hash: place.hash ?? null })),
      gone: [...gone],
      sources: [...hashes].map((hash) => ({ hash, content: JSON.stringify(sources.get(hash)) })),
    });
    for (const path of paths) dirty.delete(path);
    gone.clear();
    for (const hash of stored) {
      inFile.add(hash);
      sources.delete(hash);
    }
  }

  function writeSoon(): void {
    soon ??= setImmediate(() => {
      soon = undefined;
      write(PLACES_AT_ONCE);
      if (dirty.size > 0) writeSoon();
    });
  }

  function sourceOfHash(hash: string): TemplateSource | undefined {
    const known = sources.get(hash);
    if (known !== undefined) return known;
    const content = inFile.has(hash) ? cache?.source(hash) : undefined;
    return content === undefined ? undefined : readSource(content, hash);
  }

  /** The file does not have it any more: if the template's own files still hold it, they will do. */
  function readBack({ origin }: Place, hash: string): CompiledTemplate | undefined {
    const { template, stamp } = load(origin.path);
    if (stamp === undefined || template?.hash !== hash) return undefined;
    inFile.delete(hash);
    sources.set(hash, template.source);
    return template;
  }

  return {
    places() {
      const found = new Map<string, Place>();
      for (const { path, record } of cache?.places() ?? []) {
        const place = JSON.parse(record) as Place;
        if (place.hash !== undefined) inFile.add(place.hash);
        found.set(path, place);
      }
      return found;
    },
    keep(template, path, wanted) {
      if (wanted) compiled.put(keyOf(path, template.hash), template);
      if (!inFile.has(template.hash)) sources.set(template.hash, template.source);
    },
    replace(before, after) {
      current = after;
      const live = new Set<string>();
      for (const [path, place] of after) {
        if (place.hash !== undefined) live.add(place.hash);
        if (before.get(path) !== place) dirty.add(path);
      }
      for (const [path, { hash }] of before) {
        const now = after.get(path);
        if (now === undefined) gone.add(path);
        if (hash !== undefined && now?.hash !== hash) compiled.drop(keyOf(path, hash));
      }
      for (const hash of sources.keys()) if (!live.has(hash)) sources.delete(hash);
      for (const hash of inFile) if (!live.has(hash)) inFile.delete(hash);
      if (cache === undefined) dirty.clear();
      if (cache === undefined) gone.clear();
      else if (dirty.size > 0 || gone.size > 0) writeSoon();
    },
    compiled(place) {
      const { hash, origin } = place;
      if (hash === undefined) return undefined;
      const key = keyOf(origin.path, hash);
      const known = compiled.get(key);
      if (known !== undefined) return known;
      const source = sourceOfHash(hash);
      const template = source === undefined ? readBack(place, hash) : compileTemplate(source, { file: namesOf(origin) }).value;
      if (template !== undefined) compiled.put(key, template);
      return template;
    },
    flush() {
      clearImmediate(soon);
      soon = undefined;
      if (dirty.size > 0 || gone.size > 0) write(Number.POSITIVE_INFINITY);
    },
    use: () => ({
      compiled: compiled.count,
      compiledBytes: compiled.bytes,
      compiledLimit: compiled.limit,
      sources: sources.size,
      sourceBytes: [...sources.values()].reduce((sum, source) => sum + 2 * unitsOf(source), 0),
    }),
  };
}

/** The same content at two places is compiled twice: its problems name its files. */
function keyOf(path: string, hash: string): string {
  return `${path}\n${hash}`;
}

/** Undefined when the content is not what its hash says. */
function readSource(content: string, hash: string): TemplateSource | undefined {
  try {
    const { manifest, workflows, originals } = JSON.parse(content) as TemplateSource;
    const source = sourceOf(manifest, workflows, originals);
    return source.hash === hash ? source : undefined;
  } catch {
    return undefined;
  }
}
