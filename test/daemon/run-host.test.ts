import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromPromise } from 'xstate';
import type { RunActors } from '#actors/logic.ts';
import { createContention } from '#daemon/contention.ts';
import { createRunHost, type RunHost, type RunHostOptions } from '#daemon/run-host.ts';
import { mustFit } from '#daemon/snapshots.ts';
import { createRunMachine } from '#machines/run-machine.ts';
import type { RunEvent } from '#protocol/events.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunStatus } from '#protocol/views.ts';
import { openStore } from '#store/store.ts';
import type { Batch, Store } from '#store/types.ts';
import { createFakeActors, type FakeActors, turn } from '../machines/fake-actors.ts';

const plan = { steps: [{ id: 'a', needs: [] }] };
const prepared = { promptId: 'p', backendId: 'b' };
const outputs = { files: [], texts: [], cachedNodes: [] };

let dir: string;
let store: Store;
let fakes: FakeActors;
let committed: RunEvent[];
let ended: [string, RunStatus][];
let failures: unknown[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-host-'));
  store = openStore({ dir });
  fakes = createFakeActors();
  committed = [];
  ended = [];
  failures = [];
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

function hostOver(actors: RunActors, extra: Partial<RunHostOptions> = {}): RunHost {
  return createRunHost({
    store,
    contention: createContention({ info: () => undefined, warn: () => undefined }),
    machine: createRunMachine(actors),
    now: () => 1000,
    progressOf: () => 0,
    onCommitted: (events) => void committed.push(...events),
    onEnded: (runId, status) => void ended.push([runId, status]),
    onStorageFailure: (error) => void failures.push(error),
    onDefect: (_, error) => void failures.push(error),
    ...extra,
  });
}

function first(runId: string): Batch {
  return {
    templates: [{ hash: 'h', content: '{}' }],
    newRuns: [{ runId, template: 't', version: '1.0.0', templateHash: 'h', backend: null, parameters: '{}', createdAt: 1 }],
    requestKeys: [{ key: `key-${runId}`, method: 'run/start', paramsHash: 'x', runId, answer: JSON.stringify({ runId }) }],
    events: [{ runId, at: 1, body: { type: 'run.created', template: 't', version: '1.0.0' } }],
  };
}

/** Accepted and at once begun. */
async function begin(host: RunHost, runId: string): Promise<void> {
  await host.accept(runId, first(runId));
  const row = store.run(runId);
  if (row !== undefined) host.resume(row);
  await host.committed(runId);
}

/** Takes run `r` to the point where its only item is on its backend. */
async function toBackend(): Promise<void> {
  await fakes.resolve('load', plan);
  await fakes.resolve('inject', undefined);
  await fakes.resolve('plan a', { items: 1 });
  await fakes.resolve('prepare a/0', prepared);
}

describe('run host', () => {
  it('answers for a new run once its row, request key and first event stand, and begins it when told to', async () => {
    const host = hostOver(fakes.actors);
    await host.accept('r', first('r'));
    expect(store.run('r')).toMatchObject({ status: 'queued', snapshot: null, endedAt: null });
    expect(host.open()).toEqual([]);
    expect(store.requestKey('key-r')?.runId).toBe('r');
    expect(store.events({ runId: 'r', after: 0, limit: 10 }).map(({ event }) => event.type)).toEqual(['run.created']);
  });

  it('opens the gate only when the state that led to the effect is on disk', async () => {
    let seen: string | null | undefined = 'not run';
    const gated = fromPromise(async () => {
      await host.committed('r');
      seen = store.run('r')?.snapshot;
      return plan;
    });
    const host = hostOver({ ...fakes.actors, 'load-template': gated as RunActors['load-template'] });
    await begin(host, 'r');
    await turn();
    expect(seen).toContain('"loading"');
  });

  it('takes many runs into one transaction', async () => {
    let commits = 0;
    const counting: Store = { ...store, commit: (batch) => ((commits += 1), store.commit(batch)) };
    const host = hostOver(fakes.actors, { store: counting });
    await Promise.all(['a', 'b', 'c', 'd'].map((runId) => host.accept(runId, first(runId))));
    expect(commits).toBe(1);
  });

  it('goes on after a restart where the snapshot left off', async () => {
    const before = hostOver(fakes.actors);
    await begin(before, 'r');
    await toBackend();
    before.close();

    const row = store.run('r');
    if (row === undefined) throw new Error('the run is gone');
    const after = hostOver(fakes.actors);
    after.resume(row);
    await turn();
    await fakes.report('a/0', { type: 'backend.finished', outputs });
    await fakes.resolve('parse a/0', { artifacts: 0, draft: false });
    await fakes.resolve('collect', { draft: false });
    await turn();
    expect(ended).toEqual([['r', 'succeeded']]);
    expect(store.run('r')).toMatchObject({ status: 'succeeded', snapshot: null, progress: 1 });
    const numbers = store.events({ runId: 'r', after: 0, limit: 100 }).map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('keeps a back-off across a restart', async () => {
    const before = hostOver(fakes.actors, { now: Date.now });
    await begin(before, 'r');
    await toBackend();
    await fakes.report('a/0', { type: 'backend.lost', cause: 'restarted' });
    before.close();

    const row = store.run('r');
    expect(row?.timers).toContain('backOff');
    if (row === undefined) throw new Error('the run is gone');
    // The daemon was away for longer than the back-off: it is due at once.
    const after = hostOver(fakes.actors, { now: () => Date.now() + 60_000 });
    after.resume(row);
    await expect
      .poll(() => after.snapshot('r')?.children['step:a:0']?.getSnapshot())
      .toMatchObject({ value: 'preparing', context: { attempt: 2 } });
  });

  it('does not wait longer for a back-off than it was set for when the clock was put back meanwhile', async () => {
    const before = hostOver(fakes.actors, { now: Date.now });
    await begin(before, 'r');
    await toBackend();
    await fakes.report('a/0', { type: 'backend.lost', cause: 'restarted' });
    before.close();

    const row = store.run('r');
    if (row === undefined) throw new Error('the run is gone');
    const after = hostOver(fakes.actors, { now: () => 0 });
    after.resume(row);
    await expect
      .poll(() => after.snapshot('r')?.children['step:a:0']?.getSnapshot(), { timeout: 5000 })
      .toMatchObject({ value: 'preparing', context: { attempt: 2 } });
    after.close();
  });

  it('stops what its runs are doing when it closes, and leaves the runs as they were', async () => {
    let given: AbortSignal | undefined;
    const endless = fromPromise(({ signal }) => {
      given = signal;
      return new Promise(() => undefined);
    });
    const host = hostOver({ ...fakes.actors, 'inject-parameters': endless as RunActors['inject-parameters'] });
    await begin(host, 'r');
    await fakes.resolve('load', plan);
    expect(given?.aborted).toBe(false);
    host.close();
    await turn();
    expect(given?.aborted).toBe(true);
    expect(store.run('r')).toMatchObject({ status: 'queued', endedAt: null });
    expect(store.run('r')?.snapshot).toContain('"injecting"');
    expect(ended).toEqual([]);
  });

  it('ends alone a run that cannot be written down, and lets the others go on', async () => {
    const host = hostOver(fakes.actors);
    await begin(host, 'bad');
    await begin(host, 'good');
    await fakes.resolve('load', { steps: [{ id: 'a', needs: new Map() as unknown as string[] }] });
    await host.committed('good');
    await turn();
    expect(store.run('good')).toMatchObject({ status: 'failed', error: { code: 'INTERNAL' } });
    expect(store.run('bad')).toMatchObject({ status: 'queued' });
  });

  it('stops when a commit fails, and no effect behind the gate runs', async () => {
    const broken: Store = {
      ...store,
      commit: () => {
        throw new CallsheetError('STORAGE_FAILED', 'The disk is full.');
      },
    };
    const host = hostOver(fakes.actors, { store: broken });
    await expect(begin(host, 'r')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(failures).toHaveLength(1);
    await expect(host.committed('r')).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  describe('while another program holds the database', () => {
    const HELD = new CallsheetError('STORAGE_BUSY', 'Another program keeps it busy.');
    /** A store that can be held, and a host over it whose clients are patient or not. */
    function held(isTooLong = false) {
      const state = { isHeld: true, tries: 0 };
      const commit: Store['commit'] = (batch) => {
        state.tries += 1;
        if (state.isHeld) throw HELD;
        return store.commit(batch);
      };
      const contention = {
        ...createContention({ info: () => undefined, warn: () => undefined }),
        putOff: () => 1,
        isTooLong: () => isTooLong,
      };
      const host = hostOver(fakes.actors, { store: { ...store, commit }, contention });
      return { state, host };
    }
    async function tried(state: { readonly tries: number }, times: number): Promise<void> {
      await expect.poll(() => state.tries).toBeGreaterThanOrEqual(times);
    }

    it('waits with what is to be written, in one transaction when it is free, and takes no path of failure', async () => {
      const { state, host } = held();
      const order: string[] = [];
      const runs = ['r', 's'].map((runId) => host.accept(runId, first(runId)).then(() => order.push(runId)));
      await tried(state, 3);
      expect({ order, row: store.run('r'), failures }).toEqual({ order: [], row: undefined, failures: [] });
      state.isHeld = false;
      await Promise.all(runs);
      expect(order).toEqual(['r', 's']);
      expect(committed.map(({ runId, position }) => [runId, position])).toEqual([
        ['r', 1],
        ['s', 2],
      ]);
    });

    it('keeps every effect behind the gate, however long that is', async () => {
      const { state, host } = held(true);
      state.isHeld = false;
      await begin(host, 'r');
      state.isHeld = true;
      const before = state.tries;
      let passed = false;
      const gate = host.committed('r').then(() => (passed = true));
      await tried(state, before + 3);
      expect(passed).toBe(false);
      state.isHeld = false;
      await gate;
      expect(failures).toEqual([]);
    });

    it('refuses a run that came to be accepted, and then writes nothing of it', async () => {
      const { state, host } = held(true);
      await expect(host.accept('r', first('r'))).rejects.toMatchObject({ code: 'STORAGE_BUSY', data: { retryable: true } });
      state.isHeld = false;
      await host.accept('s', first('s'));
      expect(store.run('r')).toBeUndefined();
      expect(store.requestKey('key-r')).toBeUndefined();
      expect(store.run('s')).toBeDefined();
      // The same request again is a first one.
      await host.accept('r', first('r'));
      expect(store.run('r')).toBeDefined();
    });

    it('tells who cancels that it is not stored yet, and stores it later', async () => {
      const { state, host } = held(true);
      state.isHeld = false;
      await begin(host, 'r');
      state.isHeld = true;
      host.cancel('r');
      await expect(host.stored('r')).rejects.toMatchObject({ message: expect.stringContaining('is done, and written down') as unknown });
      expect(store.run('r')?.status).toBe('queued');
      state.isHeld = false;
      await fakes.resolve('release', undefined);
      await host.committed('r');
      expect(store.run('r')?.status).toBe('cancelled');
    });

    it('ends without what could not be written, as a killed daemon would', async () => {
      const { state, host } = held();
      state.isHeld = false;
      await begin(host, 'r');
      state.isHeld = true;
      const accepted = host.accept('s', first('s'));
      host.close();
      await expect(accepted).rejects.toMatchObject({ code: 'STORAGE_BUSY' });
      expect({ r: store.run('r')?.endedAt, s: store.run('s'), failures }).toEqual({ r: null, s: undefined, failures: [] });
    });
  });

  it('says that a cancel came too late', async () => {
    const host = hostOver(fakes.actors);
    await begin(host, 'r');
    expect(host.cancel('r')).toBe(true);
    await fakes.resolve('release', undefined);
    await host.committed('r');
    expect(host.cancel('r')).toBe(false);
    expect(ended).toEqual([['r', 'cancelled']]);
  });
});

describe('a stored snapshot', () => {
  const machine = createRunMachine(createFakeActors().actors);
  const context = { runId: 'r', steps: [], error: null, draft: false };

  it('is refused when its state does not exist any more', () => {
    expect(() => mustFit(machine, { value: 'dreaming', context, children: {} })).toThrow(/no longer fits/);
  });

  it('is refused when the actor of a child does not exist any more', () => {
    const children = { load: { src: 'load-manuscript', snapshot: {} } };
    expect(() => mustFit(machine, { value: 'loading', context, children })).toThrow(/load-manuscript/);
  });

  it('is refused when a child of a child does not resolve', () => {
    const inner = { value: 'executing', context: {}, children: { execute: { src: 'gone', snapshot: {} } } };
    const children = { 'step:a:0': { src: 'step', snapshot: inner } };
    expect(() => mustFit(machine, { value: 'executing', context, children })).toThrow(/'gone'/);
  });
});
