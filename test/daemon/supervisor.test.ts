import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProgressNotice } from '#protocol/events.ts';
import { USUAL_POOL } from '#daemon/scheduler/settings.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

let engine: Engine;
beforeEach(async () => {
  engine = await startEngine();
});
afterEach(() => engine.close());

const request = { template: 'three-steps', parameters: {} };
const ledger = () => engine.fake.engine.ledger.map(({ promptId }) => promptId);

describe('a run of three steps', () => {
  it('runs each step once, hands files from step to step and leaves files behind', async () => {
    const { runId } = await engine.supervisor.start(request);
    const run = await engine.ended(runId);
    expect(run.error).toBeUndefined();
    expect(run).toMatchObject({ status: 'succeeded', progress: 1, draft: false });
    expect(run.steps.map(({ id, status, items, itemsDone }) => [id, status, items, itemsDone])).toEqual([
      ['base', 'done', 1, 1],
      ['invert', 'done', 1, 1],
      ['grow', 'done', 1, 1],
    ]);
    expect(run.artifacts.map(({ step, output }) => [step, output])).toEqual([
      ['base', 'picture'],
      ['invert', 'picture'],
      ['grow', 'picture'],
    ]);
    expect(run.artifacts.filter(({ path }) => existsSync(path))).toHaveLength(3);
    expect(run.artifacts.at(-1)).toMatchObject({ outputs: ['result'], asset: { kind: 'image', name: 'grown' } });
    expect(new Set(ledger()).size).toBe(3);
  });

  it('numbers its events without a gap and tells them only after they are on disk', async () => {
    const { runId } = await engine.supervisor.start(request);
    await engine.ended(runId);
    expect(engine.events.map(({ seq }) => seq)).toEqual(engine.events.map((_, index) => index + 1));
    expect(engine.events).toEqual(engine.store.events({ runId, after: 0, limit: 1000 }));
  });

  it('finds its prompt again after a restart in the middle and executes nothing twice', async () => {
    engine.fake.engine.plan = (item) => ('2' in item.prompt && item.prompt['2']?.class_type === 'ImageInvert' ? { holdAt: '2' } : {});
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    await engine.restart();
    engine.fake.engine.release();
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(ledger()).toHaveLength(3);
    expect(new Set(ledger()).size).toBe(3);
  });

  it('does not send a prompt again when only the answer was lost', async () => {
    engine.fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'lose-reply' } });
    const { runId } = await engine.supervisor.start(request);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(ledger()).toHaveLength(3);
  });

  it('sends the same prompt again when it provably never arrived', async () => {
    engine.fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'reset' } });
    const { runId } = await engine.supervisor.start(request);
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps.flatMap(({ attempts }) => attempts)).toHaveLength(3);
    expect(ledger()).toHaveLength(3);
  });

  it('begins a new attempt when the backend restarted and forgot', async () => {
    engine.fake.engine.plan = () => (ledger().length === 0 ? { holdAt: '1' } : {});
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    await engine.fake.stop();
    engine.fake.engine.wipe();
    await expect.poll(() => engine.supervisor.get(runId).steps[0]?.status).toMatch(/unknown|unresponsive/);
    await engine.fake.start();
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps[0]?.attempts.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'lost'],
      [2, 'finished'],
    ]);
  });

  it('begins anew on the embedded sandbox, which dies with the daemon', async () => {
    await engine.close();
    engine = await startEngine({ backends: ['sandbox'] });
    engine.fake.engine.plan = () => (ledger().length === 0 ? { holdAt: '1' } : {});
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    engine.fake.engine.wipe();
    await engine.restart();
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps[0]?.attempts.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'lost'],
      [2, 'finished'],
    ]);
    expect(new Set(ledger()).size).toBe(ledger().length);
  });

  it('never sends again what somebody else removed', async () => {
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const blocker = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    const { runId } = await engine.supervisor.start(request);
    await expect.poll(() => engine.fake.engine.pending().length).toBe(1);
    const [queued] = engine.fake.engine.pending();
    engine.fake.engine.remove(queued?.promptId ?? '');
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'PROMPT_REMOVED' } });
    expect(run.steps[1]?.status).toBe('blocked');
    await engine.supervisor.cancel(blocker.runId);
    await engine.ended(blocker.runId);
  });
});

