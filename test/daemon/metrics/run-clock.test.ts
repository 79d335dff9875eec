// What the clock makes of a run's log, with times that are given.
import { describe, expect, it } from 'vitest';
import { createCounters } from '#daemon/metrics/counters.ts';
import type { Fact } from '#daemon/metrics/facts.ts';
import { createRunClock } from '#daemon/metrics/run-clock.ts';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import type { RunRow } from '#store/types.ts';

/** A log of which everything before `from` was told to another process. */
function clockOf(bodies: readonly (readonly [at: number, body: RunEventBody])[], from = 0) {
  const log = bodies.map(([at, event], index): RunEvent => ({ runId: 'r', seq: index + 1, position: index + 1, epoch: 'e', at, event }));
  const reads: number[] = [];
  const clock = createRunClock({
    run: (runId) => (runId === 'r' ? ({ template: 'hero', createdAt: bodies[0]?.[0] ?? 0 } as RunRow) : undefined),
    events({ after, limit }) {
      reads.push(after);
      return log.slice(after, after + limit);
    },
  });
  return { clock, reads, facts: log.slice(from).flatMap((event) => clock.take(event)) };
}

const step = (status: string, more: object = {}) =>
  ({ type: 'step.status', step: 'base', item: 0, attempt: 1, backend: 'b', promptId: 'p', status, ...more }) as RunEventBody;
const CREATED: RunEventBody = { type: 'run.created', template: 'hero', version: '1.0.0' };
const end = (status: 'succeeded' | 'failed'): RunEventBody => ({ type: 'run.status', status });
const short = (facts: readonly Fact[]) =>
  facts.map((fact) => {
    const what = fact.kind === 'phase' ? fact.phase : fact.kind === 'attempt' ? fact.outcome : fact.kind === 'item' ? fact.status : '';
    return 'from' in fact ? [fact.kind, what, fact.from, fact.until] : [fact.kind, what];
  });

const LOG: readonly (readonly [number, RunEventBody])[] = [
  [1000, CREATED],
  [1100, { type: 'step.planned', step: 'base', items: 1 }],
  [1200, step('waiting')],
  [1300, step('submitting')],
  [1400, step('queued')],
  [1500, step('running')],
  [1600, step('unknown')],
  [1700, step('running')],
  [2000, step('done')],
  [2100, end('succeeded')],
];

