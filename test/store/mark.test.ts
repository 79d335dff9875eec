// The words beside the database by which one that was deleted, or put back from a copy, is known.
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { keepMark, readMark } from '#store/mark.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { batchNumber } from './numbered.ts';
import { freshDirectory } from './samples.ts';

function open(dir: string): Store {
  const mark = readMark(dir);
  const store = openStore({ dir, ...(mark === undefined ? {} : { mark }) });
  onTestFinished(() => store.close());
  return store;
}

/** A closed directory whose log has so many batches, and a copy of its database after the first. */
function filled(batches: number): {
  readonly dir: string;
  readonly file: string;
  readonly copy: string;
  readonly epoch: string;
  readonly id: string;
} {
  const dir = freshDirectory();
  const file = join(dir, 'callsheet.db');
  const copy = join(dir, 'copy.db');
  let store = openStore({ dir });
  store.commit(batchNumber(1));
  store.close();
  copyFileSync(file, copy);
  store = openStore({ dir });
  for (let n = 2; n <= batches; n += 1) store.commit(batchNumber(n));
  const mark = keepMark(dir, store);
  mark.write();
  store.close();
  return { dir, file, copy, epoch: store.epoch, id: mark.id };
}

describe('the mark of a data directory', () => {
  it.skipIf(process.platform === 'win32')('is private', () => {
    expect(statSync(join(filled(1).dir, 'mark.json')).mode & 0o777).toBe(0o600);
  });

  it('keeps its id, and says how far the log has come', () => {
    const { dir, epoch, id } = filled(3);
    expect(readMark(dir)).toEqual({ id, epoch, position: 6 });
    const store = open(dir);
    expect(store.recovery).toBeUndefined();
    store.commit(batchNumber(4));
    const mark = keepMark(dir, store);
    mark.write();
    expect(readMark(dir)).toEqual({ id, epoch, position: 8 });
    const written = statSync(join(dir, 'mark.json')).ino;
    mark.write();
    expect(statSync(join(dir, 'mark.json')).ino).toBe(written);
  });

  it('finds nothing wrong with a log that has come further since it was written', () => {
    const { dir, epoch } = filled(3);
    const store = openStore({ dir });
    store.commit(batchNumber(4));
    store.close();
    expect(open(dir)).toMatchObject({ epoch });
    expect(open(dir).recovery).toBeUndefined();
  });

  it('makes a new log of a database that was put back from a copy, and says since when it lacks changes', () => {
    const { dir, file, copy, epoch } = filled(3);
    copyFileSync(copy, file);
    const store = open(dir);
    expect(store.recovery).toEqual({
      reason: 'the database is not the one that was here: its log has 2 lines, and had 6',
      lostSince: 1_700_000_000_002,
    });
    expect(store.epoch).not.toBe(epoch);
    expect(store.lastPosition()).toBe(2);
    expect(store.commit(batchNumber(2))).toMatchObject([{ position: 3, epoch: store.epoch }, { position: 4 }]);
  });

  it('says that a deleted database is gone, also where no backup of it is left', () => {
    const { dir, file } = filled(3);
    rmSync(file);
    const store = open(dir);
    expect(store.recovery).toEqual({ reason: 'the database file is gone' });
    expect(store.lastPosition()).toBe(0);
  });

  it('says so again until it is written anew: a rebuild that was cut short is begun again', () => {
    const { dir, file } = filled(3);
    rmSync(file);
    open(dir).close();
    const again = open(dir);
    expect(again.recovery?.reason).toContain('not the one that was here');
    keepMark(dir, again).write();
    again.close();
    expect(open(dir).recovery).toBeUndefined();
  });

  it('that cannot be read is none', () => {
    const { dir } = filled(1);
    for (const text of [
      '',
      '{',
      '[]',
      '{"id":1,"epoch":"e","position":2}',
      '{"id":"a","epoch":"e","position":0.5}',
      readFileSync(join(dir, 'callsheet.db')),
    ]) {
      writeFileSync(join(dir, 'mark.json'), text);
      expect(readMark(dir)).toBeUndefined();
      expect(open(dir).recovery).toBeUndefined();
    }
  });
});