describe('a run that fans out', () => {
  const fanOut = { template: 'fan-out', parameters: {} };

  it('runs a step once for each value, skips what is not wanted, and takes the next when a step was skipped', async () => {
    const { runId } = await engine.supervisor.start(fanOut);
    const run = await engine.ended(runId);
    expect(run.error).toBeUndefined();
    expect(run.steps.map(({ id, status, items }) => [id, status, items])).toEqual([
      ['paint', 'done', 3],
      ['side', 'done', 1],
      ['invert', 'skipped', 0],
      ['last', 'done', 1],
    ]);
    expect(run.artifacts.filter(({ step }) => step === 'paint').map(({ item, asset }) => [item, asset?.name])).toEqual([
      [0, 'colour-0'],
      [1, 'colour-1'],
      [2, 'colour-2'],
    ]);
    const colours = engine.fake.engine.ledger.map(({ prompt }) => prompt['1']?.inputs['color']).filter((colour) => colour !== undefined);
    expect(new Set(colours)).toEqual(new Set([1, 2, 3, 9]));
    expect(colours).toHaveLength(4);
  });

  it('maps a step over the files of another', async () => {
    const { runId } = await engine.supervisor.start({ ...fanOut, parameters: { negative: true } });
    const run = await engine.ended(runId);
    expect(run.steps.map(({ id, itemsDone }) => [id, itemsDone])).toEqual([
      ['paint', 3],
      ['side', 1],
      ['invert', 3],
      ['last', 1],
    ]);
  });

  it('draws a seed that is not given once, and keeps it with the run through a restart', async () => {
    engine.fake.engine.plan = (item) => (item.number === 0 ? { holdAt: '1' } : {});
    const { runId } = await engine.supervisor.start(fanOut);
    await engine.fake.engine.held();
    await engine.restart();
    engine.fake.engine.release();
    const run = await engine.ended(runId);
    const bodies = engine.fake.requests
      .filter(({ method, path }) => method === 'POST' && path === '/prompt')
      .map(({ body }) => body.toString());
    const seeds = bodies.map((body) => /"seed": ?(\d+)/.exec(body)?.[1]).filter((seed) => seed !== undefined);
    expect(seeds).toHaveLength(4);
    expect(new Set(seeds).size).toBe(1);
    expect(seeds[0]).toBe(String(run.parameters['seed']));
  });

  it('keeps the items that finished when one fails, and blocks what needs the step', async () => {
    engine.fake.engine.plan = (item) =>
      item.prompt['1']?.inputs['color'] === 2 ? { error: { node: '1', type: 'RuntimeError', message: 'no second colour' } } : {};
    const { runId } = await engine.supervisor.start(fanOut);
    const run = await engine.ended(runId);
    expect(run.status).toBe('failed');
    expect(run.steps.map(({ id, status, itemsDone }) => [id, status, itemsDone])).toEqual([
      ['paint', 'failed', 2],
      ['side', 'done', 1],
      ['invert', 'blocked', 0],
      ['last', 'blocked', 0],
    ]);
    expect(run.artifacts.map(({ step, item }) => [step, item])).toEqual([
      ['paint', 0],
      ['paint', 2],
      ['side', 0],
    ]);
  });

  it('has steps that do not need each other on the backend at the same time', async () => {
    await engine.close();
    engine = await startEngine({ pool: { ...USUAL_POOL, backends: { comfyui: { ahead: 4 } } } });
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start(fanOut);
    await expect.poll(() => engine.fake.engine.remaining()).toBe(4);
    await engine.supervisor.cancel(runId);
    expect((await engine.ended(runId)).status).toBe('cancelled');
    expect(engine.fake.engine.remaining()).toBe(0);
  });
});

describe('a run that goes wrong', () => {
  it('fails with the node that failed, blocks what needed it, and the next run works', async () => {
    engine.fake.engine.plan = (item) => (item.number === 0 ? { error: { node: '1', type: 'RuntimeError', message: 'boom' } } : {});
    const first = await engine.supervisor.start(request);
    const run = await engine.ended(first.runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'NODE_FAILED', node: '1', step: 'base' } });
    expect(run.steps.map(({ status }) => status)).toEqual(['failed', 'blocked', 'blocked']);
    const second = await engine.supervisor.start(request);
    expect((await engine.ended(second.runId)).status).toBe('succeeded');
  });

  it('waits for a backend that is down, and gives up with its address and the cure', async () => {
    await engine.close();
    engine = await startEngine({ graceMs: 100 });
    await engine.fake.stop();
    const { runId } = await engine.supervisor.start(request);
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'BACKEND_UNREACHABLE' } });
    expect(run.error?.message).toContain(engine.fake.url.replace('http://', ''));
    expect(run.error?.hint).toBeTruthy();
  });

  it('says that a page of HTML is not ComfyUI', async () => {
    engine.fake.misbehave({ path: /./, mode: { kind: 'reply', status: 200, type: 'text/html', body: '<html>hello</html>' } });
    const { runId } = await engine.supervisor.start(request);
    expect(await engine.ended(runId)).toMatchObject({ status: 'failed', error: { code: 'BACKEND_NOT_COMFYUI' } });
  });

  it('fails a step whose backend dies in the middle and stays away', async () => {
    await engine.close();
    engine = await startEngine({ graceMs: 200 });
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    await engine.fake.stop();
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'BACKEND_UNREACHABLE' } });
    expect(run.error?.message).toContain('died');
  });

  it('cancels exactly the running prompt and proves it', async () => {
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    const answer = await engine.supervisor.cancel(runId);
    expect(['cancelling', 'cancelled']).toContain(answer.status);
    const run = await engine.ended(runId);
    expect(run.status).toBe('cancelled');
    expect(run.steps.map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(engine.fake.engine.remaining()).toBe(0);
  });
});

