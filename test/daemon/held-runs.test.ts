// A daemon that was started without the backend of a run: it waits, and nothing is judged, sent elsewhere or lost.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { type Engine, startEngine } from './supervisor-harness.ts';

let engine: Engine;
let runId: string;
const ledger = () => engine.fakeOf('farm').engine.ledger.map(({ promptId }) => promptId);
const notes = () => engine.store.events({ runId, after: 0, limit: 1000 }).filter(({ event }) => event.type === 'run.note');

beforeEach(async () => {
  engine = await startEngine({ backends: ['farm', 'other'] });
  engine.fakeOf('farm').engine.plan = () => (ledger().length === 0 ? { holdAt: '1' } : {});
  ({ runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {} }));
  await engine.fakeOf('farm').engine.held();
});
afterEach(() => engine.close());

describe('a run whose backend the daemon was started without', () => {
  it('is neither failed nor sent to another backend, and shows its attempt as unknown with the cure', async () => {
    await engine.restart(['other']);
    const run = engine.supervisor.get(runId);
    expect(run.status).toBe('running');
    expect(run.steps[0]).toMatchObject({ status: 'unknown', attempts: [{ backend: 'farm', status: 'unknown' }] });
    expect(run.problems).toMatchObject([{ code: 'RUN_HELD', hint: expect.stringContaining('--backend farm:comfyui=URL') as unknown }]);
    expect(engine.supervisor.counts()).toEqual({ open: 1, queued: 0, active: 0, held: 1, recovering: 0 });
    expect(engine.fakeOf('other').engine.ledger).toEqual([]);
  });

  it('says so once in its log, however many such daemons come and go', async () => {
    await engine.restart(['other']);
    await engine.restart(['other']);
    await engine.restart(['other']);
    expect(notes()).toHaveLength(1);
  });

  it('goes on under a daemon that has the backend, and executes nothing twice', async () => {
    await engine.restart(['other']);
    await engine.restart();
    engine.fakeOf('farm').engine.release();
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(ledger()).toHaveLength(3);
    expect(new Set(ledger()).size).toBe(3);
  });

  it('waits as well when its client named the backend and nothing was sent yet', async () => {
    const second = await engine.supervisor.start({ template: 'three-steps', parameters: {}, backend: 'other' });
    engine.fakeOf('other').engine.plan = () => ({ holdAt: '1' });
    await engine.restart(['farm']);
    expect(engine.supervisor.get(second.runId).problems).toMatchObject([{ code: 'RUN_HELD' }]);
  });

  it('waits as well when the id now means a server at another address, which knows nothing of its prompt', async () => {
    await engine.restart(['farm', 'other'], () => {
      const db = new Database(join(engine.dir, 'callsheet.db'));
      db.prepare("UPDATE attempts SET address = 'http://10.0.0.5:8188'").run();
      db.close();
    });
    expect(engine.supervisor.get(runId).problems).toMatchObject([
      { code: 'RUN_HELD', message: expect.stringContaining('http://10.0.0.5:8188') as unknown },
    ]);
    expect(ledger()).toHaveLength(1);
  });

  it('never goes to the sandbox, though no backend was named and nothing was sent', async () => {
    const own = await startEngine({ backends: ['comfyui', 'sandbox'] });
    own.fakeOf('comfyui').engine.plan = () => ({ holdAt: '1' });
    const run = await own.supervisor.start({ template: 'three-steps', parameters: {} });
    await own.restart(['sandbox']);
    expect(own.supervisor.get(run.runId).problems).toMatchObject([{ code: 'RUN_HELD' }]);
    expect(own.fakeOf('sandbox').engine.ledger).toEqual([]);
    await own.close();
  });

  it('stays cancelling with the reason when a person cancels it, and ends as cancelled under a daemon that can prove it', async () => {
    await engine.restart(['other']);
    expect(await engine.supervisor.cancel(runId)).toEqual({ status: 'cancelling' });
    const shown = () => engine.supervisor.get(runId);
    await expect.poll(() => shown().steps[0]?.reason).toContain("No backend has the id 'farm'");
    await engine.restart(['other']);
    await expect.poll(() => shown().steps[0]?.reason).toContain("No backend has the id 'farm'");
    expect(shown()).toMatchObject({ status: 'cancelling', steps: [{ status: 'cancelling' }, {}, {}] });
    expect(engine.fakeOf('farm').engine.remaining()).toBe(1);
    await engine.restart();
    expect((await engine.ended(runId)).status).toBe('cancelled');
    expect(engine.fakeOf('farm').engine.remaining()).toBe(0);
  });

  it('is not taken for cancelled by a server at another address, which knows nothing of its prompt', async () => {
    await engine.restart(['other']);
    await engine.supervisor.cancel(runId);
    await engine.restart(['farm', 'other'], () => {
      const db = new Database(join(engine.dir, 'callsheet.db'));
      db.prepare("UPDATE attempts SET address = 'http://10.0.0.5:8188'").run();
      db.close();
    });
    await expect.poll(() => engine.supervisor.get(runId).steps[0]?.reason).toContain('http://10.0.0.5:8188');
    expect(engine.supervisor.get(runId).status).toBe('cancelling');
  });

  it('ends as lost when a person gives the cancel up; what it left is taken off once the backend is there again', async () => {
    await engine.restart(['other']);
    await engine.supervisor.cancel(runId, { force: true });
    expect(engine.supervisor.get(runId).status).toBe('cancelling');
    expect(await engine.supervisor.cancel(runId, { force: true })).toEqual({ status: 'lost' });
    await engine.restart(['other']);
    const run = engine.supervisor.get(runId);
    expect(run).toMatchObject({ status: 'lost', error: { code: 'CANCELLED' } });
    expect(run.steps[0]).toMatchObject({ status: 'lost', attempts: [{ status: 'assumed-lost' }] });
    expect(engine.fakeOf('farm').engine.remaining()).toBe(1);
    await engine.restart(['farm', 'other']);
    await expect.poll(() => engine.fakeOf('farm').engine.remaining()).toBe(0);
    await expect.poll(() => notes().map(({ event }) => ('code' in event ? event.code : ''))).toContain('ATTEMPT_LATE');
    expect(engine.supervisor.get(runId)).toMatchObject({ status: 'lost', steps: [{ attempts: [{ status: 'cancelled' }] }, {}, {}] });
  });
});
