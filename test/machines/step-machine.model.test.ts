// Every shortest path through the step machine is walked on a live actor: once plainly, once with persist + stop + restore before every event.
import { describe, expect, it } from 'vitest';
import { createActor, type EventFromLogic, SimulatedClock } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { MOST_RETRIES } from '#machines/back-off.ts';
import { createStepMachine, type StepMachine } from '#machines/step-machine.ts';
import { armTimers, mustFit, snapshotText, timersOf } from '#daemon/snapshots.ts';
import { createFakeActors, type FakeActors, turn } from './fake-actors.ts';

const input = { runId: 'r', step: 's', item: 0, skipped: [] };
const error = { code: 'NODE_FAILED', message: 'x', retryable: false } as const;
const unavailable = { code: 'BACKEND_HTTP', message: 'x', retryable: true } as const;
const tooBig = { code: 'OUT_OF_MEMORY', message: 'x', retryable: true } as const;
const outputs = { files: [], texts: [], cachedNodes: [] };
const prepared = { promptId: 'p', backendId: 'b' };

/** What the world can say to the machine; ends of invoked actors and timers are events like any other. */
const EVENTS = [
  { type: 'xstate.done.actor.prepare', output: prepared, actorId: 'prepare' },
  { type: 'xstate.done.actor.prepare', output: { cached: true, draft: true }, actorId: 'prepare' },
  { type: 'xstate.error.actor.prepare', error, actorId: 'prepare' },
  { type: 'xstate.error.actor.prepare', error: unavailable, actorId: 'prepare' },
  { type: 'xstate.done.actor.free', output: { lower: true }, actorId: 'free' },
  { type: 'xstate.done.actor.free', output: { lower: false }, actorId: 'free' },
  { type: 'xstate.error.actor.free', error, actorId: 'free' },
  { type: 'backend.queued' },
  { type: 'backend.started' },
  { type: 'backend.contact', status: 'lost' },
  { type: 'backend.contact', status: 'unresponsive' },
  { type: 'backend.contact', status: 'restored' },
  { type: 'backend.finished', outputs },
  { type: 'backend.failed', error },
  { type: 'backend.failed', error: unavailable },
  { type: 'backend.failed', error: tooBig },
  { type: 'backend.lost', cause: 'restarted' },
  { type: 'backend.lost', cause: 'removed' },
  { type: 'step.cancel' },
  { type: 'xstate.after.backOff.step.backing-off' },
  { type: 'xstate.done.actor.parse', output: { artifacts: 1, draft: true }, actorId: 'parse' },
  { type: 'xstate.error.actor.parse', error, actorId: 'parse' },
  { type: 'xstate.done.actor.cancel', output: undefined, actorId: 'cancel' },
  { type: 'xstate.error.actor.cancel', error, actorId: 'cancel' },
] as const;

const model = createStepMachine(createFakeActors().actors);
const paths = getShortestPaths(model, {
  events: EVENTS as unknown as EventFromLogic<StepMachine>[],
  input,
  stopWhen: (snapshot) => snapshot.status !== 'active',
});

async function play(
  fakes: FakeActors,
  clock: SimulatedClock,
  send: (event: EventFromLogic<StepMachine>) => void,
  event: { readonly type: string },
): Promise<void> {
  const done = /^xstate\.(done|error)\.actor\.(\w+)$/.exec(event.type);
  if (done?.[1] === 'done') await fakes.resolve(`${done[2] ?? ''} s/0`, (event as { readonly output?: unknown }).output);
  else if (done?.[1] === 'error') await fakes.reject(`${done[2] ?? ''} s/0`, (event as { readonly error?: unknown }).error);
  else if (event.type.startsWith('xstate.after')) clock.increment(60_000);
  else send(event as EventFromLogic<StepMachine>);
  await turn();
}

describe.each([
  ['without a pause', false],
  ['with a restart before every event', true],
])('step machine, %s', (_, restarts) => {
  it.each(paths.map((path) => [path.steps.map((step) => step.event.type).join(' > '), path] as const))('%s', async (_title, path) => {
    const fakes = createFakeActors();
    const clock = new SimulatedClock();
    const machine = createStepMachine(fakes.actors);
    let actor = createActor(machine, { input, clock });
    actor.subscribe({ error: () => undefined });
    actor.start();
    for (const { event } of path.steps.slice(1)) {
      if (restarts) {
        const text = snapshotText(actor.getPersistedSnapshot());
        const timers = timersOf(actor);
        actor.stop();
        mustFit(machine, JSON.parse(text));
        actor = createActor(machine, { input, clock, snapshot: JSON.parse(text) as ReturnType<typeof actor.getSnapshot> });
        actor.subscribe({ error: () => undefined });
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

describe('step machine', () => {
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
    expect(all.filter((state) => !reached.has(state))).toEqual([]);
  });

  it('never begins more attempts than it may', () => {
    expect(Math.max(...paths.map((path) => path.state.context.attempt))).toBe(1 + MOST_RETRIES.transient + MOST_RETRIES.memory);
  });

  it('ends with a result in every end state', () => {
    const ends = paths
      .filter((path) => path.state.status === 'done')
      // What was made before counts as done.
      .map((path) => [path.state.value === 'cached' ? 'done' : path.state.value, (path.state.output as { status: string }).status]);
    expect(ends.every(([value, status]) => value === status)).toBe(true);
  });
});
