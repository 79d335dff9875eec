// A disk that takes nothing for a while: what was acknowledged stays, jobs on the backend go on, and runs go on by themselves (reliability F3, F4).
import { afterEach, describe, expect, it } from 'vitest';
import { CallsheetError } from '#protocol/errors.ts';
import type { Store } from '#store/types.ts';
import { closeChecked } from '../faults/engine-promises.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

let engine: Engine;
afterEach(() => closeChecked(engine));

const request = { template: 'three-steps', parameters: {} };
const FULL = new CallsheetError('STORAGE_FAILED', 'The disk that holds the data is full.', { hint: 'Free some space.' });

/** An engine whose disk can be full, with a run whose first step is held on its backend. */
async function fullable(): Promise<{ readonly runId: string; readonly disk: { isFull: boolean } }> {
  const disk = { isFull: false };
  const demandRoom = () => {
    if (disk.isFull) throw FULL;
  };
  const wrapStore = (store: Store): Store => ({
    ...store,
    commit: (batch) => (demandRoom(), store.commit(batch)),
    putSetting: (name, value) => (demandRoom(), store.putSetting(name, value)),
  });
  engine = await startEngine({ wrapStore });
  engine.fake.engine.plan = () => (engine.fake.engine.ledger.length === 0 ? { holdAt: '1' } : {});
  const { runId } = await engine.supervisor.start(request);
  await engine.fake.engine.held();
  await expect.poll(() => engine.supervisor.get(runId).steps[0]?.status).toBe('running');
  return { runId, disk };
}

describe('[F3] a full disk', () => {
  it('refuses what would have to be stored, with the cure, and still shows what is', async () => {
    const { runId, disk } = await fullable();
    disk.isFull = true;
    await expect(engine.supervisor.start(request)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect(engine.supervisor.cancel(runId)).rejects.toMatchObject({
      data: { code: 'STORAGE_FAILED', retryable: true, hint: 'Free some space.' },
    });
    await expect(engine.supervisor.queue.pause()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(engine.supervisor.get(runId)).toMatchObject({ runId, status: 'running' });
    expect(engine.supervisor.list({}).map((run) => run.runId)).toEqual([runId]);
    disk.isFull = false;
    engine.fake.engine.release();
    expect((await engine.ended(runId)).status).toBe('succeeded');
  });

  it('costs a run that is under way nothing once there is room again: what ended meanwhile is fetched, and nothing runs twice', async () => {
    const { runId, disk } = await fullable();
    disk.isFull = true;
    await expect(engine.supervisor.start(request)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    engine.fake.engine.release();
    await expect.poll(() => engine.fake.engine.remaining()).toBe(0);
    expect(engine.supervisor.get(runId).status).toBe('running');
    disk.isFull = false;
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', steps: [{ attempts: [{}] }, {}, {}] });
    expect(engine.fake.engine.ledger).toHaveLength(3);
    const next = await engine.supervisor.start(request);
    expect(next.runId).not.toBe(runId);
    expect((await engine.ended(next.runId)).status).toBe('succeeded');
  });

  it('tells the same listeners when it goes on', async () => {
    const { runId, disk } = await fullable();
    disk.isFull = true;
    await expect(engine.supervisor.start(request)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    disk.isFull = false;
    engine.fake.engine.release();
    await engine.ended(runId);
    const stored = engine.store.events({ runId, after: 0, limit: 1000 });
    expect(engine.events.filter((event) => event.runId === runId).map(({ seq }) => seq)).toEqual(stored.map(({ seq }) => seq));
  });
});

describe('a disk that cannot be read while runs are taken up', () => {
  it('ends no run by that: they are read again and go on', async () => {
    let isBad = false;
    let refusals = 0;
    engine = await startEngine({
      wrapStore: (store) => ({
        ...store,
        commit(batch) {
          if (isBad) throw FULL;
          return store.commit(batch);
        },
        run(runId) {
          if (!isBad) return store.run(runId);
          isBad = false;
          refusals += 1;
          throw FULL;
        },
      }),
    });
    engine.fake.engine.plan = () => (engine.fake.engine.ledger.length === 0 ? { holdAt: '1' } : {});
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    await expect.poll(() => engine.supervisor.get(runId).steps[0]?.status).toBe('running');
    isBad = true;
    await expect(engine.supervisor.start(request)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    await expect.poll(() => refusals, { timeout: 10_000 }).toBe(1);
    engine.fake.engine.release();
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(engine.fake.engine.ledger).toHaveLength(3);
  });
});
