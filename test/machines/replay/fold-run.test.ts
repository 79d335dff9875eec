// The fold against live machines: runs are played at random, and after every event of the log the folded states must be those of the machines.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldRun, SILENT_MOVES } from '#machines/replay/fold-run.ts';
import type { FoldedRun } from '#machines/replay/folded-run.ts';
import type { RunEventBody } from '#protocol/events.ts';
import { type Dice, type Logged, liveMachines, type RandomPlan, type RandomRun, startRandomRun } from './random-run.ts';

const PLANS: readonly RandomPlan[] = [
  { steps: [] },
  { steps: [{ id: 'a', needs: [] }] },
  {
    steps: [
      { id: 'a', needs: [] },
      { id: 'c', needs: [] },
      { id: 'choices.p', needs: ['a'] },
      { id: 'choices.q', needs: ['c'] },
      { id: 'b', needs: ['choices.p'] },
      { id: 'd', needs: ['b', 'choices.q'] },
    ],
  },
];

/** States that were seen where only a later event could tell them: fold > live. */
const silent = new Set<string>();
let crashes = 0;
/** States in which runs ended. */
const ends = new Set<unknown>();

function mayBe(machine: 'run' | 'step' | 'choice', folded: string, live: string): boolean {
  if (folded === live) return true;
  if (SILENT_MOVES[machine][folded]?.includes(live) !== true) return false;
  silent.add(`${machine}: ${folded} > ${live}`);
  return true;
}

/** Of the machines that live now: those whose folded state is another one, and those that only one side has. */
function differences(fold: FoldedRun, live: ReadonlyMap<string, string>): readonly string[] {
  const wrong: string[] = [];
  for (const [id, value] of live) {
    const machine = fold.machines.get(id);
    // A choice is told of once somebody can be asked.
    if (machine === undefined && id.startsWith('choice:') && value === 'offering') silent.add('choice: > offering');
    else if (machine === undefined || !mayBe(machine.machine, machine.value, value))
      wrong.push(`${id}: ${value}, folded ${machine?.value ?? 'absent'}`);
  }
  for (const { id, value, ended } of fold.machines.values()) if (!ended && !live.has(id)) wrong.push(`${id}: gone, folded ${value}`);
  return wrong;
}

/** Plays a run to its end, or as far as the numbers go; after each thing that happens the whole fold is held against all machines. */
async function play(plan: RandomPlan, numbers: readonly number[]): Promise<{ readonly run: RandomRun; readonly wrong: readonly string[] }> {
  const ids = { ids: plan.steps.map(({ id }) => id) };
  const wrong: string[] = [];
  let last = 0;
  const onTold = (id: string, value: string, log: readonly Logged[]) => {
    const machine = foldRun(log, ids).machines.get(id);
    if (machine?.value !== value && !isInferred(machine?.value, value))
      wrong.push(`event ${String(log.length)}: ${id} ${value}, folded ${machine?.value ?? 'absent'}`);
  };
  const run = startRandomRun(plan, (numbers[0] ?? 0) % 4 === 0, onTold);
  const dice: Dice = (below) => {
    last = (last + 1) % numbers.length;
    return (numbers[last] ?? 0) % below;
  };
  for (let count = 0; count < numbers.length && wrong.length === 0; count += 1) {
    if (!(await run.step(dice))) break;
    wrong.push(
      ...differences(foldRun(run.log, ids), liveMachines(run.actor)).map((text) => `after event ${String(run.log.length)}: ${text}`),
    );
  }
  return { run, wrong };
}

/** Within the turn of an item's end the run machine has not heard of it yet. */
function isInferred(folded: string | undefined, live: string): boolean {
  return (folded === 'collecting' && live === 'executing') || (folded === 'releasing' && live === 'cancelling');
}

function property(plan: RandomPlan) {
  return fc.asyncProperty(numbers, async (given) => {
    const { run, wrong } = await play(plan, given);
    crashes += run.crashes;
    if (run.actor.getSnapshot().status === 'done') ends.add(run.actor.getSnapshot().value);
    run.actor.stop();
    expect(wrong).toEqual([]);
  });
}

const numbers = fc.array(fc.nat(100_000), { minLength: 40, maxLength: 200 });

