// The files of the log: within their bound, over restarts, on a disk without room.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '#daemon/log.ts';
import { logFiles } from '#daemon/log-file.ts';

const BYTES = 100_000;

function place(): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'callsheet-log-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** Logs numbered lines and closes; gives the stream time to write between them, as a daemon does. */
async function write(dataDir: string, from: number, lines: number): Promise<void> {
  const file = await createLog({ dataDir, terminal: false, bytes: BYTES });
  for (let number = from; number < from + lines; number += 1) {
    file.log.info({ number, filler: 'x'.repeat(100) }, 'line');
    if (number % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await file.close();
}

const textOf = (dataDir: string) => logFiles(dataDir).map((file) => readFileSync(file, 'utf8'));
const numbersIn = (dataDir: string) =>
  textOf(dataDir).flatMap((text) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { readonly number: number }).number),
  );

describe('the files of the log', () => {
  it('stay within their bound, hold the newest lines whole and in order, and are for their owner alone', async () => {
    const dataDir = place();
    await write(dataDir, 0, 3000);
    const files = logFiles(dataDir);
    expect(files.map((file) => basename(file))).toEqual([
      'callsheet.log.4',
      'callsheet.log.3',
      'callsheet.log.2',
      'callsheet.log.1',
      'callsheet.log',
    ]);
    const total = files.reduce((sum, file) => sum + statSync(file).size, 0);
    // What is being written when a file is full goes into it.
    expect(total).toBeLessThan(BYTES + files.length * 32_000);
    expect(files.map((file) => statSync(file).mode & 0o077)).toEqual(files.map(() => 0));
    const numbers = numbersIn(dataDir);
    expect(numbers.at(-1)).toBe(2999);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 3000 - numbers.length + index));
  });

  it('go on after a restart where they were, and stay within their bound however often that is', async () => {
    const dataDir = place();
    for (let start = 0; start < 30; start += 1) await write(dataDir, start * 100, 100);
    const numbers = numbersIn(dataDir);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 3000 - numbers.length + index));
    expect(logFiles(dataDir)).toHaveLength(5);
  });

  it('of an earlier release or a wider bound are moved on and removed at the start', async () => {
    const dataDir = place();
    mkdirSync(join(dataDir, 'log'));
    writeFileSync(join(dataDir, 'log', 'callsheet.log'), `${'x'.repeat(500_000)}\n`);
    for (const number of [4, 5, 17]) writeFileSync(join(dataDir, 'log', `callsheet.log.${number}`), 'old\n');
    writeFileSync(join(dataDir, 'log', 'callsheet.log.txt'), 'mine\n');
    await write(dataDir, 0, 1);
    expect(logFiles(dataDir).map((file) => basename(file))).toEqual(['callsheet.log.4', 'callsheet.log.1', 'callsheet.log']);
    expect(existsSync(join(dataDir, 'log', 'callsheet.log.txt'))).toBe(true);
    expect(readFileSync(join(dataDir, 'log', 'callsheet.log'), 'utf8')).toContain('"number":0');
  });

  it('on a disk that takes nothing lose lines, not the process', async () => {
    const dataDir = place();
    mkdirSync(join(dataDir, 'log'));
    // A device that takes nothing, as a disk without room.
    symlinkSync('/dev/full', join(dataDir, 'log', 'callsheet.log'));
    const made = await createLog({ dataDir, terminal: false });
    for (let line = 0; line < 100; line += 1) made.log.info({ line }, 'x');
    await new Promise((resolve) => setImmediate(resolve));
    made.log.info('y');
    await expect(made.close()).resolves.toBeUndefined();
  });

  it('on a disk that runs full keep little in memory, and are written again once there is room', ({ skip }) => {
    const directory = mkdtempSync(join(tmpdir(), 'callsheet-full-'));
    onTestFinished(() => rmdirSync(directory));
    const script = `unshare -rm sh -c 'mount -t tmpfs -o size=64k none "$1" && exec "$0" --no-warnings "$2" "$1"' "$@"`;
    const child = join(import.meta.dirname, 'log-file-child.ts');
    const { status, stdout } = spawnSync('sh', ['-c', script, 'sh', process.execPath, directory, child], { encoding: 'utf8' });
    if (status !== 0) process.stderr.write('\n!! A full disk was NOT tried: this system lets nobody mount one (unshare -rm).\n\n');
    skip(status !== 0, 'nothing can be mounted here');
    const { size, grown, isThere } = JSON.parse(stdout) as { readonly size: number; readonly grown: number; readonly isThere: boolean };
    expect(size).toBeLessThanOrEqual(64 * 1024);
    expect(grown).toBeLessThan(20_000_000);
    expect(isThere).toBe(true);
  });
});
