// What the page makes of inspection messages, which come from a live machine here.
import { describe, expect, it } from 'vitest';
import { createInspectHub } from '#daemon/inspect/inspect-hub.ts';
import { foldRun } from '#machines/replay/fold-run.ts';
import type { InspectMessage } from '#protocol/inspect.ts';
import { createLiveActors } from '../../../dashboard/inspector/live-actors.ts';
import { foldedRows, liveActor, liveRows } from '../../../dashboard/inspector/tree-rows.ts';
import { startInspected, toBackend, toEnd } from '../../daemon/inspect/inspected.ts';

const FAST = { limits: { perSecond: 1e6, burst: 1e6, catchUpMs: 1, unreadableMs: 1, owed: 2000 } };
const events = [
  { seq: 1, event: { type: 'run.created', template: 't', version: '1' } },
  { seq: 2, event: { type: 'run.status', status: 'running' } },
  { seq: 3, event: { type: 'step.planned', step: 'a', items: 1 } },
] as const;

function watch(runId: string) {
  const hub = createInspectHub(FAST);
  const live = createLiveActors(runId);
  hub.look({ wants: () => true, send: (text) => (live.take(JSON.parse(text) as InspectMessage), true) });
  return { hub, live };
}

describe('live actors on the page', () => {
  it('have the state of their machine and the arrow that it went last', async () => {
    const { hub, live } = watch('r');
    const run = startInspected(hub, 'r');
    await toBackend(run);
    await run.fakes.report('a/0', { type: 'backend.queued' });
    expect(liveActor(live, 'run')).toMatchObject({ machine: 'run', value: 'executing', status: 'active' });
    expect(liveActor(live, 'step:a:0')).toMatchObject({
      machine: 'step',
      value: 'executing.queued',
      last: ['step.executing.submitting>step.executing.queued'],
    });
    await toEnd(run);
    expect(liveActor(live, 'run')).toBeUndefined();
    expect([...live.all.values()].find(({ machine }) => machine === 'run')).toMatchObject({ value: 'succeeded', status: 'done' });
  });

  it('keep both arrows of a turn that went over two', async () => {
    const { hub, live } = watch('r');
    const run = startInspected(hub, 'r');
    await run.fakes.resolve('load', { steps: [] });
    await run.fakes.resolve('inject', undefined);
    expect(liveActor(live, 'run')?.last).toEqual(['run.injecting>run.executing', 'run.executing>run.collecting']);
  });

  it('are those of one run alone', async () => {
    const { hub, live } = watch('r');
    startInspected(hub, 'r');
    await toBackend(startInspected(hub, 's'));
    expect([...live.all.values()].map(({ name }) => name)).toEqual(['r', 'load']);
  });

  it('do not grow without end: of those that have ended the newest stay', async () => {
    const { hub, live } = watch('r');
    const run = startInspected(hub, 'r');
    await run.fakes.resolve('load', { steps: Array.from({ length: 200 }, (_, nth) => ({ id: `s${String(nth)}`, needs: [] })) });
    await run.fakes.resolve('inject', undefined);
    for (let nth = 0; nth < 199; nth += 1) await run.fakes.resolve(`plan s${String(nth)}`, { items: 0 });
    expect(live.all.size).toBeLessThan(60);
    expect(liveActor(live, 'run')?.value).toBe('executing');
  });
});

describe('the rows of the tree', () => {
  it('show a machine as it is now, with its actors below it, and one that no event has told of', async () => {
    const { hub, live } = watch('r');
    await toBackend(startInspected(hub, 'r'));
    const shown = (rows: ReturnType<typeof liveRows>) => rows.map(({ name, depth, state, isMachine }) => [name, depth, state, isMachine]);
    expect(shown(foldedRows(foldRun(events)))).toEqual([
      ['run', 0, 'executing', true],
      ['step a:0', 1, 'preparing', true],
    ]);
    const live3 = [
      ['run', 0, 'executing', true],
      ['step a:0', 1, 'executing › submitting', true],
      ['execute', 2, 'active', false],
    ];
    expect(shown(liveRows(foldRun(events), live))).toEqual(live3);
    expect(shown(liveRows(foldRun(events.slice(0, 2)), live))).toEqual(live3);
  });
});
