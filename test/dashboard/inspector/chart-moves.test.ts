import { describe, expect, it } from 'vitest';
import { CHARTS } from '../../../dashboard/inspector/charts.ts';
import { activeStates, dotted, initialState, wayBetween } from '../../../dashboard/inspector/chart-moves.ts';

const chart = (id: 'run' | 'step' | 'choice') => {
  const found = CHARTS[id];
  if (found === undefined) throw new Error(`no chart ${id}`);
  return found;
};

describe('ways in a chart', () => {
  it('lead over states that no event tells of', () => {
    expect(wayBetween(chart('run'), 'loading', 'executing')).toEqual(['run.loading>run.injecting', 'run.injecting>run.executing']);
    expect(wayBetween(chart('step'), 'backing-off', 'executing.submitting')).toEqual([
      'step.backing-off>step.preparing',
      'step.preparing>step.executing',
    ]);
    expect(wayBetween(chart('choice'), 'offering', 'waiting.timed')).toEqual([
      'choice.offering>choice.waiting',
      'choice.waiting.asked>choice.waiting.timed',
    ]);
  });

  it('begin at a state or at one around it, and end in what is entered with a state', () => {
    expect(wayBetween(chart('step'), 'executing.queued', 'executing.running')).toEqual(['step.executing.queued>step.executing.running']);
    expect(wayBetween(chart('step'), 'executing.queued', 'parsing')).toEqual(['step.executing>step.parsing']);
  });

  it('are none where nothing moved, and where there is no way', () => {
    expect(wayBetween(chart('run'), 'executing', 'executing')).toEqual([]);
    expect(wayBetween(chart('run'), 'succeeded', 'loading')).toEqual([]);
    expect(wayBetween(chart('run'), 'nowhere', 'loading')).toEqual([]);
  });
});

describe('states in a chart', () => {
  it('are all drawn, from outside in', () => {
    expect(activeStates(chart('step'), 'executing.queued')).toEqual(['step.executing', 'step.executing.queued']);
    const ids = new Set(chart('step').nodes.map(({ id }) => id));
    for (const id of activeStates(chart('step'), 'executing.queued')) expect(ids).toContain(id);
  });

  it('are written with dots', () => {
    expect([dotted('done'), dotted({ executing: 'queued' }), dotted(undefined), dotted({})]).toEqual(['done', 'executing.queued', '', '']);
  });

  it('begin with the initial one', () => {
    expect((['run', 'step', 'choice'] as const).map((id) => initialState(chart(id)))).toEqual(['loading', 'preparing', 'offering']);
  });
});
