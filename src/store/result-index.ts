/**
 * The index of the result cache: which results are kept, what each was made of, and which one was used last. A small SQLite file of its own
 * beside the kept files, which may be deleted at any time; a record that is not what was written is not believed.
 */
import { createHash } from 'node:crypto';
import type { Database, Statement } from 'better-sqlite3';
import type { SourceFile } from '#protocol/provenance.ts';
import { openDisposable } from './disposable.ts';
import type { ProvenanceRow } from './types.ts';

/** One file of a result. */
export interface KeptFile {
  readonly sha256: string;
  readonly bytes: number;
  /** The node that gave it, by its name in every graph that computes the same. */
  readonly node: string;
  /** Of the artifact that it was kept from. */
  readonly artifactId: string;
  /** As the backend gave it, where this is another. */
  readonly source?: SourceFile;
  /** By what the backend called it; absent for a text that a node only showed. */
  readonly remote?: {
    readonly key: string;
    readonly filename: string;
    readonly type: 'output' | 'temp' | 'input';
    readonly draft?: boolean;
  };
}

export interface KeptResult<Parts = unknown> {
  readonly key: string;
  readonly template: string;
  readonly step: string;
  /** What was asked for as it was made: the hash of template and parameters. */
  readonly request: string;
  /** Who made it. */
  readonly runId: string;
  readonly item: number;
  readonly backend: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** What it took to make; null where that was not measured. */
  readonly seconds: number | null;
  /** In the order in which the backend gave them. */
  readonly files: readonly KeptFile[];
  /** What its key was made of, as JSON: only compared. */
  readonly parts: Parts;
}

/** What made a result. Its run may be gone, so that it stands here whole. */
export interface KeptOrigin extends Omit<ProvenanceRow, 'runId' | 'promptId'> {
  /** Those that it names. */
  readonly graphs: readonly { readonly hash: string; readonly content: string }[];
}

export interface ResultUse {
  readonly entries: number;
  /** Of all kept files, each counted once, and of what is remembered of them. */
  readonly bytes: number;
}

/** Nothing is ever thrown: what fails is not known, and told to `onFailure`. Hashes that are given back belong to files that nothing needs any more. */
export interface ResultIndex {
  has(key: string): boolean;
  get(key: string): KeptResult | undefined;
  /** Only read of what is taken: graphs are large beside all else. */
  origin(key: string): KeptOrigin | undefined;
  /** Whether anything is kept of what was made for the same request. */
  isKeptOf(request: string): boolean;
  /** Of this step of this template, those used last first. */
  near(template: string, step: string, limit: number): readonly KeptResult[];
  /** How many bytes it takes, at most; undefined when it could not be written down. What stood under its key is replaced. */
  put(result: KeptResult, origin: KeptOrigin): number | undefined;
  /** It has just been used. */
  touch(key: string): void;
  drop(key: string): readonly string[];
  /** Drops what was used longest ago until no more than so many bytes are left. */
  shrink(bytes: number): { readonly dropped: number; readonly files: readonly string[] };
  /** Of all files that entries name. */
  files(): ReadonlySet<string>;
  use(): ResultUse;
  /** Why nothing can be written down, as a clause; undefined while it can. */
  trouble(): string | undefined;
  readonly close: () => void;
}

