// A model of runs beside the real thing: whatever is asked and whatever breaks, in any order, a run ends as the model allows and every promise holds.
// A failure prints seed and path: CALLSHEET_SEED and CALLSHEET_PATH play it again. CALLSHEET_TEST_FULL=1 plays many more (CALLSHEET_MODEL_PLAYS), several
// at once, and keeps in bench/results/ what held.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countCases } from '../count-cases.ts';
import { inLanes, openKept } from '../kept.ts';
import { allowed, anyPlay, type Model, settle } from './model-commands.ts';
import { openWorld } from './world.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['CALLSHEET_PATH'];
const jobs = isFull ? Number(process.env['CALLSHEET_JOBS'] ?? 3) : 1;
/** With one seed, so that a failure is found again without the ones before it. */
const PLAYS_OF_A_SEED = isFull ? 10 : 4;
const PLAYS = Number(process.env['CALLSHEET_MODEL_PLAYS'] ?? (isFull ? 500 : PLAYS_OF_A_SEED));
const COMMANDS = 14;
const GUARD_MS = isFull ? 24 * 3_600_000 : 300_000;

interface Held {
  readonly seed: number;
  readonly plays: number;
}

const kept = openKept<Held>({
  name: 'model',
  processes: ['crash/crash-child.ts'],
  judges: ['faults/model.test.ts', 'faults/model-commands.ts', 'faults/world.ts', 'faults/promises.ts'],
  isKept: isFull,
});

describe(`a model of runs (seed ${String(seed)}, ${String(PLAYS)} plays)`, () => {
  it(
    'allows every end that comes, and every promise holds',
    async () => {
      const property = fc.asyncProperty(anyPlay(COMMANDS), async (plan) => {
        const world = await openWorld({
          latencyMs: 3,
          quiet: isFull,
          timeouts: { absentGapMs: 100, pollMs: 500, pollOfflineMs: 100, reconnectMinMs: 20, reconnectMaxMs: 100 },
        });
        try {
          const model: Model = { runs: [], starved: 0 };
          await fc.asyncModelRun(() => ({ model, real: world }), plan);
          const ends = await settle(model, world);
          for (const run of model.runs) expect([allowed(run, model), run]).toEqual([expect.arrayContaining([ends.get(run.runId)]), run]);
          expect(await world.broken()).toEqual([]);
        } finally {
          await world.close();
        }
      });
      const { rows, add } = await kept;
      const held = () => rows.reduce((total, { plays }) => total + plays, 0);
      const seeds = Array.from({ length: Math.ceil(Math.max(0, PLAYS - held()) / PLAYS_OF_A_SEED) }, (_, nth) => seed + nth);
      try {
        await inLanes(jobs, seeds, async (one) => {
          await fc.assert(property, {
            seed: one,
            numRuns: PLAYS_OF_A_SEED,
            endOnFailure: !isFull,
            ...(path === undefined ? {} : { path }),
          });
          add({ seed: one, plays: PLAYS_OF_A_SEED });
          if (isFull) console.log(`${String(held())} plays of the model held`);
        });
      } finally {
        countCases('model', { cases: held(), seed });
      }
    },
    GUARD_MS,
  );
});
