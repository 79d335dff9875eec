/** A row of batches, each known by its number, and the check that a store holds exactly the first so many of them. */
import { expect } from 'vitest';
import type { Batch, Store } from '#store/types.ts';
import { artifact, attempt, event, newRun, state, TEMPLATE } from './samples.ts';

const RUNS = 5;

/** Batch n (from 1) writes two events, a state, an attempt, an artifact and a debt of run (n − 1) mod 5. */
export function batchNumber(n: number): Batch {
  const runId = runOf(n);
  return {
    templates: [TEMPLATE],
    ...(n <= RUNS ? { newRuns: [newRun(runId)] } : {}),
    states: [state(runId, { progress: n / 1e6, snapshot: JSON.stringify({ n, pad: 'x'.repeat(700) }) })],
    attempts: [attempt(runId, `prompt-${n}`, { item: n })],
    artifacts: [artifact(runId, `artifact-${n}`, { index: n })],
    events: [event(runId, `${n}a`), event(runId, `${n}b`)],
    outbox: [{ runId, kind: 'forget', body: String(n) }],
  };
}

function runOf(n: number): string {
  return `run-${(n - 1) % RUNS}`;
}

/** How many batches the store holds; fails unless it holds each of them whole and nothing of the next. */
export function countWholeBatches(store: Store): number {
  const events = store.events({ after: 0, limit: 1_000_000 });
  const count = events.length / 2;
  expect(Number.isInteger(count)).toBe(true);
  expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
  const notes = events.map(({ event: body }) => (body.type === 'run.note' ? body.message : body.type));
  expect(notes).toEqual(Array.from({ length: count }, (_, index) => [`${index + 1}a`, `${index + 1}b`]).flat());
  expect(store.outbox(1_000_000).map(({ body }) => Number(body))).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  for (let run = 0; run < Math.min(RUNS, count); run += 1) checkRun(store, `run-${run}`, run + 1, count);
  expect(store.openRuns()).toHaveLength(Math.min(RUNS, count));
  return count;
}

function checkRun(store: Store, runId: string, first: number, count: number): void {
  const mine: number[] = [];
  for (let n = first; n <= count; n += RUNS) mine.push(n);
  const events = store.events({ runId, after: 0, limit: 1_000_000 });
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: mine.length * 2 }, (_, index) => index + 1));
  expect(store.attempts(runId).map(({ item }) => item)).toEqual(mine);
  expect(store.artifacts(runId).map(({ index }) => index)).toEqual(mine);
  expect(JSON.parse(store.run(runId)?.snapshot ?? '{}')).toMatchObject({ n: mine.at(-1) });
}
