// The data directory that 0.1.0 left behind, with runs in every state: this version must take all of them to an end.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mustFit } from '#daemon/snapshots.ts';
import { createRunMachine } from '#machines/run-machine.ts';
import { RUN_ENDS, type RunSummary } from '#protocol/views.ts';
import { openStore } from '#store/store.ts';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeActors } from '../machines/fake-actors.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

const STORED = fileURLToPath(new URL('../fixtures/runs-0.1.0', import.meta.url));

/** What stood in the directory when the daemon stopped, by the state of the first step. */
const EXPECTED = [
  ['done', 'succeeded', 'succeeded'],
  ['failed', 'failed', 'failed'],
  ['cancelled', 'cancelled', 'cancelled'],
  // The new backends know nothing of what was running or queued, and nothing proves a restart: not sent again by itself.
  ['running', 'running', 'failed'],
  ['queued', 'running', 'failed'],
  ['cancelling', 'cancelling', 'cancelled'],
  ['unknown', 'running', 'failed'],
  // Its loss was proven before the stop, so its next attempt runs.
  ['backing-off', 'running', 'succeeded'],
] as const;

describe('[F23] runs stored by 0.1.0', () => {
  const machine = createRunMachine(createFakeActors().actors);
  let dir: string;
  let stored: readonly RunSummary[];
  let engine: Engine;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'callsheet-stored-'));
    cpSync(STORED, dir, { recursive: true });
    engine = await startEngine({ from: STORED, backends: ['comfyui', 'farm', 'far'] });
    stored = engine.supervisor.list({}).toReversed();
  });
  afterAll(async () => {
    await engine.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('have snapshots that fit the machines of today', () => {
    const store = openStore({ dir });
    const snapshots = store.openRuns().map((runId) => store.run(runId)?.snapshot ?? 'null');
    store.close();
    expect(snapshots).toHaveLength(5);
    for (const snapshot of snapshots) expect(() => mustFit(machine, JSON.parse(snapshot))).not.toThrow();
  });

  it.each(EXPECTED.map((row, place) => [...row, place] as const))(
    'with a step that was %s: stored as %s, they end as %s',
    async (_, before, after, place) => {
      const row = stored[place];
      expect(row?.status).toBe(before);
      const run = await engine.ended(row?.runId ?? '');
      expect(run.status).toBe(after);
      expect(RUN_ENDS).toContain(run.status);
    },
  );

  it('have logs without a gap after they were taken to their ends', () => {
    for (const { runId } of stored) {
      const numbers = engine.store.events({ runId, after: 0, limit: 1000 }).map(({ seq }) => seq);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
  });

  it('still answer to the request key they were started with', async () => {
    const again = await engine.supervisor.start({ template: 'three-steps', parameters: {}, requestKey: 'the first' });
    expect(again.runId).toBe(stored[0]?.runId);
  });
});
