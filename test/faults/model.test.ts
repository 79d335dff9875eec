// A model of runs beside the real thing: whatever is asked and whatever breaks, in any order, a run ends as the model allows and every promise holds.
// A failure prints seed and path: CALLSHEET_SEED and CALLSHEET_PATH play it again. CALLSHEET_TEST_FULL=1 plays many more.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countCases } from '../count-cases.ts';
import { allowed, anyPlay, type Model, settle } from './model-commands.ts';
import { openWorld } from './world.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
const path = process.env['CALLSHEET_PATH'];
const PLAYS = isFull ? 60 : 4;
const COMMANDS = 14;
const GUARD_MS = isFull ? 3_600_000 : 300_000;

describe(`a model of runs (seed ${String(seed)}, ${String(PLAYS)} plays)`, () => {
  it(
    'allows every end that comes, and every promise holds',
    async () => {
      const property = fc.asyncProperty(anyPlay(COMMANDS), async (plan) => {
        const world = await openWorld({
          latencyMs: 3,
          timeouts: { absentGapMs: 100, pollMs: 500, pollOfflineMs: 100, reconnectMinMs: 20, reconnectMaxMs: 100 },
        });
        try {
          const model: Model = { runs: [] };
          await fc.asyncModelRun(() => ({ model, real: world }), plan);
          const ends = await settle(model, world);
          for (const run of model.runs) expect([allowed(run), run]).toEqual([expect.arrayContaining([ends.get(run.runId)]), run]);
          expect(await world.broken()).toEqual([]);
        } finally {
          await world.close();
        }
      });
      countCases('model', { cases: PLAYS, seed });
      await fc.assert(property, { seed, numRuns: PLAYS, endOnFailure: !isFull, ...(path === undefined ? {} : { path }) });
    },
    GUARD_MS,
  );
});
