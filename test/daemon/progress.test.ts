// One number for a whole run: never falling, also not across restarts, and 1 only at the end.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWorking } from '#daemon/at-rest.ts';
import { createProgressTracker, type UsualStep } from '#daemon/progress.ts';
import type { StepProgress } from '#machines/run-steps.ts';

const RUN = 'r';

const step = (id: string, change: Partial<StepProgress> = {}): StepProgress => ({
  id,
  needs: [],
  status: 'active',
  items: 1,
  open: [0],
  next: 1,
  failed: 0,
  lost: 0,
  reason: null,
  error: null,
  ...change,
});
const pending = (id: string) => step(id, { status: 'pending', items: 0, open: [], next: 0 });
const done = (id: string, items = 1) => step(id, { status: 'done', items, open: [], next: items });
const usual = (means: Record<string, number>, items: Record<string, number> = {}): ReadonlyMap<string, UsualStep> =>
  new Map(Object.entries(means).map(([id, mean]) => [id, { mean, variance: 0, items: items[id] ?? 1 }]));

/** As if everything were written down at once. */
function tracker(learned?: ReadonlyMap<string, UsualStep>, now?: () => number) {
  const made = createProgressTracker(() => learned, now);
  const store = (steps: readonly StepProgress[]) => made.store(RUN, steps);
  const eta = (steps: readonly StepProgress[]) => made.eta(RUN, steps);
  const told = (id: string, item: number, value: number, steps: readonly StepProgress[], backend = 'b') => {
    store(steps);
    made.report({ runId: RUN, step: id, item, backend, value }, steps);
    return store(steps);
  };
  return { told, eta, store };
}

