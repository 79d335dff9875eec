import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDataDirectory } from '#store/lock.ts';
import { countCases } from '../count-cases.ts';
import { freshDirectory } from './samples.ts';

const CHILD = join(import.meta.dirname, 'lock-child.ts');
const RACER = join(import.meta.dirname, 'lock-racer-child.ts');
const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const RACES = isFull ? 1000 : 20;
/** Between two lines of a race, so that both have read theirs. In milliseconds. */
const AHEAD_MS = 15;

interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  readonly says: string;
}

async function start(directory: string): Promise<Child> {
  const child = spawn(process.execPath, [CHILD, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [says] = await once(createInterface({ input: child.stdout }), 'line');
  return { process: child, says: String(says) };
}

describe('[F21] the lock of a data directory', { timeout: 120_000 }, () => {
  it('lets one daemon in and names its process to the second', async () => {
    const directory = freshDirectory();
    const first = await start(directory);
    expect(first.says).toBe('held');
    const second = await start(directory);
    expect(second.says).toMatch(/^STORAGE_LOCKED /);
    expect(second.says).toContain(`(process ${first.process.pid ?? 0})`);
  });

  it('is free again the moment its holder is killed', async () => {
    const directory = freshDirectory();
    for (let round = 0; round < 5; round += 1) {
      const holder = await start(directory);
      expect(holder.says).toBe('held');
      holder.process.kill('SIGKILL');
      await once(holder.process, 'exit');
    }
  });

  it('is free again after a release, which leaves no holder behind', async () => {
    const directory = freshDirectory();
    const holder = await start(directory);
    holder.process.stdin.write('go\n');
    await once(holder.process, 'exit');
    expect(existsSync(join(directory, 'holder.json'))).toBe(false);
    const lock = lockDataDirectory(directory);
    lock.release();
    lock.release();
  });

  it('has exactly one winner among twenty that start at once', async () => {
    const directory = freshDirectory();
    const children = await Promise.all(Array.from({ length: 20 }, () => start(directory)));
    const winners = children.filter(({ says }) => says === 'held');
    const losers = children.filter(({ says }) => says.startsWith('STORAGE_LOCKED'));
    expect([winners.length, losers.length]).toEqual([1, 19]);
  });

  it(`has exactly one winner in each of ${String(RACES)} races of two processes`, { timeout: isFull ? 3_600_000 : 120_000 }, async () => {
    const racers = [RACER, RACER].map((file) => spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] }));
    onTestFinished(() => {
      for (const racer of racers) racer.kill('SIGKILL');
    });
    const answers = racers.map(({ stdout }) => createInterface({ input: stdout })[Symbol.asyncIterator]());
    const wins = [0, 0];
    for (let race = 0; race < RACES; race += 1) {
      const line = JSON.stringify({ dir: freshDirectory(), at: Date.now() + AHEAD_MS });
      for (const { stdin } of racers) stdin.write(`${line}\n`);
      const said = (await Promise.all(answers.map((answer) => answer.next()))).map(({ value }) => String(value));
      expect(said.toSorted()).toEqual(['STORAGE_LOCKED', 'held']);
      wins[said.indexOf('held')] = (wins[said.indexOf('held')] ?? 0) + 1;
    }
    countCases('races', { cases: RACES });
    // A race that always goes to the same is none.
    expect(Math.min(...wins)).toBeGreaterThan(0);
  });

  it('refuses a second lock within one process', () => {
    const directory = freshDirectory();
    const lock = lockDataDirectory(directory);
    onTestFinished(() => lock.release());
    expect(() => lockDataDirectory(directory)).toThrowError(/holds the data directory/);
  });

  it('says that the holder is not known when its note cannot be read', () => {
    const directory = freshDirectory();
    const lock = lockDataDirectory(directory);
    onTestFinished(() => lock.release());
    writeFileSync(join(directory, 'holder.json'), 'half a no');
    expect(() => lockDataDirectory(directory)).toThrowError(/Another Callsheet daemon holds/);
  });

  it('says what is wrong with a directory that is a file', () => {
    const file = join(freshDirectory(), 'file');
    writeFileSync(file, '');
    expect(() => lockDataDirectory(file)).toThrowError(expect.objectContaining({ code: 'STORAGE_FAILED' }));
  });
});
