import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { backupDaily, backupPath, checkBackup, listBackups, rotateBackups } from '#store/backups.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { batchNumber, countWholeBatches } from './numbered.ts';
import { freshDirectory } from './samples.ts';

const NOON = Date.UTC(2026, 10, 23, 12);
const DAY = 24 * 60 * 60 * 1000;

function open(directory: string): Store {
  const store = openStore({ dir: directory, now: () => NOON });
  onTestFinished(() => store.close());
  return store;
}

/** A closed data directory with 20 batches and, when asked for, a backup of the first 10. */
async function filled(withBackup: boolean): Promise<{ readonly directory: string; readonly file: string; readonly epoch: string }> {
  const directory = freshDirectory();
  const store = openStore({ dir: directory });
  for (let n = 1; n <= 10; n += 1) store.commit(batchNumber(n));
  if (withBackup) await store.backup(backupPath(directory, NOON - DAY));
  for (let n = 11; n <= 20; n += 1) store.commit(batchNumber(n));
  store.close();
  return { directory, file: join(directory, 'callsheet.db'), epoch: store.epoch };
}

const DAMAGES: readonly (readonly [string, (file: string) => void])[] = [
  ['is not a database', (file) => writeFileSync(file, 'once upon a time '.repeat(1000))],
  ['lost its second half', (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2))],
  [
    'was overwritten with zeros in the middle',
    (file) => {
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.fill(0, 2048, 8192));
    },
  ],
  [
    'has an absurd version',
    (file) => {
      const bytes = readFileSync(file);
      bytes.writeUInt32BE(0x40_00_00_01, 60);
      writeFileSync(file, bytes);
    },
  ],
  [
    'is a database of another program',
    (file) => {
      rmSync(file);
      const db = new Database(file);
      db.exec('CREATE TABLE songs (title TEXT)');
      db.close();
    },
  ],
];

describe('[F6] a database that cannot be trusted', () => {
  for (const [what, damage] of DAMAGES) {
    it(`and ${what} is moved aside, and the newest backup goes on under a new epoch`, async () => {
      const { directory, file, epoch } = await filled(true);
      damage(file);
      const bytes = readFileSync(file);
      const store = open(directory);
      const movedTo = join(directory, 'callsheet.db.damaged-20261123T120000000Z');
      expect(store.recovery).toEqual({
        reason: expect.any(String),
        movedTo,
        restoredFrom: backupPath(directory, NOON - DAY),
        lostSince: NOON - DAY,
      });
      expect(readFileSync(movedTo).equals(bytes)).toBe(true);
      expect(countWholeBatches(store)).toBe(10);
      expect(store.epoch).not.toBe(epoch);
      expect(store.commit(batchNumber(11))).toMatchObject([{ position: 21, epoch: store.epoch }, { position: 22 }]);
    });

    it(`and ${what} is moved aside, and an empty one begins where there is no backup`, async () => {
      const { directory, file, epoch } = await filled(false);
      damage(file);
      const store = open(directory);
      expect(store.recovery).toMatchObject({ movedTo: expect.stringContaining('.damaged-') });
      expect(store.recovery).not.toHaveProperty('restoredFrom');
      expect(countWholeBatches(store)).toBe(0);
      expect(store.epoch).not.toBe(epoch);
    });
  }

  it('is reported once: the next start finds a sound one', async () => {
    const { directory, file } = await filled(true);
    writeFileSync(file, 'noise');
    const first = openStore({ dir: directory });
    first.close();
    const second = open(directory);
    expect(second.recovery).toBeUndefined();
    expect(second.epoch).toBe(first.epoch);
  });

  it('is mended again when it is damaged again within the same moment', async () => {
    const { directory, file } = await filled(true);
    for (const expected of ['callsheet.db.damaged-20261123T120000000Z', 'callsheet.db.damaged-20261123T120000000Z-2']) {
      writeFileSync(file, 'noise');
      const store = openStore({ dir: directory, now: () => NOON });
      expect(store.recovery?.movedTo).toBe(join(directory, expected));
      store.close();
    }
  });

  it('is passed over together with backups that are damaged too', async () => {
    const { directory, file } = await filled(true);
    writeFileSync(backupPath(directory, NOON - 1000), 'noise');
    writeFileSync(file, 'noise');
    expect(open(directory).recovery?.restoredFrom).toBe(backupPath(directory, NOON - DAY));
  });

  it('is taken for lost when the file is gone or empty although there are backups', async () => {
    for (const lose of [(file: string) => rmSync(file), (file: string) => truncateSync(file, 0)]) {
      const { directory, file } = await filled(true);
      lose(file);
      const store = open(directory);
      expect(store.recovery?.restoredFrom).toBe(backupPath(directory, NOON - DAY));
      expect(countWholeBatches(store)).toBe(10);
    }
  });

  it('never keeps the store from opening, whichever byte of the file is flipped', async () => {
    const { directory, file } = await filled(false);
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at += 1021) {
      const copy = join(directory, `flip-${at}`);
      const changed = Buffer.from(whole);
      changed.writeUInt8(changed.readUInt8(at) ^ 0x11, at);
      mkdirSync(copy);
      writeFileSync(join(copy, 'callsheet.db'), changed);
      const store = openStore({ dir: copy, synchronous: 'NORMAL' });
      expect(store.lastPosition()).toBeGreaterThanOrEqual(0);
      store.close();
    }
  });
});