describe('the progress of a run', () => {
  it('counts steps alike while nothing is known of them', () => {
    const { told } = tracker();
    expect(told('a', 0, 0.5, [step('a'), pending('b')])).toBeCloseTo(0.25);
    expect(told('b', 0, 0.5, [done('a'), step('b')])).toBeCloseTo(0.75);
  });

  it('weighs steps by what they took before, and by how many items they have', () => {
    const { told } = tracker(usual({ a: 10, b: 30 }, { b: 3 }));
    expect(told('a', 0, 1, [step('a'), pending('b')])).toBeCloseTo(0.1);
    const fan = (open: readonly number[], next: number) => step('b', { items: 3, open, next });
    expect(told('b', 1, 0.5, [done('a'), fan([1, 2], 3)])).toBeCloseTo(0.1 + 0.9 * 0.5);
  });

  it('counts only items that have ended as done, not those that have not begun', () => {
    const { told } = tracker();
    expect(told('a', 0, 0, [step('a', { items: 60, open: [0, 1, 2], next: 3 })])).toBe(0);
    expect(told('a', 3, 0, [step('a', { items: 60, open: [3], next: 4 })])).toBeCloseTo(3 / 60);
  });

  it('stays where it is when a step fails and blocks others, and moves on with those that can still be done', () => {
    const { told, store } = tracker();
    const failed = step('a', { status: 'failed', open: [], failed: 1 });
    const blocked = step('b', { status: 'blocked', items: 0, open: [], next: 0 });
    expect(told('a', 0, 0.6, [step('a'), pending('b'), pending('c'), pending('d')])).toBeCloseTo(0.15);
    expect(store([failed, blocked, pending('c'), pending('d')])).toBeCloseTo(0.15);
    expect(told('c', 0, 0.5, [failed, blocked, step('c'), pending('d')])).toBeGreaterThan(0.15);
    expect(store([failed, blocked, done('c'), done('d')])).toBeLessThan(0.65);
    const half = step('a', { status: 'failed', items: 4, open: [], next: 4, failed: 2 });
    expect(tracker().store([half])).toBeCloseTo(0.5);
  });

  it('counts skipped steps as work that need not be done', () => {
    const { told } = tracker();
    expect(told('b', 0, 0.5, [step('a', { status: 'skipped', items: 0, open: [], next: 0 }), step('b')])).toBeCloseTo(0.75);
  });

  it('stays where it is when an attempt begins anew, and goes on from there at once', () => {
    const { told } = tracker();
    expect(told('a', 0, 0.8, [step('a')])).toBeCloseTo(0.8);
    expect(told('a', 0, 0, [step('a')])).toBeCloseTo(0.8);
    expect(told('a', 0, 0.5, [step('a')])).toBeCloseTo(0.9);
  });

  it('stays where it is when a step turns out to be longer, and goes on from there at once', () => {
    const { told } = tracker(usual({ a: 1, b: 1 }));
    expect(told('a', 0, 1, [step('a'), pending('b')])).toBeCloseTo(0.5);
    const fan = (open: readonly number[], next: number) => step('b', { items: 9, open, next });
    expect(told('b', 0, 0, [done('a'), fan([0], 1)])).toBeCloseTo(0.5);
    expect(told('b', 3, 0, [done('a'), fan([3], 4)])).toBeCloseTo(0.5 + 0.5 * (3 / 9));
  });

  it('never runs further ahead of what is on disk than a restart gives back', () => {
    const made = createProgressTracker();
    const steps = [step('a')];
    const report = (value: number) => made.report({ runId: RUN, step: 'a', item: 0, backend: 'b', value }, steps);
    made.store(RUN, steps);
    expect(report(0.5)).toBe(0.05);
    expect(made.isAhead(RUN)).toBe(true);
    expect(made.store(RUN, steps)).toBe(0.5);
    expect(report(0.52)).toBe(0.5);
    expect(made.isAhead(RUN)).toBe(true);
    expect(made.store(RUN, steps)).toBeCloseTo(0.52);
    expect(report(0.54)).toBeCloseTo(0.54);
    expect(made.isAhead(RUN)).toBe(false);
    expect(report(0.57)).toBeCloseTo(0.55);
  });

  it('does not creep when daemons die again and again while nothing moves', () => {
    let onDisk = 0.63;
    for (let deaths = 0; deaths < 5; deaths += 1) {
      const made = createProgressTracker();
      made.resume(RUN, { stored: onDisk, told: true });
      onDisk = made.store(RUN, [step('a')]);
    }
    expect(onDisk).toBe(0.65);
  });

  it('stays exactly where it was across restarts while nothing is at work', () => {
    let onDisk = 0.63;
    for (let deaths = 0; deaths < 5; deaths += 1) {
      const made = createProgressTracker();
      made.resume(RUN, { stored: onDisk, told: false });
      onDisk = made.store(RUN, [done('a'), pending('b')]);
    }
    expect(onDisk).toBe(0.63);
  });

  it('goes on after a restart from where it was heard of last, without a leap', () => {
    const made = createProgressTracker();
    const steps = [step('a')];
    made.resume(RUN, { stored: 0.62, told: true });
    expect(made.of(RUN, steps)).toBeCloseTo(0.65);
    made.store(RUN, steps);
    made.report({ runId: RUN, step: 'a', item: 0, backend: 'b', value: 0.6 }, steps);
    expect(made.store(RUN, steps)).toBeCloseTo(0.65);
    made.report({ runId: RUN, step: 'a', item: 0, backend: 'b', value: 0.8 }, steps);
    expect(made.store(RUN, steps)).toBeCloseTo(0.825);
  });

  it('knows after a restart how long an item has been at work, and tells the time that is left before anything is heard of it', () => {
    let now = 1_000_000;
    const made = createProgressTracker(
      () => usual({ a: 100, b: 50 }),
      () => now,
    );
    const steps = [step('a'), pending('b')];
    made.resume(RUN, { stored: 0.4, told: true, items: [{ step: 'a', item: 0, backend: 'b', ageMs: 70_000 }], ageMs: 70_000 });
    made.of(RUN, steps);
    expect(made.eta(RUN, steps)?.seconds).toBe(80);
    now += 10_000;
    made.report({ runId: RUN, step: 'a', item: 0, backend: 'b', value: 0.8 }, steps);
    expect(made.eta(RUN, steps)?.seconds).toBe(70);
    // The next attempt is another one.
    made.report({ runId: RUN, step: 'a', item: 0, backend: 'b', value: 0 }, steps);
    expect(made.eta(RUN, steps)?.seconds).toBe(150);
  });

  it('keeps its pace across a restart where there is no history', () => {
    let now = 1_000_000;
    const made = createProgressTracker(undefined, () => now);
    const steps = [step('a')];
    made.resume(RUN, { stored: 0.5, told: true, items: [{ step: 'a', item: 0, backend: 'b', ageMs: 60_000 }], ageMs: 60_000 });
    made.of(RUN, steps);
    expect(made.eta(RUN, steps)?.seconds).toBe(60);
    now += 15_000;
    made.report({ runId: RUN, step: 'a', item: 0, backend: 'b', value: 0.75 }, steps);
    expect(made.eta(RUN, steps)?.seconds).toBe(25);
  });

  it('has no pace after a restart where a person was asked before', () => {
    const made = createProgressTracker();
    const steps = [done('a'), step('b')];
    made.resume(RUN, { stored: 0.5, told: true, items: [{ step: 'b', item: 0, backend: 'b', ageMs: 1000 }] });
    made.of(RUN, steps);
    expect(made.eta(RUN, steps)).toBeUndefined();
  });

  it('is 0 after a restart of a run of which nobody heard anything yet', () => {
    const made = createProgressTracker();
    made.resume(RUN, { stored: 0, told: false });
    expect(made.of(RUN, [pending('a')])).toBe(0);
  });

  it('never falls, stays between 0 and 1, and is never 1 before the end, whatever happens and however often the daemon dies (property)', () => {
    const ids = ['a', 'b', 'c'] as const;
    const happening = fc.oneof(
      fc.record({
        do: fc.constant('report' as const),
        at: fc.nat(2),
        item: fc.nat(6),
        value: fc.oneof(fc.double(), fc.double({ min: 0, max: 1 })),
      }),
      fc.record({ do: fc.constant('plan' as const), at: fc.nat(2), items: fc.nat(6) }),
      fc.record({ do: fc.constant('open' as const), at: fc.nat(2) }),
      fc.record({ do: fc.constant('close' as const), at: fc.nat(2) }),
      fc.record({
        do: fc.constant('settle' as const),
        at: fc.nat(2),
        status: fc.constantFrom('done' as const, 'skipped' as const, 'failed' as const),
      }),
      fc.record({ do: fc.constant('store' as const) }),
      fc.record({ do: fc.constant('kill' as const) }),
    );
    const learned = fc.option(
      fc.dictionary(fc.constantFrom(...ids), fc.double({ min: 0, max: 1e6, noNaN: true })).map((means) => usual(means, { b: 3 })),
      { nil: undefined },
    );
    fc.assert(
      fc.property(learned, fc.array(happening, { maxLength: 60 }), (known, happenings) => {
        let made = createProgressTracker(() => known);
        let steps: StepProgress[] = ids.map((id) => pending(id));
        let stored = 0;
        let wasAtWork = false;
        let told = 0;
        const heard = (value: number) => {
          expect(value >= told && value < 1).toBe(true);
          told = value;
        };
        const change = (at: number, how: (one: StepProgress) => StepProgress) => {
          steps = steps.map((one, place) => (place === at ? how(one) : one));
        };
        for (const each of happenings) {
          if (each.do === 'report')
            heard(made.report({ runId: RUN, step: ids[each.at] ?? 'a', item: each.item, backend: 'b', value: each.value }, steps));
          else if (each.do === 'plan')
            change(each.at, (one) => (one.status === 'pending' ? { ...one, status: 'active', items: each.items } : one));
          else if (each.do === 'open')
            change(each.at, (one) => (one.next < one.items ? { ...one, open: [...one.open, one.next], next: one.next + 1 } : one));
          else if (each.do === 'close') change(each.at, (one) => ({ ...one, open: one.open.slice(1) }));
          else if (each.do === 'settle') change(each.at, (one) => ({ ...one, status: each.status, open: [], next: one.items }));
          else if (each.do === 'store') {
            stored = made.store(RUN, steps);
            wasAtWork = steps.some(isWorking);
          } else {
            made = createProgressTracker(() => known);
            made.resume(RUN, { stored, told: wasAtWork });
          }
          heard(made.of(RUN, steps));
        }
      }),
    );
  });

  it('comes as close to 1 as it may when everything has settled (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }), (values) => {
        const { told, store } = tracker();
        for (const value of values) told('a', 0, value, [step('a'), pending('b')]);
        expect(store([done('a'), done('b', 3)])).toBe(0.999);
      }),
    );
  });
});

