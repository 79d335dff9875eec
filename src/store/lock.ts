/**
 * One daemon per data directory, by SQLite's own lock on a small file: the kernel lets go of it when the holder dies, however it dies,
 * so there is no stale lock to reason about.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { CallsheetError } from '#protocol/errors.ts';
import { isBusy, translateFailure } from './failure.ts';

/** Long enough for openers that collide for a moment to sort themselves out, short enough for a person who started a second daemon. */
const WAIT_MILLISECONDS = 300;

export interface DataDirectoryLock {
  release(): void;
}

/** Throws STORAGE_LOCKED, naming the holder's process id when it is known, and STORAGE_FAILED when the directory cannot be used. */
export function lockDataDirectory(dir: string): DataDirectoryLock {
  const holderFile = join(dir, 'holder.json');
  let db: Database.Database | undefined;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    db = new Database(join(dir, 'lock.db'), { timeout: WAIT_MILLISECONDS });
    // It stays open until the connection closes, and nothing is ever written: the file stays empty. Not `locking_mode = EXCLUSIVE`, which keeps
    // the shared lock of a transaction that did not begin: two that started at once held each other up, and both gave up.
    db.exec('BEGIN EXCLUSIVE');
    writeHolder(holderFile);
  } catch (error) {
    db?.close();
    throw isBusy(error) ? locked(dir, readHolder(holderFile)) : translateFailure(error, dir);
  }
  const held = db;
  let isHeld = true;
  return {
    release() {
      if (!isHeld) return;
      isHeld = false;
      rmSync(holderFile, { force: true });
      held.close();
    },
  };
}

function locked(dir: string, pid: number | null): CallsheetError {
  const who = pid === null ? '' : ` (process ${pid})`;
  return new CallsheetError('STORAGE_LOCKED', `Another Callsheet daemon${who} holds the data directory ${dir}.`, {
    hint: 'Use the daemon that runs, stop it, or choose another directory with --data.',
  });
}

/** Beside the lock and not in it: a locked database cannot be read by others. Only for messages, never trusted for the lock itself. */
function writeHolder(file: string): void {
  const temporary = `${file}.${process.pid}.partial`;
  writeFileSync(temporary, JSON.stringify({ pid: process.pid, since: new Date().toISOString() }), { mode: 0o600 });
  renameSync(temporary, file);
}

function readHolder(file: string): number | null {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const isNamed = typeof holder === 'object' && holder !== null && 'pid' in holder && Number.isSafeInteger(holder.pid);
    return isNamed ? Number(holder.pid) : null;
  } catch {
    return null;
  }
}
