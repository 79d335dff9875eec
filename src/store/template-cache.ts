/**
 * What was read from the template directories, kept between starts: a small SQLite file of its own that may be deleted at any time.
 * Nothing here is a promise to anyone, so no flush waits for the disk and every failure means "not known".
 */
import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { openDisposable } from './disposable.ts';

/** Of all sources together, in bytes; those beyond stay in memory. */
const SOURCES_LIMIT = 512 * 1024 * 1024;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS places (path TEXT PRIMARY KEY, record TEXT NOT NULL, hash TEXT, sum TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS places_hash ON places (hash);
  CREATE TABLE IF NOT EXISTS sources (hash TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT;
`;

export interface TemplateCacheOptions {
  readonly file: string;
  /** Names the code that made the records: those of another build are forgotten. */
  readonly build: string;
  /** Told of what failed; the work goes on without. */
  readonly onFailure: (error: unknown) => void;
  readonly limit?: number;
}

export interface TemplateCache {
  places(): readonly { readonly path: string; readonly record: string }[];
  /** All or nothing. Answers with the hashes of the sources that are in the file now. */
  write(changes: {
    readonly places: readonly { readonly path: string; readonly record: string; readonly hash: string | null }[];
    readonly gone: readonly string[];
    readonly sources: readonly { readonly hash: string; readonly content: string }[];
  }): ReadonlySet<string>;
  source(hash: string): string | undefined;
  readonly close: () => void;
}

/** Never throws: see disposable.ts. */
export function openTemplateCache({ file, build, onFailure, limit = SOURCES_LIMIT }: TemplateCacheOptions): TemplateCache {
  const { use, close } = openDisposable({ file, build, schema: SCHEMA, tables: ['places', 'sources'], onFailure });
  return {
    places() {
      const rows = use((one) =>
        one.prepare<[], { path: string; record: string; sum: string }>('SELECT path, record, sum FROM places').all(),
      );
      return (rows ?? []).flatMap(({ path, record, sum }) => (sum === sumOf(path, record) ? [{ path, record }] : []));
    },
    write({ places, gone, sources }) {
      const stored = use((one) =>
        one.transaction(() => {
          const remove = one.prepare('DELETE FROM places WHERE path = ?');
          for (const path of gone) remove.run(path);
          const put = one.prepare('INSERT OR REPLACE INTO places (path, record, hash, sum) VALUES (?, ?, ?, ?)');
          for (const { path, record, hash } of places) put.run(path, record, hash, sumOf(path, record));
          one.prepare('DELETE FROM sources WHERE hash NOT IN (SELECT hash FROM places WHERE hash IS NOT NULL)').run();
          let room = limit - sizeOf(one);
          const add = one.prepare('INSERT OR REPLACE INTO sources (hash, content) VALUES (?, ?)');
          const kept = new Set<string>();
          for (const { hash, content } of sources) {
            room -= Buffer.byteLength(content);
            if (room < 0) continue;
            add.run(hash, content);
            kept.add(hash);
          }
          return kept;
        })(),
      );
      return stored ?? new Set();
    },
    source: (hash) => use((one) => one.prepare<[string], string>('SELECT content FROM sources WHERE hash = ?').pluck().get(hash)),
    close,
  };
}

/** Pages in use, in bytes: near enough to the sum of the sources, which are nearly all of it. */
function sizeOf(db: Database): number {
  const [pages, free, size] = ['page_count', 'freelist_count', 'page_size'].map((name) => Number(db.pragma(name, { simple: true })));
  return ((pages ?? 0) - (free ?? 0)) * (size ?? 0);
}

/** Nothing is flushed, so after a power cut a page may hold anything. */
function sumOf(path: string, record: string): string {
  return createHash('sha256').update(`${path}\n${record}`).digest('base64url');
}
