/** Backups of the database: written whole or not at all, checked, counted, and thrown away oldest first. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { CallsheetError } from '#protocol/errors.ts';
import { quickCheck } from './connection.ts';
import { syncDirectory, syncFile } from './durable.ts';
import { APPLICATION_ID } from './schema.ts';
import type { Store } from './types.ts';

const FOLDER = 'backups';
const NAME = /^callsheet-(\d{8}T\d{9}Z)\.db$/;
const KEEP = 5;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

export interface BackupFile {
  readonly path: string;
  /** Milliseconds since 1970, from the name. */
  readonly at: number;
}

/** 20261123T005424123Z: sorts by time and is allowed in every file system. */
export function timestamp(at: number): string {
  return new Date(at).toISOString().replaceAll(/[-:.]/g, '');
}

export function backupPath(directory: string, at: number): string {
  return join(directory, FOLDER, `callsheet-${timestamp(at)}.db`);
}

/** Newest first. */
export function listBackups(directory: string): readonly BackupFile[] {
  const folder = join(directory, FOLDER);
  if (!existsSync(folder)) return [];
  const found: BackupFile[] = [];
  for (const name of readdirSync(folder)) {
    const stamp = NAME.exec(name)?.[1];
    if (stamp !== undefined) found.push({ path: join(folder, name), at: parseTimestamp(stamp) });
  }
  return found.toSorted((a, b) => b.at - a.at);
}

/** Deletes all but the newest `keep` backups of a data directory, and what an interrupted backup left. */
export function rotateBackups(directory: string, keep: number = KEEP): void {
  for (const { path } of listBackups(directory).slice(keep)) rmSync(path, { force: true });
  const folder = join(directory, FOLDER);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (name.includes('.partial')) rmSync(join(folder, name), { force: true });
  }
}

/** Makes today's backup when the newest is a day old or more. Returns its path, or null when none was due. */
export async function backupDaily(store: Store, directory: string, now: number): Promise<string | null> {
  const newest = listBackups(directory)[0];
  if (newest !== undefined && now - newest.at < DAY_MILLISECONDS && newest.at <= now) return null;
  const path = backupPath(directory, now);
  await store.backup(path);
  rotateBackups(directory);
  return path;
}

/**
 * Lets `copy` write a database to a temporary name, checks it and puts it in place.
 * The copy is turned into a file that stands alone: no log beside it.
 */
export async function writeBackup(file: string, copy: (temporary: string) => Promise<unknown>): Promise<void> {
  const temporary = prepareTarget(file);
  try {
    await copy(temporary);
    publish(temporary, file);
  } finally {
    removeDatabase(temporary);
  }
}

/** The same for a copy made in one synchronous call. */
export function writeBackupSync(file: string, copy: (temporary: string) => void): void {
  const temporary = prepareTarget(file);
  try {
    copy(temporary);
    publish(temporary, file);
  } finally {
    removeDatabase(temporary);
  }
}

/** What is wrong with a backup, or null when it is sound. */
export function checkBackup(file: string): string | null {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { fileMustExist: true });
    db.pragma('journal_mode = DELETE');
    if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) return 'not a database of Callsheet';
    return quickCheck(db);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    db?.close();
  }
}

function prepareTarget(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = join(dirname(file), `.${basename(file)}.partial`);
  removeDatabase(temporary);
  return temporary;
}

function publish(temporary: string, file: string): void {
  const finding = checkBackup(temporary);
  if (finding !== null) {
    throw new CallsheetError('STORAGE_FAILED', `The backup ${file} came out damaged and was thrown away: ${finding}.`, {
      hint: 'Check the disk that holds it.',
    });
  }
  syncFile(temporary);
  renameSync(temporary, file);
  syncDirectory(dirname(file));
}

function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
}

function parseTimestamp(stamp: string): number {
  const part = (from: number, to: number): number => Number(stamp.slice(from, to));
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(9, 11), part(11, 13), part(13, 15), part(15, 18));
}
