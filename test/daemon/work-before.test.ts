// Since when the items of a run are at work that is taken up after a restart, by its log alone.
import { expect, it } from 'vitest';
import { workBefore } from '#daemon/work-before.ts';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import type { StepStatus } from '#protocol/views.ts';

const log = (...lines: readonly (readonly [at: number, body: RunEventBody])[]): readonly RunEvent[] =>
  lines.map(([at, event], index) => ({ runId: 'r', seq: index + 1, position: index + 1, epoch: 'e', at, event }));
const item = (number: number, status: StepStatus, attempt = 1): RunEventBody => ({
  type: 'step.status',
  step: 'a',
  item: number,
  attempt,
  status,
  backend: 'b',
});
const atWork = (number: number, ageMs: number) => ({ step: 'a', item: number, backend: 'b', ageMs });

it('knows items that run, since their attempt began, also where their backend does not answer meanwhile', () => {
  const events = log([1000, item(0, 'running')], [2000, item(1, 'running')], [3000, item(0, 'unresponsive')], [4000, item(0, 'running')]);
  expect(workBefore(events, 10_000)).toEqual({ items: [atWork(0, 9000), atWork(1, 8000)], ageMs: 9000 });
});

it('passes over what waits, has ended, or begins anew', () => {
  const events = log(
    [1000, item(0, 'running')],
    [2000, item(0, 'done')],
    [2000, item(1, 'queued')],
    [3000, item(2, 'running')],
    [4000, item(2, 'backing-off')],
    [5000, item(2, 'running', 2)],
  );
  expect(workBefore(events, 6000)).toEqual({ items: [atWork(2, 1000)], ageMs: 5000 });
});

it('has no pace where a person was asked, and a fresh one where the run was tried again', () => {
  const asked: RunEventBody = { type: 'choice.offered', into: 'x', after: 'a', pick: { min: 1, max: 1 }, candidates: [] };
  const retried: RunEventBody = { type: 'run.retried', nth: 2, again: ['a'] };
  const events = log([1000, item(0, 'running')], [2000, item(0, 'done')], [3000, asked], [4000, item(1, 'running')]);
  expect(workBefore(events, 5000)).toEqual({ items: [atWork(1, 1000)], ageMs: undefined });
  const again = log([1000, item(0, 'running')], [3000, asked], [4000, retried], [6000, item(0, 'running', 2)]);
  expect(workBefore(again, 7000)).toEqual({ items: [atWork(0, 1000)], ageMs: 1000 });
});

it('makes nothing older than it can be when the clock was set back', () => {
  expect(workBefore(log([9000, item(0, 'running')]), 1000)).toEqual({ items: [atWork(0, 0)], ageMs: 0 });
});

it('says nothing of a run that never began', () => {
  expect(workBefore([], 1000)).toEqual({ items: [], ageMs: undefined });
});
