/** What happens to a database that cannot be trusted: moved aside, then the newest good backup takes its place under a new epoch. */
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { v7 as uuidv7 } from 'uuid';
import { checkBackup, listBackups, timestamp } from './backups.ts';
import { quickCheck } from './connection.ts';
import { syncDirectory, syncFile } from './durable.ts';
import { isCorruption, messageOf, needsWriter } from './failure.ts';
import { newerSchema, schemaVersion } from './migrations.ts';
import { APPLICATION_ID } from './schema.ts';
import type { Recovery } from './types.ts';

/** A version beyond this is a flipped bit, not a newer release. */
const PLAUSIBLE_VERSION = 10_000;

/**
 * What is wrong with the file; null when it is sound or was never made. Changes nothing.
 * A file that is gone or empty although there are backups of it counts as damaged: a recovery may have been cut short.
 * Throws STORAGE_NEWER.
 */
export function findDamage(file: string, known: number): string | null {
  const hasBackups = listBackups(dirname(file)).length > 0;
  if (!existsSync(file)) return hasBackups ? 'the database file is gone' : null;
  try {
    // A reader never checkpoints, so a file of a newer release stays as it is.
    return inspect(file, known, hasBackups, { readonly: true });
  } catch (error) {
    if (!needsWriter(error)) throw error;
    return inspect(file, known, hasBackups, {});
  }
}

function inspect(file: string, known: number, hasBackups: boolean, options: { readonly readonly?: true }): string | null {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { ...options, fileMustExist: true });
    const version = schemaVersion(db);
    if (version > PLAUSIBLE_VERSION) return `implausible version ${version}`;
    const application = db.pragma('application_id', { simple: true });
    const isBlank = application === 0 && version === 0;
    if (application !== APPLICATION_ID && !isBlank) return 'not a database of Callsheet';
    if (isBlank && hasTables(db)) return 'tables without a version';
    if (isBlank) return hasBackups ? 'the database file is empty' : null;
    if (version > known) throw newerSchema(version, known);
    return quickCheck(db);
  } catch (error) {
    if (isCorruption(error)) return messageOf(error);
    throw error;
  } finally {
    db?.close();
  }
}

export function recover(file: string, reason: string, now: number): Recovery {
  const directory = dirname(file);
  const moved = moveAside(file, now);
  const report = { reason, ...(moved === null ? {} : { movedTo: moved }) };
  for (const backup of listBackups(directory)) {
    if (checkBackup(backup.path) !== null) continue;
    const temporary = join(directory, `.${basename(file)}.restoring`);
    rmSync(temporary, { force: true });
    copyFileSync(backup.path, temporary);
    if (!beginEpochIn(temporary)) {
      rmSync(temporary, { force: true });
      continue;
    }
    syncFile(temporary);
    renameSync(temporary, file);
    syncDirectory(directory);
    return { ...report, restoredFrom: backup.path, lostSince: backup.at };
  }
  return report;
}

/** The database before its log: killed in between, the next start finds the file gone and comes here again. */
function moveAside(file: string, now: number): string | null {
  const target = freeName(`${file}.damaged-${timestamp(now)}`);
  const exists = existsSync(file);
  if (exists) renameSync(file, target);
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${target}-wal`);
  rmSync(`${file}-shm`, { force: true });
  syncDirectory(dirname(file));
  return exists ? target : null;
}

function freeName(base: string): string {
  let name = base;
  for (let n = 2; existsSync(name) || existsSync(`${name}-wal`); n += 1) name = `${base}-${n}`;
  return name;
}

function beginEpochIn(file: string): boolean {
  const db = new Database(file);
  try {
    db.pragma('journal_mode = DELETE');
    return beginEpoch(db);
  } catch {
    return false;
  } finally {
    db.close();
  }
}

/** Clients that hold numbers of the lost log must not take ours for a continuation of it. */
export function beginEpoch(db: Database.Database): boolean {
  return db.prepare("UPDATE meta SET value = ? WHERE key = 'epoch'").run(uuidv7()).changes === 1;
}

function hasTables(db: Database.Database): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined;
}
