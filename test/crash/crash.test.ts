// kill -9 of the daemon at every commit and every side effect of each scenario, recorded first, singly and again during the recovery.
// A sample with a printed seed; CALLSHEET_TEST_FULL=1 takes every point, and CALLSHEET_CRASH_PAIRS pairs of each scenario (`all` takes every one).
// CALLSHEET_JOBS plays go on at once. What a full sweep has played stands in bench/results/ and is not played again by the same code.
import { beforeAll, describe, expect, it } from 'vitest';
import { countCases } from '../count-cases.ts';
import { type Kept, openKept } from '../kept.ts';
import { type Played, play } from './play.ts';
import { generator } from './random.ts';
import { SCENARIOS } from './scenarios.ts';
import { isMet, type Play, type Sweep, sweepPairs, sweepSingles } from './sweep.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
const jobs = Number(process.env['CALLSHEET_JOBS'] ?? 3);
const SAMPLED_POINTS = 1;
const SAMPLED_PAIRS = 1;
const FULL_PAIRS = 300;
/** Fewer than this, and the points are not where they are believed to be. */
const LEAST_POINTS = 12;
const GUARD_MS = isFull ? 48 * 3_600_000 : 240_000;

const askedPairs = process.env['CALLSHEET_CRASH_PAIRS'] ?? String(isFull ? FULL_PAIRS : SAMPLED_PAIRS);
const evidence: Promise<Kept<Play>> = openKept({
  name: 'crash',
  processes: ['crash/crash-child.ts'],
  judges: ['crash/points.ts', 'crash/play.ts', 'crash/scenarios.ts', 'faults/promises.ts'],
  isKept: isFull,
});

describe.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
  `[F1] a daemon that is killed in %s (seed ${String(seed)})`,
  (_, scenario) => {
    let unbroken: Played;
    let sweep: Sweep;
    let singles: readonly Play[] = [];
    beforeAll(async () => {
      sweep = { scenario, evidence: await evidence, jobs, random: generator(seed) };
      unbroken = await play(scenario, []);
    });

    /** Tells how many there were and returns those in which something did not hold. */
    function failuresOf(kind: string, plays: readonly Play[]): readonly object[] {
      const sum = (of: (one: Play) => number) => plays.reduce((total, one) => total + of(one), 0);
      const broken = plays.filter((one) => one.broken.length > 0);
      countCases('crash', {
        scenario: scenario.name,
        kind,
        points: unbroken.lives[0]?.length ?? 0,
        plays: plays.filter(isMet).length,
        kills: sum(({ kills }) => kills),
        executions: sum(({ executions }) => executions),
        broken: broken.length,
        seed,
        build: sweep.evidence.build,
      });
      return broken;
    }

    it('keeps every promise when nobody kills it', () => {
      expect({ kills: unbroken.kills, broken: unbroken.broken }).toEqual({ kills: 0, broken: [] });
      expect(unbroken.lives[0]?.length).toBeGreaterThan(LEAST_POINTS);
    });

    it(
      `executes each prompt once and keeps every promise when it dies at ${isFull ? 'any point' : 'some point (a sample: CALLSHEET_TEST_FULL=1 for all)'}`,
      async () => {
        singles = await sweepSingles(sweep, isFull ? 'all' : SAMPLED_POINTS, unbroken.lives[0]?.length ?? 0);
        expect(failuresOf('single', singles)).toEqual([]);
      },
      GUARD_MS,
    );

    it(
      'does so when it dies again during the recovery',
      async () => {
        const pairs = await sweepPairs(sweep, askedPairs === 'all' ? 'all' : Number(askedPairs), singles);
        expect(failuresOf('pair', pairs)).toEqual([]);
      },
      GUARD_MS,
    );
  },
);
