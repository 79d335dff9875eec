// The process is killed, or the system says no, inside one call of the database's to the system. Needs strace, which .ci/run installs.
// A sample with a printed seed; CALLSHEET_TEST_FULL=1 takes every call.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countCases } from '../count-cases.ts';
import { openStore } from '#store/store.ts';
import { countWholeBatches } from './numbered.ts';
import { freshDirectory } from './samples.ts';

const WRITER = join(import.meta.dirname, 'writer-child.ts');
const STUBBORN = join(import.meta.dirname, 'stubborn-child.ts');
const BATCHES = 12;
const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
const GUARD_MS = isFull ? 3_600_000 : 240_000;

/** Tracing is forbidden in some containers even where strace is installed. */
const canTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;
if (!canTrace)
  console.warn('NOT RUN: kills and errors inside system calls, since strace cannot trace here. Debian: apt-get install strace.');

function traced(child: string, directory: string, rule: readonly string[]): { readonly out: string; readonly signal: boolean } {
  const done = spawnSync(
    'strace',
    ['-f', '-qq', '-o', '/dev/null', ...rule, process.execPath, '--no-warnings', child, directory, String(BATCHES)],
    {
      encoding: 'utf8',
    },
  );
  return { out: done.stdout, signal: !done.stdout.endsWith('end\n') };
}

/** How often an undisturbed writer makes the call. */
function callsOf(name: string): number {
  const directory = freshDirectory();
  const log = join(directory, 'calls.log');
  execFileSync('strace', [
    '-f',
    '-qq',
    '-o',
    log,
    '-e',
    `trace=${name}`,
    process.execPath,
    '--no-warnings',
    WRITER,
    directory,
    String(BATCHES),
  ]);
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${name}(`)).length;
}

/** Some numbers from 1 to `most`, all of them in a full run. */
function sampleOf(most: number, size: number): readonly number[] {
  if (isFull) return Array.from({ length: most }, (_, index) => index + 1);
  return Array.from({ length: size }, (_, index) => 1 + ((seed * 7919 + index * Math.ceil(most / size) + index) % most));
}

function held(directory: string): number {
  const store = openStore({ dir: directory });
  try {
    return countWholeBatches(store);
  } finally {
    store.close();
  }
}

describe.skipIf(!canTrace)(`[F1] a daemon killed inside a call to the system (seed ${String(seed)})`, () => {
  it.each([
    ['pwrite64', 10],
    ['fsync', 6],
    ['unlink', 2],
    ['ftruncate', 2],
  ] as const)(
    'keeps what was acknowledged, whole: %s',
    (name, size) => {
      const calls = sampleOf(callsOf(name), size);
      expect(calls).not.toEqual([]);
      countCases('system calls', { cases: calls.length });
      for (const when of calls) {
        const directory = freshDirectory();
        const { out, signal } = traced(WRITER, directory, [
          '-e',
          `trace=${name}`,
          '-e',
          `inject=${name}:signal=SIGKILL:when=${String(when)}`,
        ]);
        const acknowledged = Number(
          out
            .trim()
            .split('\n')
            .findLast((line) => /^\d+$/.test(line)) ?? 0,
        );
        expect({ name, when, signal, held: held(directory) - acknowledged }).toEqual({
          name,
          when,
          signal,
          held: expect.toBeOneOf([0, 1]) as unknown,
        });
      }
    },
    GUARD_MS,
  );
});

describe.skipIf(!canTrace)(`a disk that says no (seed ${String(seed)})`, () => {
  it.each([
    ['[F4] fsync fails (EIO)', 'fsync', 'EIO', 6],
    ['[F3] a write finds no room (ENOSPC)', 'pwrite64', 'ENOSPC', 6],
    ['[F4] a write fails (EIO)', 'pwrite64', 'EIO', 6],
  ] as const)(
    '%s: the change is in doubt, is reread, and nothing acknowledged is lost',
    (_, name, error, size) => {
      const calls = sampleOf(callsOf(name), size);
      countCases('system calls', { cases: calls.length });
      for (const when of calls) {
        const directory = freshDirectory();
        const { out } = traced(STUBBORN, directory, ['-e', `trace=${name}`, '-e', `inject=${name}:error=${error}:when=${String(when)}`]);
        const { acknowledged, failures } = JSON.parse(out) as { acknowledged: number; failures: readonly string[] };
        expect({ when, acknowledged, failures }).toEqual({
          when,
          acknowledged: BATCHES,
          failures: failures.filter((code) => code.startsWith('STORAGE_')),
        });
        expect(held(directory)).toBe(BATCHES);
      }
    },
    GUARD_MS,
  );
});