describe('what is left', () => {
  it('is not guessed before anything has begun', () => {
    expect(tracker(usual({ a: 10 })).eta([pending('a')])).toBeUndefined();
  });

  it('is what the steps took before, and shrinks as time goes by', () => {
    let now = 0;
    const { told, eta } = tracker(usual({ a: 10, b: 30 }), () => now);
    told('a', 0, 0, [step('a'), pending('b')]);
    expect(eta([step('a'), pending('b')])).toEqual({ seconds: 40, range: [36, 44] });
    now = 4000;
    expect(eta([step('a'), pending('b')])?.seconds).toBe(36);
    told('b', 0, 0, [done('a'), step('b')]);
    expect(eta([done('a'), step('b')])?.seconds).toBe(30);
  });

  it('is half as long when two backends share the items', () => {
    const { told, eta } = tracker(usual({ a: 10 }), () => 0);
    const steps = [step('a', { items: 6, open: [0, 1], next: 2 })];
    told('a', 0, 0, steps, 'one');
    expect(eta(steps)?.seconds).toBe(60);
    told('a', 1, 0, steps, 'two');
    expect(eta(steps)?.seconds).toBe(30);
  });

  it('is as vague as earlier runs differed', () => {
    const learned = new Map([['a', { mean: 100, variance: 2500, items: 1 }]]);
    const { told, eta } = tracker(learned, () => 0);
    told('a', 0, 0, [step('a')]);
    expect(eta([step('a')])).toEqual({ seconds: 100, range: [36, 164] });
  });

  it('follows the present pace when there is no history, and says how little that is', () => {
    let now = 0;
    const { told, eta } = tracker(undefined, () => now);
    told('a', 0, 0, [step('a')]);
    now = 10_000;
    expect(eta([step('a')])).toBeUndefined();
    told('a', 0, 0.25, [step('a')]);
    expect(eta([step('a')])).toEqual({ seconds: 30, range: [15, 60] });
  });

  it('is still something when an item takes longer than ever before', () => {
    let now = 0;
    const { told, eta } = tracker(usual({ a: 10 }), () => now);
    told('a', 0, 0.02, [step('a')]);
    now = 25_000;
    expect(eta([step('a')])?.seconds).toBeGreaterThan(0);
    told('a', 0, 0.5, [step('a')]);
    expect(eta([step('a')])?.seconds).toBeGreaterThan(10);
  });
});