describe('the door', () => {
  it('refuses unknown and wrong parameters all at once and makes no run', async () => {
    const refused = engine.supervisor.start({ template: 'three-steps', parameters: { sise: 12, colour: 'red' } });
    await expect(refused).rejects.toMatchObject({
      code: 'PARAMETERS_INVALID',
      data: { problems: [{ parameter: 'sise' }, { parameter: 'colour' }] },
    });
    expect(engine.supervisor.list({})).toEqual([]);
  });

  it('refuses a node class that the backend does not have', async () => {
    await expect(engine.supervisor.start({ template: 'unknown-node', parameters: {} })).rejects.toMatchObject({
      code: 'TEMPLATE_NOT_RUNNABLE',
      data: { problems: [{ code: 'NODE_CLASS_UNKNOWN', node: '1' }] },
    });
  });

  it('names the nearest template when there is none of that name', async () => {
    await expect(engine.supervisor.start({ template: 'tree-steps', parameters: {} })).rejects.toMatchObject({
      code: 'TEMPLATE_NOT_FOUND',
      data: { hint: "Did you mean 'three-steps'?" },
    });
  });

  it('names the backends there are when another is asked for', async () => {
    await expect(engine.supervisor.start({ ...request, backend: 'cloud' })).rejects.toMatchObject({ code: 'BACKEND_NOT_FOUND' });
  });

  it('gives the first answer again for the same request key, also at the same time and after a restart', async () => {
    const keyed = { ...request, requestKey: 'one' };
    const [first, second] = await Promise.all([engine.supervisor.start(keyed), engine.supervisor.start(keyed)]);
    expect(second).toEqual(first);
    await engine.ended(first.runId);
    await engine.restart();
    expect(await engine.supervisor.start(keyed)).toEqual(first);
    expect(engine.supervisor.list({})).toHaveLength(1);
  });

  it('calls it a conflict when a request key comes back with other parameters', async () => {
    await engine.supervisor.start({ ...request, requestKey: 'one' });
    await expect(engine.supervisor.start({ ...request, parameters: { size: 64 }, requestKey: 'one' })).rejects.toMatchObject({
      code: 'REQUEST_KEY_CONFLICT',
    });
  });
});

describe('progress', () => {
  it('of a template that ran before is weighed by what its steps took, with what is left and how sure that is', async () => {
    engine = await startEngine();
    await engine.ended((await engine.supervisor.start(request)).runId);
    expect(engine.store.timings('three-steps', 'base').map(({ part }) => part)).toEqual(
      expect.arrayContaining(['item', 'items', 'loading', 'queued']),
    );
    const notices: ProgressNotice[] = [];
    engine.supervisor.onProgress((notice) => void notices.push(notice));
    engine.fake.engine.plan = () => ({ ticks: 4 });
    const run = await engine.ended((await engine.supervisor.start(request)).runId);
    expect(run.progress).toBe(1);
    expect(notices.some(({ etaSeconds, etaRange }) => etaSeconds !== undefined && etaRange !== undefined)).toBe(true);
    const values = notices.map(({ progress }) => progress);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('does not fall when the daemon starts anew', async () => {
    engine = await startEngine();
    let heard = 0;
    engine.supervisor.onProgress(({ progress }) => {
      heard = Math.max(heard, progress);
    });
    engine.fake.engine.plan = () => (engine.fake.engine.ledger.length === 2 ? { ticks: 5, holdAt: '2' } : { ticks: 5 });
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    await expect.poll(() => heard).toBeGreaterThan(0.4);
    await engine.restart();
    expect(engine.supervisor.get(runId).progress).toBeGreaterThanOrEqual(heard);
    engine.fake.engine.release();
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', progress: 1 });
  });
});
