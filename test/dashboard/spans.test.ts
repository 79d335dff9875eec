import { describe, expect, it } from 'vitest';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import type { StepStatus } from '#protocol/views.ts';
import { spansOf, workedFor } from '../../dashboard/run/spans.ts';

const at = (time: number, event: RunEventBody): RunEvent => ({ runId: 'r', seq: time, position: time, epoch: 'e', at: time, event });
const step = (time: number, item: number, status: StepStatus): RunEvent =>
  at(time, { type: 'step.status', step: 'draw', item, attempt: 1, status });

describe('the timeline of a run', () => {
  it('has a span for each time in which an item waited or worked', () => {
    const spans = spansOf([step(10, 0, 'queued'), step(20, 0, 'running'), step(50, 0, 'parsing'), step(60, 0, 'done')]);
    expect(spans.get('draw')).toEqual({
      from: 10,
      to: 60,
      spans: [
        { item: 0, phase: 'waiting', from: 10, to: 20 },
        { item: 0, phase: 'working', from: 20, to: 50 },
        { item: 0, phase: 'fetching', from: 50, to: 60 },
      ],
    });
  });

  it('makes one span of states that look alike', () => {
    expect(spansOf([step(1, 0, 'preparing'), step(2, 0, 'submitting'), step(5, 0, 'running')]).get('draw')?.spans).toEqual([
      { item: 0, phase: 'waiting', from: 1, to: 5 },
      { item: 0, phase: 'working', from: 5 },
    ]);
  });

  it('counts time once in which items worked side by side, and until now what still works', () => {
    const draw = spansOf([
      step(0, 0, 'running'),
      step(10, 1, 'running'),
      step(30, 0, 'done'),
      step(40, 2, 'running'),
      step(20, 1, 'done'),
    ]).get('draw');
    expect(draw === undefined ? 0 : workedFor(draw, 100)).toBe(90);
  });

  it('ends everything with the run', () => {
    const events = [step(5, 0, 'running'), at(9, { type: 'run.status', status: 'cancelled' })];
    expect(spansOf(events).get('draw')?.to).toBe(9);
  });

  it('shows how long a person was asked', () => {
    const events = [
      at(3, { type: 'choice.offered', into: 'look', after: 'draw', pick: { min: 1, max: 1 }, candidates: [] }),
      at(8, { type: 'choice.made', into: 'look', picked: [], by: 'person' }),
    ];
    expect(spansOf(events).get('choices.look')?.spans).toEqual([{ item: 0, phase: 'asking', from: 3, to: 8 }]);
  });
});
