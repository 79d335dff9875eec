// The daemon is killed inside a call to the system in the middle of a run, or the system says no there: every promise holds after the next start.
// A sample with a printed seed; CALLSHEET_TEST_FULL=1 takes every call, and keeps what it tried in bench/results/. Needs strace.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { canTrace, injecting, listing } from '../can-trace.ts';
import { countCases } from '../count-cases.ts';
import { inLanes, openKept } from '../kept.ts';
import { play } from './play.ts';
import { generator } from './random.ts';
import { SCENARIOS } from './scenarios.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
const jobs = Number(process.env['CALLSHEET_JOBS'] ?? 3);
const random = generator(seed);
const GUARD_MS = isFull ? 48 * 3_600_000 : 240_000;
const TOLD_EVERY = 25;

interface Tried {
  readonly call: string;
  readonly what: string;
  readonly when: number;
  /** The call came so often; with kills: the daemon died of it. */
  readonly met: boolean;
  readonly broken: readonly string[];
}

/** What is done at a call, and how many calls of it a sample takes. */
const KILL = 'signal=SIGKILL';
const RULES: readonly (readonly [call: string, what: string, sampled: number])[] = [
  ['pwrite64', KILL, 1],
  ['pwritev', KILL, 0],
  ['fsync', KILL, 1],
  ['rename', KILL, 0],
  ['link', KILL, 1],
  ['unlink', KILL, 0],
  ['ftruncate', KILL, 0],
  ['mkdir', KILL, 0],
  ['writev', KILL, 0],
  ['[F4] fsync', 'error=EIO', 1],
  ['[F3] rename', 'error=ENOSPC', 0],
  ['[F3] link', 'error=ENOSPC', 1],
];

const scenario = SCENARIOS.find(({ template }) => template === 'three-steps');
if (scenario === undefined) throw new Error('the scenario of three steps is gone');
const kept = openKept<Tried>({
  name: 'syscalls-daemon',
  processes: ['crash/crash-child.ts'],
  judges: ['crash/play.ts', 'faults/promises.ts'],
  isKept: isFull,
});

describe.skipIf(!canTrace)(`[F1] a daemon inside a call to the system (seed ${String(seed)})`, () => {
  const calls = new Map<string, number>();
  beforeAll(async () => {
    const dir = mkdtempSync(join(tmpdir(), 'callsheet-calls-'));
    const names = [...new Set(RULES.map(([rule]) => nameOf(rule)))];
    // Templates that are known already take fewer calls.
    await play(scenario, []);
    const { broken } = await play(scenario, [], { strace: listing(names, join(dir, 'log')) });
    if (broken.length > 0) throw new Error(broken.join('\n'));
    const log = readFileSync(join(dir, 'log'), 'utf8').split('\n');
    for (const name of names) calls.set(name, log.filter((line) => line.includes(` ${name}(`)).length);
    rmSync(dir, { recursive: true });
  }, GUARD_MS);

  it.each(RULES)(
    '%s, %s: every promise holds',
    async (rule, what, sampled) => {
      const call = nameOf(rule);
      const { rows, add } = await kept;
      const all = Array.from({ length: calls.get(call) ?? 0 }, (_, index) => index + 1);
      const done = rows.filter((row) => row.call === call && row.what === what);
      const tried = new Set(done.map(({ when }) => when));
      const wanted = isFull ? all : all.toSorted(() => random() - 0.5).slice(0, sampled);
      await inLanes(
        jobs,
        wanted.filter((when) => !tried.has(when)),
        async (when) => {
          const row = await tryOne(call, what, when);
          add(row);
          done.push(row);
          if (done.length % TOLD_EVERY === 0) console.log(`${call} ${what}: ${String(done.length)} of ${String(all.length)}`);
        },
      );
      countCases('system calls', { cases: done.filter(({ met }) => met).length, seed });
      expect(done.filter(({ broken }) => broken.length > 0)).toEqual([]);
    },
    GUARD_MS,
  );
});

function nameOf(rule: string): string {
  return rule.replace(/^\[F\d+\] /, '');
}

async function tryOne(call: string, what: string, when: number): Promise<Tried> {
  const about = { call, what, when };
  try {
    const of =
      scenario === undefined || what === KILL
        ? scenario
        : { ...scenario, ends: ['succeeded', 'failed'] as const, prompts: [0, 3] as const };
    if (of === undefined) throw new Error('there is nothing to play');
    const { kills, broken } = await play(of, [], { strace: injecting(call, what, when) });
    return { ...about, met: what !== KILL || kills > 0, broken };
  } catch (error) {
    return { ...about, met: false, broken: [String(error)] };
  }
}
