// The process is killed, or the system says no, inside one call of the database's to the system. Needs strace, which .ci/run installs.
// A sample with a printed seed; CALLSHEET_TEST_FULL=1 takes every call, and keeps what it tried in bench/results/.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { canTrace, injecting, listing } from '../can-trace.ts';
import { countCases } from '../count-cases.ts';
import { bundled } from '../crash/bundle.ts';
import { inLanes, openKept } from '../kept.ts';
import { openStore } from '#store/store.ts';
import { countWholeBatches } from './numbered.ts';
import { freshDirectory } from './samples.ts';

const WRITER = 'writer-child.ts';
const STUBBORN = 'stubborn-child.ts';
const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const BATCHES = isFull ? 20 : 12;
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
const jobs = Number(process.env['CALLSHEET_JOBS'] ?? 3);
const GUARD_MS = isFull ? 24 * 3_600_000 : 240_000;

interface Tried {
  readonly child: string;
  readonly name: string;
  readonly what: string;
  readonly when: number;
  /** What it came to; empty when it is as it should be. */
  readonly wrong: string;
}

const kept = openKept<Tried>({
  name: 'syscalls-store',
  processes: [`store/${WRITER}`, `store/${STUBBORN}`],
  judges: ['store/syscalls.test.ts', 'store/numbered.ts'],
  isKept: isFull,
});

async function traced(child: string, directory: string, rule: readonly string[]): Promise<string> {
  const path = await bundled(join(import.meta.dirname, child));
  const run = spawn('strace', [...rule, process.execPath, '--no-warnings', path, directory, String(BATCHES)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [out] = await Promise.all([text(run.stdout), once(run, 'close')]);
  return out;
}

/** How often an undisturbed writer makes the call. */
async function callsOf(name: string): Promise<number> {
  const directory = freshDirectory();
  const log = join(directory, 'calls.log');
  await traced(WRITER, directory, listing([name], log));
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
  const store = openStore({ dir: directory, synchronous: 'NORMAL' });
  try {
    return countWholeBatches(store);
  } finally {
    store.close();
  }
}

/** Tries every call of the sample that was not tried yet, and returns what came out wrong. */
async function failuresOf(child: string, name: string, what: string, size: number, judge: (out: string, directory: string) => string) {
  const { rows, add } = await kept;
  const done = rows.filter((row) => row.child === child && row.name === name && row.what === what);
  const tried = new Set(done.map(({ when }) => when));
  const wanted = sampleOf(await callsOf(name), size).filter((when) => !tried.has(when));
  await inLanes(jobs, wanted, async (when) => {
    const directory = freshDirectory();
    const out = await traced(child, directory, injecting(name, what, when));
    const row = { child, name, what, when, wrong: judged(() => judge(out, directory)) };
    add(row);
    done.push(row);
  });
  countCases('system calls', { cases: done.length, seed });
  expect(done).not.toEqual([]);
  return done.filter(({ wrong }) => wrong !== '');
}

/** What the check of the batches throws is what is wrong. */
function judged(judge: () => string): string {
  try {
    return judge();
  } catch (error) {
    return String(error);
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
    async (name, size) => {
      const failures = await failuresOf(WRITER, name, 'signal=SIGKILL', size, (out, directory) => {
        const last = out
          .trim()
          .split('\n')
          .findLast((line) => /^\d+$/.test(line));
        const more = held(directory) - Number(last ?? 0);
        // The commit comes before the word.
        return more === 0 || more === 1 ? '' : `${String(more)} batches more than were acknowledged`;
      });
      expect(failures).toEqual([]);
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
    async (_, name, error, size) => {
      const failures = await failuresOf(STUBBORN, name, `error=${error}`, size, (out, directory) => {
        const { acknowledged, failures: told } = JSON.parse(out) as { acknowledged: number; failures: readonly string[] };
        const others = told.filter((code) => !code.startsWith('STORAGE_'));
        const count = held(directory);
        return acknowledged === BATCHES && count === BATCHES && others.length === 0
          ? ''
          : `${out.trim()}, and ${String(count)} batches are held`;
      });
      expect(failures).toEqual([]);
    },
    GUARD_MS,
  );
});