describe('fold of a run', () => {
  it.each(PLANS.map((plan) => [plan.steps.map(({ id }) => id).join(', ') || 'no step', plan] as const))(
    'has every machine in the state that it is in, after every event (%s)',
    async (_, plan) => {
      const numRuns = plan.steps.length > 3 ? 80 : 20;
      // The same ones each time, so that what must have been seen was seen; and others.
      for (const seed of [{ seed: 6 }, {}]) await expect(fc.assert(property(plan), { numRuns, ...seed })).resolves.toBeUndefined();
    },
  );

  it('was held against runs of every end, and over crashes', () => {
    expect(ends).toEqual(new Set(['succeeded', 'failed', 'cancelled', 'lost']));
    expect(crashes).toBeGreaterThan(20);
  });

  it('says of every move that no event tells that it can happen, and of no other', () => {
    const named = Object.entries(SILENT_MOVES).flatMap(([machine, moves]) =>
      Object.entries(moves).flatMap(([from, targets]) => targets.map((to) => `${machine}: ${from} > ${to}`)),
    );
    expect([...silent].toSorted()).toEqual([...named, 'choice: > offering'].toSorted());
  });

  it('shows a run as executing until its end where nobody knows its steps', () => {
    const fold = foldRun(
      logOf([
        { type: 'run.status', status: 'running' },
        { type: 'step.planned', step: 'a', items: 0 },
      ]),
    );
    expect(fold.machines.get('run')).toMatchObject({ value: 'executing', since: 2, ended: false });
  });
});

function logOf(bodies: readonly RunEventBody[]): readonly Logged[] {
  return [{ type: 'run.created', template: 't', version: '1' } as const, ...bodies].map((event, index) => ({ seq: index + 1, event }));
}

describe('fold of a run that was tried again', () => {
  const item = { step: 'a', item: 0 } as const;
  const error = { code: 'NODE_FAILED', message: 'x', retryable: false } as const;
  const before: readonly RunEventBody[] = [
    { type: 'run.status', status: 'running' },
    { type: 'step.planned', step: 'a', items: 2 },
    { type: 'step.status', ...item, attempt: 1, status: 'done' },
    { type: 'step.status', step: 'a', item: 1, attempt: 1, status: 'failed', error },
    { type: 'choice.made', into: 'p', picked: ['x'], by: 'person' },
    { type: 'run.status', status: 'failed', error },
  ];
  const plan = { ids: ['a', 'choices.p'] };

  it('begins anew, without the machines of the try before', () => {
    const fold = foldRun(logOf([...before, { type: 'run.retried', nth: 2, again: ['a'] }, { type: 'run.status', status: 'queued' }]), plan);
    expect([...fold.machines.values()]).toEqual([{ id: 'run', machine: 'run', value: 'loading', since: 8, ended: false }]);
    expect(fold.tries).toBe(2);
  });

  it('knows what is kept of items and of choices, and so when all is settled', () => {
    const again: readonly RunEventBody[] = [
      { type: 'run.retried', nth: 2, again: ['a'], picks: { p: ['x'] } },
      { type: 'run.status', status: 'running' },
      { type: 'step.planned', step: 'a', items: 2, kept: [0] },
      { type: 'step.status', step: 'a', item: 1, attempt: 2, status: 'done' },
    ];
    const fold = foldRun(logOf([...before, ...again]), plan);
    expect([...fold.machines.values()].map(({ id, value }) => [id, value])).toEqual([
      ['run', 'collecting'],
      ['step:a:1', 'done'],
    ]);
  });

  it('leaves machines that a forced end stopped where they were', () => {
    const forced: readonly RunEventBody[] = [
      { type: 'run.status', status: 'running' },
      { type: 'step.planned', step: 'a', items: 1 },
      { type: 'step.status', ...item, attempt: 1, status: 'running' },
      { type: 'run.status', status: 'cancelling' },
      { type: 'step.status', ...item, attempt: 1, status: 'lost', reason: 'given up' },
      { type: 'run.status', status: 'lost', error },
    ];
    const fold = foldRun(logOf(forced), plan);
    expect(fold.machines.get('step:a:0')).toMatchObject({ value: 'executing.running', ended: true, stopped: true });
    expect(fold.machines.get('run')).toMatchObject({ value: 'lost', ended: true });
  });

  it('goes on with an attempt that was taken up and is gone, and with one that the backend forgot', () => {
    for (const status of ['removed', 'lost'] as const) {
      const fold = foldRun(
        logOf([
          { type: 'run.status', status: 'running' },
          { type: 'step.planned', step: 'a', items: 1 },
          { type: 'step.status', ...item, attempt: 2, status },
        ]),
        { ids: ['a'] },
      );
      expect([...fold.machines.values()].map(({ id, value }) => [id, value])).toEqual([
        ['run', 'executing'],
        ['step:a:0', 'backing-off'],
      ]);
    }
  });
});