describe('backups', () => {
  it('are whole databases that stand alone', async () => {
    const directory = freshDirectory();
    const store = open(directory);
    for (let n = 1; n <= 7; n += 1) store.commit(batchNumber(n));
    const copy = join(directory, 'elsewhere', 'callsheet.db');
    const done = store.backup(copy);
    store.commit(batchNumber(8));
    await done;
    expect(readdirSync(join(directory, 'elsewhere'))).toEqual(['callsheet.db']);
    expect(checkBackup(copy)).toBeNull();
    expect([7, 8]).toContain(countWholeBatches(open(join(directory, 'elsewhere'))));
  });

  it('are made once a day, and the newest five are kept', async () => {
    const directory = freshDirectory();
    const store = open(directory);
    expect(await backupDaily(store, directory, NOON)).toBe(backupPath(directory, NOON));
    expect(await backupDaily(store, directory, NOON + DAY - 1)).toBeNull();
    for (let day = 1; day <= 7; day += 1) expect(await backupDaily(store, directory, NOON + day * DAY)).not.toBeNull();
    expect(listBackups(directory).map(({ at }) => (at - NOON) / DAY)).toEqual([7, 6, 5, 4, 3]);
  });

  it('are made at once when the clock has gone back', async () => {
    const directory = freshDirectory();
    const store = open(directory);
    await backupDaily(store, directory, NOON);
    expect(await backupDaily(store, directory, NOON - DAY)).not.toBeNull();
  });

  it('leave alone what they did not make', async () => {
    const directory = freshDirectory();
    await open(directory).backup(backupPath(directory, NOON));
    const foreign = join(directory, 'backups', 'my-own.db');
    const partial = join(directory, 'backups', '.callsheet-20261123T120000000Z.db.partial');
    writeFileSync(foreign, 'mine');
    writeFileSync(partial, 'half');
    rotateBackups(directory, 0);
    expect([existsSync(foreign), existsSync(partial), listBackups(directory).length]).toEqual([true, false, 0]);
  });

  it('that cannot be written leave nothing behind', async () => {
    const directory = freshDirectory();
    const store = open(directory);
    writeFileSync(join(directory, 'backups'), 'in the way');
    await expect(store.backup(backupPath(directory, NOON))).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(store.commit(batchNumber(1))).toHaveLength(2);
  });
});
