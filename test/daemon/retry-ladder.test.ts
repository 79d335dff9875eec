// Failures of a run's attempts and what follows from them: by class, in the order of docs/retries.md, and never twice.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MOST_RETRIES } from '#machines/back-off.ts';
import { closeChecked } from '../faults/engine-promises.ts';
import { type Engine, type EngineOptions, startEngine } from './supervisor-harness.ts';

let engine: Engine;
afterEach(() => closeChecked(engine));

const request = { template: 'low-memory', parameters: {} };
const executed = () => engine.fake.engine.ledger.map(({ prompt }) => prompt['1']?.inputs['width']);
const freed = () => engine.fake.requests.filter(({ method, path }) => method === 'POST' && path === '/free').length;
const posted = () => engine.fake.requests.filter(({ method, path }) => method === 'POST' && path === '/prompt').length;

/** A node's exception as a real ComfyUI reported it. */
function recorded(name: string) {
  const path = join(import.meta.dirname, `../fixtures/comfyui-failures/${name}.json`);
  const { execution_error: error } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly execution_error: { readonly exception_type: string; readonly exception_message: string };
  };
  return { error: { node: '1', type: error.exception_type, message: error.exception_message } };
}

/** An engine whose backend fails the first `times` executions. */
async function failing(times: number, name = 'cuda_oom', options: EngineOptions = {}): Promise<void> {
  engine = await startEngine(options);
  engine.fake.engine.plan = () => (engine.fake.engine.ledger.length < times ? recorded(name) : {});
}

async function run(template = 'low-memory') {
  const { runId } = await engine.supervisor.start({ ...request, template });
  return engine.ended(runId);
}

describe('[F17] a step that runs out of memory', () => {
  it('is tried again as it was once the backend was freed', async () => {
    await failing(1);
    const view = await run();
    expect(view.status).toBe('succeeded');
    expect([executed().slice(0, 2), freed()]).toEqual([[64, 64], 1]);
    expect(view.steps[0]?.attempts.map(({ attempt, status, error }) => [attempt, status, error?.code])).toEqual([
      [1, 'failed', 'OUT_OF_MEMORY'],
      [2, 'finished', undefined],
    ]);
    expect(view.steps[0]).toMatchObject({ status: 'done' });
    expect(view.steps[0]?.error).toBeUndefined();
    expect(view.artifacts.filter(({ profile }) => profile !== undefined)).toEqual([]);
  });

  it('goes on with the lower profile, which the step and its files say', async () => {
    await failing(2);
    const view = await run();
    expect(view.status).toBe('succeeded');
    expect([executed().slice(0, 3), freed()]).toEqual([[64, 64, 16], 2]);
    const colours = engine.fake.engine.ledger.slice(0, 3).map(({ prompt }) => prompt['1']?.inputs['color']);
    expect(colours).toEqual([7, 7, 7]);
    expect(view.steps[0]?.attempts.map(({ profile }) => profile)).toEqual([undefined, undefined, 'low']);
    expect(view.steps[1]?.attempts.map(({ profile }) => profile)).toEqual([undefined]);
    expect(view.artifacts.map(({ step, profile }) => [step, profile])).toEqual([
      ['base', 'low'],
      ['invert', undefined],
    ]);
    expect(engine.supervisor.get(view.runId).artifacts).toEqual(view.artifacts);
    const told = engine.events.filter(({ event }) => event.type === 'step.status' && event.profile === 'low');
    expect(told.length).toBeGreaterThan(0);
  });

  it('keeps its profile when its files are fetched by a later try', async () => {
    await failing(2, 'cuda_oom', { restartGraceMs: 60 });
    engine.fake.misbehave({ path: /^\/view$/, mode: { kind: 'reply', status: 500, body: 'x' } });
    const { runId } = await run();
    engine.fake.behave();
    await engine.supervisor.retry({ runId });
    const view = await engine.ended(runId);
    expect(executed().slice(0, 3)).toEqual([64, 64, 16]);
    expect(view.steps[0]?.attempts.map(({ status, profile }) => [status, profile])).toEqual([
      ['failed', undefined],
      ['failed', undefined],
      ['finished', 'low'],
    ]);
    expect(view.artifacts.map(({ step, profile }) => [step, profile])).toEqual([
      ['base', 'low'],
      ['invert', undefined],
    ]);
  });

  it('ends with what was tried when the lower profile does not fit either, and the next run goes on', async () => {
    await failing(3);
    const view = await run();
    expect(view).toMatchObject({ status: 'failed', error: { code: 'OUT_OF_MEMORY', step: 'base', node: '1' } });
    expect(view.error?.message).toContain('tried 3 times');
    expect(view.error?.message).toContain('The lower profile of the template did not fit either.');
    expect([executed(), freed()]).toEqual([[64, 64, 16], 2]);
    expect((await run()).status).toBe('succeeded');
  });

  it('ends after the second time where the template has no lower profile', async () => {
    await failing(2);
    const view = await run('three-steps');
    expect(view).toMatchObject({ status: 'failed', error: { code: 'OUT_OF_MEMORY' } });
    expect(view.error?.message).toContain('has no lower profile');
    expect(view.error?.message).toContain('tried 2 times');
    expect([posted(), freed()]).toEqual([2, 2]);
  });

  it('is tried again although the backend does not take the wish to free its memory', async () => {
    await failing(1);
    engine.fake.misbehave({ method: 'POST', path: /^\/free$/, mode: { kind: 'reply', status: 500 } });
    expect((await run()).status).toBe('succeeded');
    expect(engine.events.filter(({ event }) => event.type === 'run.note').map(({ event }) => event)).toEqual([
      expect.objectContaining({ code: 'BACKEND_NOT_FREED', step: 'base' }),
    ]);
  });

  it('stays on its rung of the ladder across restarts', async () => {
    await failing(3, 'cuda_oom', { backOff: { initialMs: 300, maxMs: 300, random: () => 0.9 } });
    const { runId } = await engine.supervisor.start(request);
    for (const times of [1, 2]) {
      await expect
        .poll(() => [engine.fake.engine.ledger.length, engine.supervisor.get(runId).steps[0]?.status])
        .toEqual([times, 'backing-off']);
      await engine.restart();
    }
    const view = await engine.ended(runId);
    expect(view).toMatchObject({ status: 'failed', error: { code: 'OUT_OF_MEMORY' } });
    expect(executed()).toEqual([64, 64, 16]);
  });
});

