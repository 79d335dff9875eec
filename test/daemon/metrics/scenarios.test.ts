// What the figures say of runs whose course is known.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { CallsheetError } from '#protocol/errors.ts';
import type { Store } from '#store/types.ts';
import type { Measuring } from './measured-engine.ts';
import { type Engine, type EngineOptions, startEngine } from '../supervisor-harness.ts';
import { type Family, parseExposition, valueOf } from './exposition.ts';
import { measuring, STATUS } from './measured-engine.ts';

let engine: Engine;
let measured: Measuring;
let watched: Store | undefined;
afterEach(() => engine.close());

async function start(options: EngineOptions = {}): Promise<void> {
  measured = measuring();
  engine = await startEngine({ ...options, ...measured.options });
}

async function page(status = STATUS): Promise<ReadonlyMap<string, Family>> {
  let text = '';
  const response = { writeHead: () => undefined, end: (body: string) => (text = body) };
  const route = measured.telemetry().route({ status: () => status, backends: () => engine.supervisor.queue.backends() });
  const match = route.path.exec('/metrics');
  if (match === null) throw new Error('the route does not match its own path');
  await route.handle({ method: 'GET' } as IncomingMessage, response as unknown as ServerResponse, match);
  return parseExposition(text);
}

async function run(template: string, parameters: Readonly<Record<string, unknown>> = {}) {
  const { runId } = await engine.supervisor.start({ template, parameters });
  return engine.ended(runId);
}

const OOM = { error: { node: '1', type: 'torch.OutOfMemoryError', message: 'Allocation on device' } };