const BUILD = '3';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS results (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, template TEXT NOT NULL, step TEXT NOT NULL, request TEXT NOT NULL,
    used INTEGER NOT NULL, bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS results_used ON results (used);
  CREATE INDEX IF NOT EXISTS results_of_step ON results (template, step, used);
  CREATE INDEX IF NOT EXISTS results_of_request ON results (request);
  CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY REFERENCES results (id) ON DELETE CASCADE, record TEXT NOT NULL, sum TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS origins (id INTEGER PRIMARY KEY REFERENCES results (id) ON DELETE CASCADE, origin TEXT NOT NULL, sum TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS files (
    sha256 TEXT NOT NULL, id INTEGER NOT NULL REFERENCES results (id) ON DELETE CASCADE, bytes INTEGER NOT NULL, PRIMARY KEY (sha256, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS files_of_result ON files (id);
`;

export interface ResultIndexOptions {
  readonly file: string;
  readonly onFailure: (error: unknown) => void;
}

export function openResultIndex({ file, onFailure }: ResultIndexOptions): ResultIndex {
  const { use, trouble, close } = openDisposable({
    file,
    build: BUILD,
    schema: SCHEMA,
    tables: ['files', 'origins', 'records', 'results'],
    onFailure,
  });
  return {
    has: (key) => use((db) => sql(db, 'SELECT 1 FROM results WHERE key = ?').get(key)) !== undefined,
    get: (key) => use((db) => readAll(db, 'r.key = ?', [key])[0]),
    origin: (key) => use((db) => readOrigin(db, key)),
    isKeptOf: (request) => use((db) => sql(db, 'SELECT 1 FROM results WHERE request = ? LIMIT 1').get(request)) !== undefined,
    near: (template, step, limit) =>
      use((db) => readAll(db, 'r.template = ? AND r.step = ? ORDER BY r.used DESC LIMIT ?', [template, step, limit])) ?? [],
    put: (result, origin) => use((db) => write(db, result, origin)),
    touch: (key) => void use((db) => sql(db, `UPDATE results SET used = ${NEXT} WHERE key = ?`).run(key)),
    drop: (key) => use((db) => db.transaction(() => hashes(dropWhere(db, 'key = ?', key)))()) ?? [],
    shrink: (bytes) => use((db) => db.transaction(() => shrink(db, bytes))()) ?? { dropped: 0, files: [] },
    files: () => new Set(use((db) => sql<string>(db, 'SELECT DISTINCT sha256 FROM files').pluck().all())),
    use: () => use((db) => ({ entries: number(db, 'SELECT count(*) FROM results'), bytes: sizeOf(db) })) ?? { entries: 0, bytes: 0 },
    trouble: () => {
      const why = trouble();
      return why === undefined ? undefined : `${file} cannot be used: ${why}`;
    },
    close,
  };
}

// --- helpers ---

/** Turns, not times: a clock that jumps makes nothing older. */
const NEXT = '(SELECT ifnull(max(used), 0) + 1 FROM results)';

interface Raw {
  readonly key: string;
  readonly record: string;
  readonly sum: string;
}

const prepared = new WeakMap<Database, Map<string, Statement>>();

/** Prepared once for each connection. */
function sql<Row>(db: Database, text: string): Statement<unknown[], Row> {
  const statements = prepared.get(db) ?? new Map<string, Statement>();
  prepared.set(db, statements);
  const statement = statements.get(text) ?? db.prepare(text);
  statements.set(text, statement);
  return statement as Statement<unknown[], Row>;
}

function number(db: Database, text: string): number {
  return sql<number>(db, text).pluck().get() ?? 0;
}

function readAll(db: Database, where: string, values: readonly unknown[]): readonly KeptResult[] {
  const rows = sql<Raw>(db, `SELECT r.key, k.record, k.sum FROM results r JOIN records k ON k.id = r.id WHERE ${where}`).all(...values);
  return rows.flatMap(({ key, record, sum }) =>
    sum === sumOf(key, record) ? [{ key, ...(JSON.parse(record) as Omit<KeptResult, 'key'>) }] : [],
  );
}

function readOrigin(db: Database, key: string): KeptOrigin | undefined {
  const text = 'SELECT o.origin, o.sum FROM results r JOIN origins o ON o.id = r.id WHERE r.key = ?';
  const row = sql<{ readonly origin: string; readonly sum: string }>(db, text).get(key);
  return row?.sum === undefined || row.sum !== sumOf(key, row.origin) ? undefined : (JSON.parse(row.origin) as KeptOrigin);
}

function write(db: Database, { key, ...rest }: KeptResult, made: KeptOrigin): number {
  const record = JSON.stringify(rest);
  const origin = JSON.stringify(made);
  const own = Buffer.byteLength(record) + Buffer.byteLength(origin);
  db.transaction(() => {
    dropWhere(db, 'key = ?', key);
    const { lastInsertRowid: id } = sql(
      db,
      `INSERT INTO results (key, template, step, request, used, bytes) VALUES (?, ?, ?, ?, ${NEXT}, ?)`,
    ).run(key, rest.template, rest.step, rest.request, own);
    sql(db, 'INSERT INTO records (id, record, sum) VALUES (?, ?, ?)').run(id, record, sumOf(key, record));
    sql(db, 'INSERT INTO origins (id, origin, sum) VALUES (?, ?, ?)').run(id, origin, sumOf(key, origin));
    const add = sql(db, 'INSERT OR IGNORE INTO files (sha256, id, bytes) VALUES (?, ?, ?)');
    for (const { sha256, bytes } of rest.files) add.run(sha256, id, bytes);
  })();
  return rest.files.reduce((sum, { bytes }) => sum + bytes, own);
}

interface Dropped {
  /** Those that were needed by nothing else. */
  readonly files: readonly { readonly sha256: string; readonly bytes: number }[];
  /** Of the records themselves. */
  readonly bytes: number;
}

function dropWhere(db: Database, where: 'id = ?' | 'key = ?', value: unknown): Dropped {
  const ids = `SELECT id FROM results WHERE ${where}`;
  const found = sql<{ sha256: string; bytes: number }>(
    db,
    `SELECT sha256, max(bytes) AS bytes FROM files WHERE id IN (${ids}) GROUP BY sha256`,
  ).all(value);
  const bytes = sql<number>(db, `SELECT ifnull(sum(bytes), 0) FROM results WHERE ${where}`).pluck().get(value) ?? 0;
  sql(db, `DELETE FROM results WHERE ${where}`).run(value);
  const isNeeded = sql(db, 'SELECT 1 FROM files WHERE sha256 = ?');
  return { files: found.filter(({ sha256 }) => isNeeded.get(sha256) === undefined), bytes };
}

function hashes({ files }: Dropped): readonly string[] {
  return files.map(({ sha256 }) => sha256);
}

function shrink(db: Database, bytes: number) {
  const files: string[] = [];
  let dropped = 0;
  const oldest = sql<number>(db, 'SELECT id FROM results ORDER BY used LIMIT 1').pluck();
  for (let size = sizeOf(db); size > bytes; dropped += 1) {
    const id = oldest.get();
    if (id === undefined) break;
    const gone = dropWhere(db, 'id = ?', id);
    files.push(...hashes(gone));
    size -= gone.bytes + gone.files.reduce((sum, file) => sum + file.bytes, 0);
  }
  return { dropped, files };
}

function sizeOf(db: Database): number {
  const files = number(db, 'SELECT ifnull(sum(bytes), 0) FROM (SELECT max(bytes) AS bytes FROM files GROUP BY sha256)');
  return files + number(db, 'SELECT ifnull(sum(bytes), 0) FROM results');
}

/** Somebody may have changed the file, and nothing of it is flushed. */
function sumOf(key: string, record: string): string {
  return createHash('sha256').update(`${key}\n${record}`).digest('base64url');
}
