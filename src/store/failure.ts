/** Translates what the database driver throws into CallsheetError, so that nobody above has to know SQLite's codes. */
import { statfsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { CallsheetError } from '#protocol/errors.ts';

/** Below this a failed write is put down to a full disk: the shared-memory file alone needs 32 KiB. */
const NEARLY_FULL = 256 * 1024;

const UNKNOWN = 'Whether the last change was stored is unknown until it is read again.';

export function isCorruption(error: unknown): boolean {
  return sqliteCode(error).startsWith('SQLITE_CORRUPT') || sqliteCode(error) === 'SQLITE_NOTADB';
}

/** Killed while it made the database, SQLite leaves a journal that only a connection that may write can roll back. */
export function needsWriter(error: unknown): boolean {
  return sqliteCode(error).startsWith('SQLITE_READONLY_');
}

/** Something that only another file can mend. */
export function isDamage(error: unknown): boolean {
  return isCorruption(error) || (error instanceof CallsheetError && error.code === 'STORAGE_CORRUPT');
}

/** The file could not be read or written: what stands in it is known only to a connection that reads it afresh. */
export function isDoubtful(error: unknown): boolean {
  return isInputOutput(error) || sqliteCode(error) === 'SQLITE_FULL';
}

function isInputOutput(error: unknown): boolean {
  return sqliteCode(error).startsWith('SQLITE_IOERR');
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error).startsWith('SQLITE_BUSY') || sqliteCode(error) === 'SQLITE_LOCKED';
}

/** The driver's error, or the file system's, as ours; anything else comes back unchanged. */
export function translateFailure(error: unknown, directory: string): unknown {
  if (error instanceof CallsheetError) return error;
  const code = sqliteCode(error);
  if (code === '') return isFileSystem(error) ? unusable(directory, error.code, error) : error;
  if (isCorruption(error)) {
    return new CallsheetError('STORAGE_CORRUPT', `The database in ${directory} is damaged (${code}).`, {
      hint: 'Restart Callsheet: it moves the damaged file aside and goes on from the newest good backup.',
      cause: error,
    });
  }
  if (code.startsWith('SQLITE_CONSTRAINT')) {
    return new CallsheetError('INTERNAL', `A change broke a rule of the store and was not made: ${messageOf(error)}.`, {
      hint: 'This is a defect in Callsheet. Please report it with the log.',
      cause: error,
    });
  }
  if (code === 'SQLITE_FULL' || (isInputOutput(error) && isNearlyFull(directory))) {
    return new CallsheetError('STORAGE_FAILED', `The disk that holds ${directory} is full. ${UNKNOWN}`, {
      hint: 'Free some space; Callsheet goes on by itself.',
      cause: error,
    });
  }
  if (isBusy(error)) {
    return new CallsheetError('STORAGE_BUSY', `Another program keeps the database in ${directory} busy.`, {
      hint: 'Close the program that has callsheet.db open.',
      cause: error,
    });
  }
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN') || code === 'SQLITE_PERM' || code === 'SQLITE_AUTH') {
    return unusable(directory, code, error);
  }
  return new CallsheetError('STORAGE_FAILED', `Reading or writing the database in ${directory} failed (${code}). ${UNKNOWN}`, {
    hint: 'Check the disk; Callsheet reads everything again before it acts.',
    cause: error,
  });
}

function unusable(directory: string, code: string, cause: unknown): CallsheetError {
  return new CallsheetError('STORAGE_FAILED', `The data directory ${directory} cannot be used (${code}).`, {
    hint: 'Check that it is a folder, belongs to you, and is not on a full or read-only disk.',
    cause,
  });
}

function isFileSystem(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : '';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isNearlyFull(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize < NEARLY_FULL;
  } catch {
    return false;
  }
}
