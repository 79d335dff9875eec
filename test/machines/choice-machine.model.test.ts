// Every shortest path through the choice machine is walked on a live actor: once plainly, once with persist + stop + restore before every event.
import { describe, expect, it } from 'vitest';
import { createActor, type EventFromLogic, SimulatedClock } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { ChoiceOffer } from '#actors/logic.ts';
import { type ChoiceMachine, createChoiceMachine } from '#machines/choice-machine.ts';
import { armTimers, mustFit, snapshotText, timersOf } from '#daemon/snapshots.ts';
import { createFakeActors, type FakeActors, turn } from './fake-actors.ts';

const input = { runId: 'r', into: 'p', skipped: [] };
const error = { code: 'CHOICE_IMPOSSIBLE', message: 'x', retryable: false } as const;
const MINUTE = 60_000;

const offer = (timeoutMs: number | null, onTimeout: ChoiceOffer['onTimeout'], pick = { min: 1, max: 2 }): ChoiceOffer => ({
  asked: { into: 'p', after: 'a', pick, candidates: ['x', 'y', 'z'].map((id, index) => ({ index, id })) },
  timeoutMs,
  onTimeout,
});

/** What the world can say to the machine; ends of invoked actors and timers are events like any other. */
const EVENTS = [
  ...[
    { skip: 'nothing' },
    offer(null, 'fail'),
    offer(MINUTE, 'fail'),
    offer(MINUTE, 'first'),
    offer(MINUTE, 'first', { min: 0, max: 3 }),
    offer(MINUTE, 'first', { min: 2, max: 2 }),
    offer(MINUTE, 'wait'),
  ].map((output) => ({ type: 'xstate.done.actor.offer', output, actorId: 'offer' })),
  { type: 'xstate.error.actor.offer', error, actorId: 'offer' },
  ...[[], ['x'], ['z', 'x'], ['x', 'x'], ['x', 'y', 'z'], ['stranger']].map((picked) => ({ type: 'choice.make', picked })),
  { type: 'xstate.after.timeout.choice.waiting.timed' },
];

/** Whom a choice tells that it waits is another test's matter: here it stands alone. */
const alone = (fakes: FakeActors) => createChoiceMachine(fakes.actors).provide({ actions: { tellRun: () => undefined } });
const model = alone(createFakeActors());
const paths = getShortestPaths(model, {
  events: EVENTS as unknown as EventFromLogic<ChoiceMachine>[],
  input,
  stopWhen: (snapshot) => snapshot.status !== 'active',
});

async function play(
  fakes: FakeActors,
  clock: SimulatedClock,
  send: (event: EventFromLogic<ChoiceMachine>) => void,
  event: { readonly type: string },
): Promise<void> {
  if (event.type.startsWith('xstate.done')) await fakes.resolve('offer p', (event as { readonly output?: unknown }).output);
  else if (event.type.startsWith('xstate.error')) await fakes.reject('offer p', error);
  else if (event.type.startsWith('xstate.after')) clock.increment(MINUTE);
  else send(event as EventFromLogic<ChoiceMachine>);
  await turn();
}

describe.each([
  ['without a pause', false],
  ['with a restart before every event', true],
])('choice machine, %s', (_, restarts) => {
  it.each(paths.map((path) => [path.steps.map((step) => step.event.type).join(' > '), path] as const))('%s', async (_title, path) => {
    const fakes = createFakeActors();
    const clock = new SimulatedClock();
    const machine = alone(fakes);
    let actor = createActor(machine, { input, clock });
    actor.start();
    for (const { event } of path.steps.slice(1)) {
      if (restarts) {
        const text = snapshotText(actor.getPersistedSnapshot());
        const timers = timersOf(actor);
        actor.stop();
        mustFit(machine, JSON.parse(text));
        actor = createActor(machine, { input, clock, snapshot: JSON.parse(text) as ReturnType<typeof actor.getSnapshot> });
        actor.start();
        armTimers(actor, timers, Date.now());
        await turn();
      }
      await play(fakes, clock, (sent) => actor.send(sent), event);
    }
    expect({ value: actor.getSnapshot().value, context: actor.getSnapshot().context }).toEqual({
      value: path.state.value,
      context: path.state.context,
    });
  });
});

describe('choice machine', () => {
  it('reaches every one of its states', () => {
    const reached = new Set(
      paths.flatMap(({ state: { value } }) =>
        typeof value === 'string' ? [value] : Object.entries(value).flatMap(([key, inner]) => [key, `${key}.${inner}`]),
      ),
    );
    const all = Object.values(model.states).flatMap((state) => [
      state.key,
      ...Object.keys(state.states).map((child) => `${state.key}.${child}`),
    ]);
    // Left in the moment in which it is entered.
    expect(all.filter((state) => !reached.has(state))).toEqual(['waiting.asked']);
  });

  it('is made with a pick that fits, and with nothing else', () => {
    const made = paths.filter((path) => path.state.value === 'made').map((path) => path.state.context);
    expect(made.length).toBeGreaterThan(5);
    for (const { picked, pick, candidates } of made) {
      expect(picked.length).toBeGreaterThanOrEqual(pick.min);
      expect(picked.length).toBeLessThanOrEqual(pick.max);
      expect(picked.every((id, place) => candidates.includes(id) && picked.indexOf(id) === place)).toBe(true);
    }
  });

  it('takes as few as are enough, but one at least, when the time is up', () => {
    const byTime = paths.filter((path) => path.state.context.by === 'timeout').map((path) => path.state.context.picked.length);
    expect(byTime.toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
  });

  it('says in every end what became of it', () => {
    const ends = paths.filter((path) => path.state.status === 'done');
    expect(ends.every((path) => (path.state.output as { readonly status: string }).status === path.state.value)).toBe(true);
    expect(ends.filter((path) => path.state.value === 'failed').every((path) => path.state.context.error !== null)).toBe(true);
  });
});
