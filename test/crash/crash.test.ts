// kill -9 of the daemon at every commit and every side effect of each scenario, recorded first, singly and again during the recovery.
// A sample with a printed seed; CALLSHEET_TEST_FULL=1 takes every point, and CALLSHEET_CRASH_PAIRS pairs of each scenario (`all` takes every one).
import { beforeAll, describe, expect, it } from 'vitest';
import { countCases } from '../count-cases.ts';
import { type Played, play } from './play.ts';
import { generator } from './random.ts';
import { SCENARIOS } from './scenarios.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
const random = generator(seed);
const SAMPLED_POINTS = 1;
const SAMPLED_PAIRS = 1;
const FULL_PAIRS = 300;
/** Fewer than this, and the points are not where they are believed to be. */
const LEAST_POINTS = 12;
const GUARD_MS = isFull ? 12 * 3_600_000 : 240_000;

type Deaths = readonly number[];

function pairsOf(points: number): readonly Deaths[] {
  const asked = process.env['CALLSHEET_CRASH_PAIRS'] ?? String(isFull ? FULL_PAIRS : SAMPLED_PAIRS);
  const all = range(points).flatMap((first) => range(points).map((second) => [first, second]));
  return asked === 'all' ? all : sample(all, Number(asked));
}

function sample<T>(all: readonly T[], size: number): readonly T[] {
  return all
    .map((value) => ({ value, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, size)
    .map(({ value }) => value);
}

function range(most: number): readonly number[] {
  return Array.from({ length: most }, (_, index) => index + 1);
}

describe.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
  `[F1] a daemon that is killed in %s (seed ${String(seed)})`,
  (_, scenario) => {
    let unbroken: Played;
    beforeAll(async () => {
      unbroken = await play(scenario, []);
    });

    /** Plays each and returns what did not hold, with the points by name. */
    async function failuresOf(kind: string, plays: readonly Deaths[]): Promise<readonly object[]> {
      const failures: object[] = [];
      let kills = 0;
      let executions = 0;
      for (const deaths of plays) {
        const played = await play(scenario, deaths);
        kills += played.kills;
        executions += played.executions;
        const names = deaths.map((at) => `${String(at)} ${unbroken.points[at - 1] ?? ''}`);
        if (played.broken.length > 0) failures.push({ deaths: names, broken: played.broken });
      }
      const row = { scenario: scenario.name, kind, points: unbroken.points.length, plays: plays.length, kills, executions };
      countCases('crash', { ...row, broken: failures.length, seed });
      return failures;
    }

    it('keeps every promise when nobody kills it', () => {
      expect({ kills: unbroken.kills, broken: unbroken.broken }).toEqual({ kills: 0, broken: [] });
      expect(unbroken.points.length).toBeGreaterThan(LEAST_POINTS);
    });

    it(
      `executes each prompt once and keeps every promise when it dies at ${isFull ? 'any point' : 'some point (a sample: CALLSHEET_TEST_FULL=1 for all)'}`,
      async () => {
        const points = range(unbroken.points.length);
        const plays = (isFull ? points : sample(points, SAMPLED_POINTS)).map((at) => [at]);
        expect(await failuresOf('single', plays)).toEqual([]);
      },
      GUARD_MS,
    );

    it(
      'does so when it dies again during the recovery',
      async () => {
        expect(await failuresOf('pair', pairsOf(unbroken.points.length))).toEqual([]);
      },
      GUARD_MS,
    );
  },
);
