/**
 * A small SQLite file of its own that may be deleted at any time: caches. Nothing in it is a promise to anyone, so no flush waits for the disk,
 * a file that is damaged is made anew, and every failure means "not known".
 */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database } from 'better-sqlite3';
import { connect } from './connection.ts';
import { isBusy } from './failure.ts';

/** How long another process that writes is waited for, in milliseconds. */
const BUSY_MS = 50;

export interface DisposableOptions {
  readonly file: string;
  /** Names the code that wrote it: what another build wrote is forgotten. */
  readonly build: string;
  /** Each with `IF NOT EXISTS`. */
  readonly schema: string;
  readonly tables: readonly string[];
  /** Told of what failed; the work goes on without. */
  readonly onFailure: (error: unknown) => void;
}

export interface Disposable {
  /** Undefined when it failed. A damaged file is given up at the first failure: a new one takes its place. */
  readonly use: <T>(work: (db: Database) => T) => T | undefined;
  /** Why nothing is remembered, as the disk says it; undefined while something is. */
  readonly trouble: () => string | undefined;
  readonly close: () => void;
}

/** Never throws. A file that is damaged is made anew once; when that fails too, nothing is remembered. */
export function openDisposable(options: DisposableOptions): Disposable {
  const { file, onFailure } = options;
  let closed = false;
  let failure = '';
  let db = attempt(() => open(options)) ?? remake();

  function attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      onFailure(error);
      return undefined;
    }
  }
  function remake(): Database | undefined {
    return attempt(() => {
      for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
      return open(options);
    });
  }
  return {
    use(work) {
      if (db === undefined || closed) return undefined;
      try {
        return work(db);
      } catch (error) {
        onFailure(error);
        if (isBusy(error)) return undefined;
        attempt(() => db?.close());
        db = remake();
        return undefined;
      }
    },
    trouble: () => (db === undefined && !closed ? failure : undefined),
    close() {
      closed = true;
      attempt(() => db?.close());
      db = undefined;
    },
  };
}

function open({ file, build, schema, tables }: DisposableOptions): Database {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const db = connect(file, 'NORMAL', 'serving');
  try {
    db.pragma('synchronous = OFF');
    db.pragma(`busy_timeout = ${BUSY_MS}`);
    db.exec(`CREATE TABLE IF NOT EXISTS build (id TEXT NOT NULL) STRICT; ${schema}`);
    if (db.prepare('SELECT id FROM build').pluck().get() !== build) {
      db.transaction(() => {
        for (const table of ['build', ...tables]) db.exec(`DELETE FROM ${table}`);
        db.prepare('INSERT INTO build (id) VALUES (?)').run(build);
      })();
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
