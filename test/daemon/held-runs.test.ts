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
    expect(engine.supervisor.counts()).toEqual({ open: 1, active: 0, held: 1 });
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

  it('ends as cancelled when a person gives it up, and its attempt stays unknown', async () => {
    await engine.restart(['other']);
    expect(await engine.supervisor.cancel(runId)).toEqual({ status: 'cancelled' });
    const run = engine.supervisor.get(runId);
    expect(run).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } });
    expect(run.steps[0]?.attempts).toMatchObject([{ status: 'unknown' }]);
    await engine.restart();
    expect(engine.supervisor.get(runId).status).toBe('cancelled');
  });
});