describe('figures of runs', () => {
  it('count a run whose step ran out of memory once and was tried again', async () => {
    await start();
    engine.fake.engine.plan = () => (engine.fake.engine.ledger.length < 1 ? OOM : {});
    const view = await run('low-memory');
    expect(view.status).toBe('succeeded');
    const found = await page();
    expect(valueOf(found, 'callsheet_runs_accepted_total', { template: 'low-memory' })).toBe(1);
    expect(valueOf(found, 'callsheet_runs_ended_total', { template: 'low-memory', status: 'succeeded' })).toBe(1);
    expect(valueOf(found, 'callsheet_runs', { template: 'low-memory', status: 'succeeded' })).toBe(1);
    expect(valueOf(found, 'callsheet_step_items_total', { status: 'done' })).toBe(view.steps.length);
    expect(valueOf(found, 'callsheet_attempts_total', { backend: 'comfyui', outcome: 'failed' })).toBe(1);
    expect(valueOf(found, 'callsheet_attempts_total', { backend: 'comfyui', outcome: 'finished' })).toBe(view.steps.length);
    expect(valueOf(found, 'callsheet_attempt_failures_total', { class: 'memory', code: 'OUT_OF_MEMORY' })).toBe(1);
    expect(valueOf(found, 'callsheet_retries_total', { class: 'memory', code: 'OUT_OF_MEMORY' })).toBe(1);
    const phases = (phase: string) =>
      valueOf(found, 'callsheet_phase_duration_seconds', { phase }, 'callsheet_phase_duration_seconds_count');
    expect(Object.fromEntries(['run-queue', 'load', 'inject', 'collect', 'free', 'back-off'].map((name) => [name, phases(name)]))).toEqual({
      'run-queue': 1,
      load: 1,
      inject: 1,
      collect: 1,
      free: 1,
      'back-off': 1,
    });
    expect([phases('prepare'), phases('parse')]).toEqual([view.steps.length + 1, view.steps.length]);
    expect(phases('fetch')).toBe(view.artifacts.length);
    expect(valueOf(found, 'callsheet_artifacts_total', { kind: 'image' })).toBe(view.artifacts.length);
    expect(valueOf(found, 'callsheet_artifact_bytes_total', { kind: 'image' })).toBe(
      view.artifacts.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  });

  it('count each item of a step that fans out', async () => {
    await start();
    const view = await run('fan-out');
    const items = view.steps.reduce((sum, step) => sum + step.items, 0);
    expect(items).toBeGreaterThan(view.steps.length);
    expect(valueOf(await page(), 'callsheet_step_items_total', { status: 'done' })).toBe(items);
  });

  it('count a run that fails for good, and the same run once more when a person has it go on', async () => {
    await start();
    engine.fake.engine.plan = () => ({ error: { node: '1', type: 'ValueError', message: 'no' } });
    const { runId } = await run('three-steps');
    engine.fake.engine.plan = () => ({});
    await engine.supervisor.retry({ runId });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    const found = await page();
    const ended = (status: string) => valueOf(found, 'callsheet_runs_ended_total', { template: 'three-steps', status });
    expect([ended('failed'), ended('succeeded')]).toEqual([1, 1]);
    expect(valueOf(found, 'callsheet_runs_retried_total', { template: 'three-steps' })).toBe(1);
    expect(valueOf(found, 'callsheet_runs', { template: 'three-steps', status: 'succeeded' })).toBe(1);
    expect(valueOf(found, 'callsheet_attempt_failures_total', { class: 'permanent', code: 'NODE_FAILED' })).toBe(1);
    expect(found.get('callsheet_retries_total')?.samples).toEqual([]);
  });

  it('begin anew after a restart, but for those that are stored; a run that goes on is counted where it ends', async () => {
    await start();
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start({ template: 'low-memory', parameters: {} });
    await expect.poll(() => engine.supervisor.get(runId).steps[0]?.status, { timeout: 20_000 }).toBe('running');
    await engine.restart();
    engine.fake.engine.plan = () => ({});
    engine.fake.engine.release();
    await engine.ended(runId);
    const found = await page();
    expect(valueOf(found, 'callsheet_runs_accepted_total', { template: 'low-memory' })).toBeUndefined();
    expect(valueOf(found, 'callsheet_runs_ended_total', { template: 'low-memory', status: 'succeeded' })).toBe(1);
    expect(valueOf(found, 'callsheet_runs', { template: 'low-memory', status: 'succeeded' })).toBe(1);
    const attempts = engine.supervisor.get(runId).steps.length;
    expect(valueOf(found, 'callsheet_attempts_total', { backend: 'comfyui', outcome: 'finished' })).toBe(attempts);
  });

  it('count transactions with their durations, and those that did not stand', async () => {
    let isBroken = false;
    measured = measuring();
    engine = await startEngine({
      ...measured.options,
      wrapStore(store) {
        const sometimes: Store = {
          ...store,
          commit(batch) {
            if (isBroken) throw new CallsheetError('STORAGE_BUSY', 'Not now.');
            return store.commit(batch);
          },
        };
        watched = measured.options.wrapStore?.(sometimes) ?? store;
        return watched;
      },
    });
    await run('low-memory');
    const name = 'callsheet_store_commit_duration_seconds';
    const commits = valueOf(await page(), name, {}, `${name}_count`) ?? 0;
    expect(commits).toBeGreaterThan(3);
    isBroken = true;
    expect(() => watched?.commit({})).toThrow('Not now.');
    isBroken = false;
    const found = await page();
    expect(valueOf(found, 'callsheet_store_commit_failures_total', { code: 'STORAGE_BUSY' })).toBe(1);
    expect(valueOf(found, name, {}, `${name}_count`)).toBe(commits);
  });
});

describe('the page', () => {
  it('goes without what cannot be read, and says so', async () => {
    await start();
    await page();
    const route = measured.telemetry().route({
      status: () => {
        throw new Error('no');
      },
      backends: () => engine.supervisor.queue.backends(),
    });
    let text = '';
    const response = { writeHead: () => undefined, end: (body: string) => (text = body) } as unknown as ServerResponse;
    await route.handle({ method: 'GET' } as IncomingMessage, response, /x/.exec('x') ?? ([] as never));
    const found = parseExposition(text);
    expect(valueOf(found, 'callsheet_scrape_failures_total', { source: 'status' })).toBe(1);
    expect(found.get('callsheet_connections')?.samples).toEqual([]);
    expect(found.get('callsheet_backend_status')?.samples).toHaveLength(6);
  });
});