describe('a node that raises an exception', () => {
  it.each(['value', 'file', 'shapes', 'network'])('fails its step at once (%s)', async (name) => {
    await failing(1, name);
    expect(await run()).toMatchObject({ status: 'failed', error: { code: 'NODE_FAILED' } });
    expect([posted(), freed()]).toEqual([1, 0]);
  });
});

describe('a proxy that answers the prompt with an error', () => {
  const page = (status: number, headers: Record<string, string> = {}) => ({
    kind: 'reply' as const,
    status,
    type: 'text/html',
    body: '<html>',
    headers,
  });
  const PROMPT = { method: 'POST', path: /^\/prompt$/ };

  it.each([500, 502, 503, 429])('is asked again after a pause, and the prompt runs once (%i)', async (status) => {
    engine = await startEngine();
    engine.fake.misbehave({ ...PROMPT, times: 2, mode: page(status) });
    const view = await run();
    expect(view.status).toBe('succeeded');
    expect(view.steps[0]?.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(engine.fake.engine.ledger).toHaveLength(2);
  });

  it('is asked as often again in a new try by hand as in the first', async () => {
    engine = await startEngine();
    engine.fake.misbehave({ ...PROMPT, times: 5, mode: page(503) });
    const { runId, status } = await run();
    expect(status).toBe('failed');
    engine.fake.misbehave({ ...PROMPT, times: 4, mode: page(503) });
    await engine.supervisor.retry({ runId });
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', steps: [{ attempts: { length: 10 } }, {}] });
  });

  it('is not asked again when the prompt got through all the same', async () => {
    let isFirst = true;
    engine = await startEngine({
      wrap: (backend) => ({
        ...backend,
        async submit(...args) {
          if (!isFirst) return backend.submit(...args);
          isFirst = false;
          engine.fake.misbehave({ ...PROMPT, times: 1, mode: { kind: 'lose-reply' } });
          return backend.submit(...args);
        },
      }),
    });
    const view = await run();
    expect(view.status).toBe('succeeded');
    expect(view.steps[0]?.attempts).toHaveLength(1);
    expect(engine.fake.engine.ledger).toHaveLength(2);
  });

  it('is given up after the last attempt, with how often it was tried', async () => {
    engine = await startEngine();
    engine.fake.misbehave({ ...PROMPT, mode: page(500) });
    const view = await run();
    expect(view).toMatchObject({ status: 'failed', error: { code: 'BACKEND_HTTP' } });
    expect(view.error?.message).toContain(`tried ${String(MOST_RETRIES.transient + 1)} times`);
    expect(posted()).toBe(MOST_RETRIES.transient + 1);
  });

  it('is left alone for as long as it asked', async () => {
    engine = await startEngine();
    engine.fake.misbehave({ ...PROMPT, times: 1, mode: page(503, { 'retry-after': '1' }) });
    const began = performance.now();
    expect((await run()).status).toBe('succeeded');
    expect(performance.now() - began).toBeGreaterThanOrEqual(1000);
  });
});

describe('an upload that fails for a while', () => {
  it('is made again with the next attempt', async () => {
    engine = await startEngine();
    engine.fake.misbehave({ method: 'POST', path: /^\/upload\/image$/, times: 2, mode: { kind: 'reply', status: 500 } });
    const view = await run();
    expect(view.status).toBe('succeeded');
    expect(engine.fake.engine.ledger).toHaveLength(2);
  });
});

describe('a finished file whose download fails for a while', () => {
  it('is asked for again and the prompt is not', async () => {
    engine = await startEngine();
    engine.fake.misbehave({ path: /^\/view$/, times: 2, mode: { kind: 'reply', status: 500, body: 'x' } });
    expect((await run()).status).toBe('succeeded');
    expect(engine.fake.engine.ledger).toHaveLength(2);
  });
});
