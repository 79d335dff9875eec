import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkBackup, listBackups } from '#store/backups.ts';
import { MIGRATIONS } from '#store/schema.ts';
import type { Migration } from '#store/schema.ts';
import { openStore } from '#store/store.ts';
import { batchNumber, countWholeBatches } from './numbered.ts';
import { freshDirectory } from './samples.ts';

const second: Migration = { title: 'a second table', up: (db) => db.exec('CREATE TABLE second (a INTEGER) STRICT') };
const VERSION = MIGRATIONS.length;
const third: Migration = { title: 'a third table', up: (db) => db.exec('CREATE TABLE third (a INTEGER) STRICT') };

function filled(): string {
  const directory = freshDirectory();
  const store = openStore({ dir: directory });
  for (let n = 1; n <= 3; n += 1) store.commit(batchNumber(n));
  store.close();
  return directory;
}

function tablesOf(directory: string): readonly unknown[] {
  const db = new Database(join(directory, 'callsheet.db'), { readonly: true });
  onTestFinished(() => void db.close());
  const names = db.prepare("SELECT name FROM sqlite_schema WHERE name IN ('second', 'third') ORDER BY name").pluck().all();
  return [db.pragma('user_version', { simple: true }), ...names];
}

describe('[F23] migrations', () => {
  it('bring an old file forward, keep what it holds, and leave a backup of before', () => {
    const directory = filled();
    const store = openStore({ dir: directory, migrations: [...MIGRATIONS, second, third] });
    onTestFinished(() => store.close());
    expect(countWholeBatches(store)).toBe(3);
    expect(tablesOf(directory)).toEqual([VERSION + 2, 'second', 'third']);
    const [backup, ...others] = listBackups(directory);
    expect(others).toEqual([]);
    expect(checkBackup(backup?.path ?? '')).toBeNull();
  });

  it('make no backup of a file that needs no change, nor of a new one', () => {
    const directory = filled();
    openStore({ dir: directory }).close();
    expect(listBackups(directory)).toEqual([]);
  });

  it('stop whole at the step that fails and go on from there next time', () => {
    const directory = filled();
    const failing: Migration = {
      title: 'fails half-way',
      up(db) {
        db.exec('CREATE TABLE third (a INTEGER) STRICT');
        throw new Error('power cut');
      },
    };
    expect(() => openStore({ dir: directory, migrations: [...MIGRATIONS, second, failing] })).toThrowError('power cut');
    expect(tablesOf(directory)).toEqual([VERSION + 1, 'second']);
    openStore({ dir: directory, migrations: [...MIGRATIONS, second, third] }).close();
    expect(tablesOf(directory)).toEqual([VERSION + 2, 'second', 'third']);
  });

  it('refuse a file of a newer release and leave every byte of it', () => {
    const directory = filled();
    openStore({ dir: directory, migrations: [...MIGRATIONS, second] }).close();
    const before = readFileSync(join(directory, 'callsheet.db'));
    expect(() => openStore({ dir: directory })).toThrowError(expect.objectContaining({ code: 'STORAGE_NEWER' }));
    expect(readFileSync(join(directory, 'callsheet.db')).equals(before)).toBe(true);
    expect(tablesOf(directory)).toEqual([VERSION + 1, 'second']);
  });

  it('refuse it too when its newer part still lies in the log', () => {
    const directory = filled();
    const newer = new Database(join(directory, 'callsheet.db'));
    newer.pragma(`user_version = ${String(VERSION + 1)}`);
    const before = readFileSync(join(directory, 'callsheet.db-wal'));
    expect(() => openStore({ dir: directory })).toThrowError(expect.objectContaining({ code: 'STORAGE_NEWER' }));
    expect(readFileSync(join(directory, 'callsheet.db-wal')).equals(before)).toBe(true);
    newer.close();
  });
});
