/** Opens one SQLite connection with the rules of the store (docs/store.md 1): durability, limits and a check of SQLite itself. */
import Database from 'better-sqlite3';
import { CallsheetError } from '#protocol/errors.ts';
import { PAGE_SIZE } from './schema.ts';

/** Up to 3.51.2 a checkpoint could corrupt a WAL database (https://www.sqlite.org/wal.html#walresetbug). */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** Pages in the log before SQLite copies them into the database: 4 MiB. */
const CHECKPOINT_PAGES = 4096;
const LOG_LIMIT = 64 * 1024 * 1024;
/**
 * Milliseconds for which another program that holds the file is waited for: long at the start, when nobody is served yet; shortly afterwards,
 * since the whole process stands still meanwhile. Whoever writes tries again later instead.
 */
const BUSY_MILLISECONDS = { starting: 5000, serving: 10 } as const;

export type Patience = keyof typeof BUSY_MILLISECONDS;

export type Synchronous = 'FULL' | 'NORMAL';

/** Throws what the driver throws; the caller translates. */
export function connect(file: string, synchronous: Synchronous, patience: Patience): Database.Database {
  const db = new Database(file, { timeout: BUSY_MILLISECONDS[patience] });
  try {
    assertSqliteVersion(db);
    db.pragma(`page_size = ${PAGE_SIZE}`);
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${synchronous}`);
    db.pragma('foreign_keys = ON');
    db.pragma('trusted_schema = OFF');
    db.pragma(`journal_size_limit = ${LOG_LIMIT}`);
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function setPatience(db: Database.Database, patience: Patience): void {
  db.pragma(`busy_timeout = ${BUSY_MILLISECONDS[patience]}`);
}

/** Null when the file is sound, else SQLite's first finding. */
export function quickCheck(db: Database.Database): string | null {
  const finding: unknown = db.pragma('quick_check(1)', { simple: true });
  return finding === 'ok' ? null : String(finding);
}

function assertSqliteVersion(db: Database.Database): void {
  const version = String(db.prepare('SELECT sqlite_version()').pluck().get());
  const parts = version.split('.').map(Number);
  for (const [index, oldest] of OLDEST_SQLITE.entries()) {
    const part = parts[index] ?? 0;
    if (part > oldest) return;
    if (part < oldest) {
      throw new CallsheetError(
        'STORAGE_FAILED',
        `SQLite ${version} can damage the database; ${OLDEST_SQLITE.join('.')} or newer is needed.`,
        {
          hint: 'Install the dependencies again with `npm ci`.',
        },
      );
    }
  }
}
