import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '#protocol/events.ts';
import { RUN_ENDS, RUN_STATUSES } from '#protocol/views.ts';
import type { ArtifactView, RunStatus } from '#protocol/views.ts';
import { openStore } from '#store/store.ts';
import type { AttemptRow, Batch, RunRow, Store } from '#store/types.ts';
import { artifact, attempt, event, freshDirectory, newRun, state, TEMPLATE } from './samples.ts';

/** What the store should hold, kept in plain lists. */
interface Model {
  readonly runs: Map<string, RunRow>;
  readonly events: RunEvent[];
  readonly attempts: Map<string, AttemptRow>;
  readonly artifacts: Map<string, ArtifactView>;
  owed: string[];
}

interface Step {
  readonly kind: 'batch' | 'fail' | 'done' | 'restart';
  readonly starts: number;
  readonly changes: readonly { readonly run: number; readonly status: RunStatus; readonly notes: number; readonly item: number }[];
}

const change = fc.record({
  run: fc.nat(7),
  status: fc.constantFrom(...RUN_STATUSES),
  notes: fc.nat(3),
  item: fc.nat(2),
});

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('batch', 'batch', 'batch', 'batch', 'fail', 'done', 'restart'),
  starts: fc.nat(2),
  changes: fc.array(change, { maxLength: 4 }),
});

/** A batch that fits what there is, and what the model is after it. Only the first change of a run counts in one batch. */
function plan(model: Model, { starts, changes }: Step, round: number): Batch {
  const newRuns = Array.from({ length: starts }, (_, index) => newRun(`run-${model.runs.size + index}`, { parameters: `{"n":${round}}` }));
  const ids = [...model.runs.keys(), ...newRuns.map(({ runId }) => runId)];
  const chosen = new Map(changes.flatMap((one) => (ids.length === 0 ? [] : [[ids[one.run % ids.length] ?? '', one] as const])));
  return {
    templates: [TEMPLATE],
    newRuns,
    states: [...chosen].map(([runId, one]) => state(runId, { status: one.status, progress: round / 1000, snapshot: `{"round":${round}}` })),
    attempts: [...chosen].map(([runId, one]) => attempt(runId, `${runId}/${one.item}`, { item: one.item, status: one.status })),
    artifacts: [...chosen].map(([runId, one]) => artifact(runId, `${runId}/${one.item}/${round}`, { index: one.item, bytes: round })),
    events: [...chosen].flatMap(([runId, one]) => Array.from({ length: one.notes }, (_, n) => event(runId, `${round}.${n}`))),
    outbox: [...chosen].map(([runId]) => ({ runId, kind: 'forget', body: `${runId}.${round}` })),
  };
}

function applied(model: Model, batch: Batch, epoch: string): void {
  for (const run of batch.newRuns ?? []) {
    model.runs.set(run.runId, {
      ...run,
      ...state(run.runId, { status: 'queued', progress: 0, machine: '', machineVersion: 0, snapshot: null }),
    });
  }
  for (const one of batch.states ?? []) {
    const run = model.runs.get(one.runId);
    if (run !== undefined) model.runs.set(one.runId, { ...run, ...one });
  }
  for (const one of batch.attempts ?? []) model.attempts.set(one.promptId, one);
  for (const one of batch.artifacts ?? []) model.artifacts.set(`${one.runId}/${one.index}`, one);
  for (const { runId, at, body } of batch.events ?? []) {
    const seq = model.events.filter((known) => known.runId === runId).length + 1;
    model.events.push({ runId, seq, position: model.events.length + 1, epoch, at, event: body });
  }
  model.owed.push(...(batch.outbox ?? []).map(({ body }) => body));
}

function compare(store: Store, model: Model, after: number): void {
  const runs = [...model.runs.values()];
  expect(store.lastPosition()).toBe(model.events.length);
  expect(store.events({ after, limit: 7 })).toEqual(model.events.slice(after, after + 7));
  expect(store.openRuns()).toEqual(runs.filter(({ status }) => !RUN_ENDS.includes(status)).map(({ runId }) => runId));
  expect(store.runs({ limit: 1000 })).toEqual(runs.toReversed());
  expect(store.runs({ status: ['queued', 'failed'], limit: 3 })).toEqual(
    runs
      .filter(({ status }) => status === 'queued' || status === 'failed')
      .toReversed()
      .slice(0, 3),
  );
  expect(store.outbox(1000).map(({ body }) => body)).toEqual(model.owed);
  for (const { runId } of runs) {
    const mine = model.events.filter((known) => known.runId === runId);
    expect(store.events({ runId, after: 1, limit: 1000 })).toEqual(mine.slice(1));
    expect(store.attempts(runId)).toEqual(
      [...model.attempts.values()].filter((one) => one.runId === runId).toSorted((a, b) => a.item - b.item),
    );
    expect(store.artifacts(runId)).toEqual([...model.artifacts.values()].filter((one) => one.runId === runId));
  }
}

interface World {
  readonly directory: string;
  readonly model: Model;
  store: Store;
}

function open(directory: string): Store {
  return openStore({ dir: directory, synchronous: 'NORMAL' });
}

const ACTIONS: Readonly<Record<Step['kind'], (world: World, batch: Batch) => void>> = {
  batch({ store, model }, batch) {
    const before = model.events.length;
    const numbered = store.commit(batch);
    applied(model, batch, store.epoch);
    expect(numbered).toEqual(model.events.slice(before));
  },
  fail({ store }, batch) {
    const bad = { ...batch, outbox: [{ runId: 'nobody', kind: 'forget', body: '' }] };
    expect(() => store.commit(bad)).toThrowError('about run nobody');
  },
  done({ store, model }) {
    for (const { id } of store.outbox(2)) store.outboxDone(id);
    model.owed = model.owed.slice(2);
  },
  restart(world) {
    world.store.close();
    world.store = open(world.directory);
  },
};

describe('the store against a model of plain lists', () => {
  it('holds the same after any row of batches, failures and restarts', { timeout: 120_000 }, () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
        const directory = freshDirectory();
        const model: Model = { runs: new Map(), events: [], attempts: new Map(), artifacts: new Map(), owed: [] };
        const world: World = { directory, model, store: open(directory) };
        for (const [round, one] of steps.entries()) {
          ACTIONS[one.kind](world, plan(model, one, round));
          compare(world.store, model, round);
        }
        world.store.close();
      }),
      { numRuns: 40 },
    );
  });
});