describe('the clock of runs', () => {
  it('tells each phase, attempt, item, step and run once, when it is over', () => {
    expect(short(clockOf(LOG).facts)).toEqual([
      ['accepted', ''],
      ['phase', 'place', 1200, 1300],
      ['phase', 'submit', 1300, 1400],
      ['phase', 'backend-queue', 1400, 1500],
      ['phase', 'execute', 1500, 1600],
      ['phase', 'out-of-touch', 1600, 1700],
      ['phase', 'execute', 1700, 2000],
      ['attempt', 'finished', 1300, 2000],
      ['item', 'done'],
      ['step', '', 1100, 2000],
      ['run', '', 1000, 2100],
    ]);
  });

  it.each(LOG.map((_, from) => from).slice(1))(
    'tells the same of the rest after a restart before line %i, with the right times',
    (from) => {
      const whole = clockOf(LOG).facts;
      const rest = clockOf(LOG, from).facts;
      expect(short(rest)).toEqual(short(whole).slice(whole.length - rest.length));
      expect(rest.every(({ resumed }) => resumed)).toBe(true);
      // What was over before is not told again.
      const before = clockOf(LOG.slice(0, from)).facts;
      expect(before.length + rest.length).toBe(whole.length);
    },
  );

  it('ends the execution where the outputs begin to be brought home', () => {
    const { clock } = clockOf(LOG.slice(0, 8));
    clock.measured({ phase: 'parse', runId: 'r', step: 'base', item: 0, attempt: 1, from: 1800, until: 1950 });
    const facts = clock.take({ runId: 'r', seq: 9, position: 9, epoch: 'e', at: 2000, event: step('done') });
    expect(short(facts)).toContainEqual(['phase', 'execute', 1700, 1800]);
  });

  it('never tells a time below nothing when the clock on the wall was set back', () => {
    const { facts } = clockOf(LOG.map(([at, body]) => [4000 - at, body] as const));
    const times = facts.flatMap((fact) => ('from' in fact ? [fact.until - fact.from] : []));
    expect(times.length).toBeGreaterThan(3);
    expect(Math.min(...times)).toBe(0);
  });

  it('tells a lost attempt that is tried again as lost, and why it is', () => {
    const { facts } = clockOf([
      [1, CREATED],
      [2, step('submitting')],
      [3, step('lost')],
      [4, step('backing-off')],
      [5, step('submitting', { attempt: 2 })],
      [6, step('done', { attempt: 2 })],
    ]);
    expect(facts.filter(({ kind }) => kind === 'attempt' || kind === 'retry')).toMatchObject([
      { kind: 'attempt', attempt: 1, outcome: 'lost' },
      { kind: 'retry', class: 'transient', code: 'BACKEND_RESTARTED' },
      { kind: 'attempt', attempt: 2, outcome: 'finished' },
    ]);
  });

  it('tells a step whose items were all kept from an earlier try as over at once', () => {
    const { facts } = clockOf([
      [1, CREATED],
      [2, { type: 'step.planned', step: 'base', items: 2, kept: [0, 1] }],
    ]);
    expect(facts.at(-1)).toMatchObject({ kind: 'step', status: 'done', items: 2 });
  });

  it('ends the steps that were open with the run', () => {
    const { facts } = clockOf([
      [1, CREATED],
      [2, { type: 'step.planned', step: 'base', items: 3 }],
      [3, step('done')],
      [4, end('failed')],
    ]);
    expect(facts.slice(-2)).toMatchObject([
      { kind: 'step', status: 'failed' },
      { kind: 'run', status: 'failed' },
    ]);
  });

  it('reads no log for what is said of a run after its end', () => {
    const { clock, reads } = clockOf(LOG);
    const note: RunEventBody = { type: 'run.note', code: 'ATTEMPT_LATE', message: 'late' };
    expect(clock.take({ runId: 'r', seq: 11, position: 11, epoch: 'e', at: 3000, event: note })).toEqual([]);
    expect(reads).toEqual([]);
    expect(clock.measured({ phase: 'collect', runId: 'r', from: 1, until: 2 })).toEqual([]);
  });

  it('tells what is measured of a run that a process before this one began, and that no event has come of since', () => {
    const { clock, reads } = clockOf(LOG.slice(0, 8), 8);
    const parse = { phase: 'parse', runId: 'r', step: 'base', item: 0, attempt: 1, from: 1800, until: 1950 } as const;
    expect(clock.measured(parse)).toEqual([{ kind: 'phase', template: 'hero', nth: 1, resumed: true, ...parse }]);
    expect(short(clock.measured({ ...parse, phase: 'fetch' }))).toEqual([['phase', 'fetch', 1800, 1950]]);
    const facts = clock.take({ runId: 'r', seq: 9, position: 9, epoch: 'e', at: 2000, event: step('done') });
    expect(short(facts)).toContainEqual(['phase', 'execute', 1700, 1800]);
    // Its log is read once.
    expect(reads).toEqual([0]);
  });

  it('tells how long a run was queued that was so over a restart', () => {
    const { clock } = clockOf([[1000, CREATED]], 1);
    expect(short(clock.measured({ phase: 'load', runId: 'r', from: 5000, until: 5100 }))).toEqual([
      ['phase', 'run-queue', 1000, 5000],
      ['phase', 'load', 5000, 5100],
    ]);
  });

  it('tells nothing of a queue when a run that had begun is loaded again after a restart', () => {
    const { clock } = clockOf(LOG.slice(0, 2), 2);
    expect(short(clock.measured({ phase: 'load', runId: 'r', from: 5000, until: 5100 }))).toEqual([['phase', 'load', 5000, 5100]]);
  });

  it('tells a choice that ends without a pick after a restart', () => {
    const { facts } = clockOf(
      [
        [1000, CREATED],
        [2000, { type: 'choice.offered', into: 'best', after: 'base', pick: { min: 1, max: 1 }, candidates: [] }],
        [3000, { type: 'choice.status', into: 'best', status: 'cancelled' }],
      ],
      2,
    );
    expect(short(facts)).toEqual([['phase', 'choice', 2000, 3000]]);
  });

  it('counts a later try from when it was asked for', () => {
    const { facts } = clockOf([...LOG, [5000, { type: 'run.retried', nth: 2, again: [] }], [6000, end('failed')]], LOG.length);
    expect(facts).toMatchObject([
      { kind: 'retried', nth: 2 },
      { kind: 'run', nth: 2, from: 5000, until: 6000, status: 'failed' },
    ]);
  });
});

describe('labels', () => {
  it('name a hundred templates and call the others other, whatever clients start', () => {
    const counters = createCounters();
    for (let n = 0; n < 1000; n += 1) counters.fact({ kind: 'accepted', runId: `r${n}`, template: `t${n}`, nth: 1, resumed: false });
    const samples = counters.tallies.callsheet_runs_accepted_total?.samples() ?? [];
    expect(samples).toHaveLength(101);
    expect(samples.find(({ labels }) => labels['template'] === 'other')?.value).toBe(900);
  });
});
