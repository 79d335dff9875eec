import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { countCases } from '../count-cases.ts';
import { openStore } from '#store/store.ts';
import { batchNumber, countWholeBatches } from './numbered.ts';
import { freshDirectory } from './samples.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
/** Real processes and hundreds of openings; the usual guard is too near on a busy machine. */
const PATIENCE = isFull ? 3_600_000 : 120_000;

const CHILD = join(import.meta.dirname, 'writer-child.ts');

/** Lets a child write `batches` more, kills it there, and returns the last number it acknowledged. */
async function writeAndKill(directory: string, batches: number): Promise<number> {
  const child = spawn(process.execPath, [CHILD, directory, '100000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = 0;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    lines += 1;
    if (lines === batches) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return last;
}

describe('[F1] a daemon killed while it writes', { timeout: PATIENCE }, () => {
  it('has every acknowledged batch, each whole, and goes on where it was', async () => {
    const directory = freshDirectory();
    for (const batches of [1, 2, 9, 40, 160, 400]) {
      const acknowledged = await writeAndKill(directory, batches);
      const store = openStore({ dir: directory });
      const held = countWholeBatches(store);
      store.close();
      expect(store.recovery).toBeUndefined();
      // One more may stand than was said: the commit comes before the word.
      expect([acknowledged, acknowledged + 1]).toContain(held);
    }
  });

  it('opens again when it was killed while it made the database', async () => {
    for (const milliseconds of [30, 60, 80, 100, 120, 140]) {
      const directory = freshDirectory();
      const child = spawn(process.execPath, [CHILD, directory, '1'], { stdio: 'ignore' });
      const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
      await once(child, 'exit');
      clearTimeout(timer);
      const store = openStore({ dir: directory });
      expect(countWholeBatches(store)).toBeLessThanOrEqual(1);
      expect(store.recovery).toBeUndefined();
      store.close();
    }
  });
});

function openWith(database: Buffer, log: Buffer): number {
  const directory = freshDirectory();
  writeFileSync(join(directory, 'callsheet.db'), database);
  writeFileSync(join(directory, 'callsheet.db-wal'), log);
  const store = openStore({ dir: directory, synchronous: 'NORMAL' });
  try {
    expect(store.recovery).toBeUndefined();
    return countWholeBatches(store);
  } finally {
    store.close();
  }
}

describe('[F6] the log of a database', { timeout: PATIENCE }, () => {
  const FRAME_HEADER = 24;
  const LOG_HEADER = 32;
  const BATCHES = 6;

  /** What a power cut leaves: the database and its log as they were before the last checkpoint. */
  function interrupted(): { readonly database: Buffer; readonly log: Buffer; readonly frame: number } {
    const directory = freshDirectory();
    const store = openStore({ dir: directory });
    store.checkpoint();
    for (let n = 1; n <= BATCHES; n += 1) store.commit(batchNumber(n));
    const file = join(directory, 'callsheet.db');
    const database = readFileSync(file);
    const log = readFileSync(`${file}-wal`);
    store.close();
    return { database, log, frame: FRAME_HEADER + log.readUInt32BE(8) };
  }

  it('cut at every frame, and one byte later, holds the first so many batches', () => {
    const { database, log, frame } = interrupted();
    const frames = (log.length - LOG_HEADER) / frame;
    let highest = 0;
    for (let n = 0; n <= frames; n += 1) {
      for (const extra of [0, 1]) {
        const held = openWith(database, log.subarray(0, LOG_HEADER + n * frame + extra));
        expect(held).toBeGreaterThanOrEqual(highest);
        highest = held;
      }
    }
    expect(highest).toBe(BATCHES);
    countCases('log', { cases: 2 * (frames + 1) });
  });

  it('with one byte changed anywhere in any frame, in its head or its page, holds the batches before it', () => {
    const { database, log, frame } = interrupted();
    const frames = (log.length - LOG_HEADER) / frame;
    const flips = isFull ? 16 : 2;
    for (let n = 0; n < frames; n += 1) {
      const intact = openWith(database, log.subarray(0, LOG_HEADER + n * frame));
      for (let flip = 0; flip < flips; flip += 1) {
        // Page number, size, salt, checksum and page: the chain of checksums covers all of it.
        const at =
          LOG_HEADER + n * frame + (flip === 0 ? n % FRAME_HEADER : FRAME_HEADER + ((n * 131 + flip * 257) % (frame - FRAME_HEADER)));
        const changed = Buffer.from(log);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << (flip % 8)), at);
        expect({ n, at: at - LOG_HEADER - n * frame, held: openWith(database, changed) }).toMatchObject({ held: intact });
      }
    }
    countCases('log', { cases: frames * flips });
  });

  it('missing or not a log at all, leaves what was checkpointed', () => {
    const { database } = interrupted();
    expect(openWith(database, Buffer.alloc(0))).toBe(0);
    expect(openWith(database, Buffer.from('this is no log'.repeat(1000)))).toBe(0);
  });
});

describe('a database with the journal of its own making', () => {
  it('is rolled back and made anew', () => {
    const directory = freshDirectory();
    const file = join(directory, 'callsheet.db');
    const making = new Database(file);
    making.pragma('cache_spill = ON');
    making.pragma('cache_size = 1');
    making.exec('BEGIN; CREATE TABLE half (a TEXT)');
    const insert = making.prepare('INSERT INTO half VALUES (?)');
    for (let n = 0; n < 100; n += 1) insert.run('x'.repeat(2000));
    const killed = join(directory, 'killed');
    mkdirSync(killed);
    for (const suffix of ['', '-journal']) copyFileSync(file + suffix, join(killed, `callsheet.db${suffix}`));
    making.close();
    const store = openStore({ dir: killed });
    onTestFinished(() => store.close());
    expect(store.recovery).toBeUndefined();
    expect(countWholeBatches(store)).toBe(0);
  });
});

describe('the database file cut short while it was made', () => {
  it('opens at every length of its first page', () => {
    const directory = freshDirectory();
    const file = join(directory, 'callsheet.db');
    const made = openStore({ dir: directory });
    made.close();
    const whole = readFileSync(file);
    for (const length of [0, 1, 16, 100, 512, 1023]) {
      const copy = join(directory, `cut-${length}`);
      mkdirSync(copy);
      writeFileSync(join(copy, 'callsheet.db'), whole.subarray(0, length));
      const store = openStore({ dir: copy });
      onTestFinished(() => store.close());
      expect(countWholeBatches(store)).toBe(0);
    }
  });
});
