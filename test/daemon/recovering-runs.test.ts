// Runs that are taken up one after another, since daemons died in whose hands they were: they are counted, and whoever asks for one need not wait.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import type { Standing } from '#daemon/recovery-plan.ts';
import { closeChecked } from '../faults/engine-promises.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

const RUNS = 3;

let engine: Engine;
let runIds: readonly string[];
/** The next daemon takes over from dead ones, in whose hands these were. */
function blame(runs: readonly string[], standing: Standing): Promise<void> {
  return engine.restart(undefined, () => {
    const value = JSON.stringify({ process: 'one that died', runs: Object.fromEntries(runs.map((runId) => [runId, standing])) });
    const db = new Database(join(engine.dir, 'callsheet.db'));
    db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('setting recovery', ?)").run(value);
    db.close();
  });
}

/** Three that have begun, in a daemon that takes over from dead ones. */
async function recover(): Promise<void> {
  engine = await startEngine();
  engine.fake.engine.plan = () => ({ holdAt: '1' });
  const started = Array.from({ length: RUNS }, () => engine.supervisor.start({ template: 'three-steps', parameters: {} }));
  runIds = (await Promise.all(started)).map(({ runId }) => runId);
  await expect.poll(() => engine.store.openRunHeads().filter(({ begun }) => begun), { timeout: 10_000 }).toHaveLength(RUNS);
  await blame(runIds, { deaths: 2, touched: true, alone: false });
}
afterEach(() => closeChecked(engine));

it('are open from the first moment on, as what they are', async () => {
  await recover();
  expect(engine.supervisor.counts()).toMatchObject({ open: RUNS, queued: 0, held: 0, recovering: RUNS - 1 });
});

it('are taken up at once when they are cancelled, and are counted once', async () => {
  await recover();
  for (const [done, runId] of runIds.toReversed().entries()) {
    await engine.supervisor.cancel(runId);
    expect((await engine.ended(runId)).status).toBe('cancelled');
    expect(engine.supervisor.counts().open).toBe(RUNS - 1 - done);
  }
  expect(engine.supervisor.counts()).toEqual({ open: 0, queued: 0, active: 0, held: 0, recovering: 0 });
});

it('are counted while something of them is at work, and not while all of it waits for a place', async () => {
  engine = await startEngine({ settleMs: 600_000 });
  engine.fake.engine.plan = () => ({ holdAt: '1' });
  const started = Array.from({ length: 6 }, () => engine.supervisor.start({ template: 'three-steps', parameters: {} }));
  const ids = (await Promise.all(started)).map(({ runId }) => runId);
  const waits = (runId: string) => engine.supervisor.get(runId).steps[0]?.status === 'waiting';
  await expect.poll(() => [ids.some(waits), ids.every(waits)], { timeout: 10_000 }).toEqual([true, false]);
  await engine.restart();
  const counted = () => {
    const { runs } = JSON.parse(engine.store.setting('recovery') ?? '') as { readonly runs: Record<string, Standing> };
    return Object.keys(runs).filter((runId) => runs[runId]?.touched);
  };
  const begun = engine.store.openRunHeads().flatMap(({ runId, begun: has }) => (has ? [runId] : []));
  const atWork = begun.filter((runId) => !waits(runId));
  expect(atWork.length).toBeLessThan(begun.length);
  await expect.poll(counted, { timeout: 10_000 }).toEqual(atWork);
});

describe('a run that is set aside', () => {
  const guilty = { deaths: 2, touched: true, alone: true };

  it('asks for no choice any more, and says why to whoever makes it', async () => {
    engine = await startEngine();
    const { runId } = await engine.supervisor.start({ template: 'with-choice', parameters: {} });
    await expect.poll(() => engine.supervisor.get(runId).status, { timeout: 10_000 }).toBe('waiting');
    await blame([runId], guilty);
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'RUN_SET_ASIDE' }, choices: [{ status: 'cancelled' }] });
    await expect(engine.supervisor.choose({ runId, values: ['0'] })).rejects.toMatchObject({
      code: 'CHOICE_NOT_WAITING',
      message: "The run has ended as failed: the choice 'picked' is not awaited any more.",
      data: { hint: expect.stringContaining('callsheet runs retry') as unknown },
    });
    // It is asked again by a new try.
    await engine.supervisor.retry({ runId });
    await expect.poll(() => engine.supervisor.get(runId).choices?.[0]?.status, { timeout: 10_000 }).toBe('waiting');
  });

  it('stands where it came to', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = () => (engine.fake.engine.ledger.length === 2 ? { holdAt: '2' } : {});
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {} });
    await engine.fake.engine.held();
    const { progress } = engine.supervisor.get(runId);
    // How far one step of three is depends on how long each took.
    expect(progress).toBeGreaterThan(0);
    await blame([runId], guilty);
    const run = await engine.ended(runId);
    expect(run.status).toBe('failed');
    expect(run.progress).toBeGreaterThanOrEqual(progress);
    expect(run.progress).toBeLessThan(1);
  });

  it('has no step that still waits or works', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const started = Array.from({ length: 6 }, () => engine.supervisor.start({ template: 'three-steps', parameters: {} }));
    const ids = (await Promise.all(started)).map(({ runId }) => runId);
    const waits = (runId: string) => engine.supervisor.get(runId).steps[0]?.status === 'waiting';
    await expect.poll(() => ids.filter(waits), { timeout: 10_000 }).not.toEqual([]);
    const [runId = ''] = ids.filter(waits);
    await blame([runId], guilty);
    const { steps } = await engine.ended(runId);
    expect(steps.map(({ status, reason }) => [status, reason])).toEqual(steps.map(() => ['cancelled', undefined]));
  });
});
