// Every shortest path of a run with a choice (`a`, then the choice `p`, then `b`; `c` stands alone), walked on live actors: once plainly,
// once with persist + stop + restore before every event.
import { describe, expect, it } from 'vitest';
import { createActor, type EventFromLogic, type SnapshotFrom, transition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { createRunMachine, type RunMachine } from '#machines/run-machine.ts';
import { mustFit, snapshotText } from '#daemon/snapshots.ts';
import { statusOf } from '#daemon/run-host.ts';
import { createFakeActors, type FakeActors, turn } from './fake-actors.ts';

type RunEvent = EventFromLogic<RunMachine>;

const input = { runId: 'r' };
const error = { code: 'NODE_FAILED', message: 'x', retryable: false } as const;
const plan = {
  steps: [
    { id: 'a', needs: [] },
    { id: 'c', needs: [] },
    { id: 'choices.p', needs: ['a'] },
    { id: 'b', needs: ['choices.p'] },
  ],
};
const asked = { into: 'p', after: 'a', pick: { min: 1, max: 1 }, candidates: ['x', 'y'].map((id, index) => ({ index, id })) };
const done = (actorId: string, output?: unknown) => ({ type: `xstate.done.actor.${actorId}`, actorId, output });
const failed = (actorId: string) => ({ type: `xstate.error.actor.${actorId}`, actorId, error });
const made = (status: 'made' | 'skipped' | 'failed') =>
  done('choice:p', {
    into: 'p',
    status,
    picked: status === 'made' ? ['y'] : [],
    reason: status === 'skipped' ? 'none' : null,
    error: status === 'failed' ? error : null,
  });

/** Only what can happen in the state at hand. Steps are planned empty, skipped or not at all: their items are another test's matter. */
function possible(snapshot: SnapshotFrom<RunMachine>): RunEvent[] {
  const events: unknown[] = [{ type: 'run.cancel' }];
  const isAsked = snapshot.context.steps.some(({ status }) => status === 'waiting');
  for (const id of Object.keys(snapshot.children)) {
    if (id === 'load') events.push(done(id, plan));
    else if (id === 'release') events.push(done(id));
    else if (id === 'inject' || id === 'collect') events.push(done(id, { draft: false }));
    else if (id.startsWith('plan:')) events.push(done(id, { items: 0 }), done(id, { skip: 'when is false' }), failed(id));
    else if (isAsked) events.push(made('made'));
    else events.push({ type: 'choice.waiting', into: 'p' }, made('skipped'), made('failed'));
  }
  return events as RunEvent[];
}

const model = createRunMachine(createFakeActors().actors);
const paths = getShortestPaths(model, { events: possible, input, limit: 100_000, stopWhen: (snapshot) => snapshot.status !== 'active' });

/** Makes a path's event happen to a live run: by settling the effect that causes it, or by picking. */
async function play(
  fakes: FakeActors,
  send: (event: RunEvent) => void,
  event: { readonly type: string; readonly actorId?: string; readonly output?: unknown },
): Promise<void> {
  const { type, actorId = '', output } = event;
  const status = String((output as { readonly status?: string } | undefined)?.status);
  if (type === 'run.cancel') send({ type });
  else if (type === 'choice.waiting') await fakes.resolve('offer p', { asked, timeoutMs: null, onTimeout: 'fail' });
  else if (status === 'made') {
    // What does not fit, or is for another choice, is not taken.
    send({ type: 'run.choose', into: 'q', picked: ['y'] });
    send({ type: 'run.choose', into: 'p', picked: ['stranger'] });
    send({ type: 'run.choose', into: 'p', picked: ['y'] });
    send({ type: 'run.choose', into: 'p', picked: ['x'] });
  } else if (status === 'skipped') await fakes.resolve('offer p', { skip: 'none' });
  else if (status === 'failed') await fakes.reject('offer p', error);
  else if (type.startsWith('xstate.done')) await fakes.resolve(actorId.replace('plan:', 'plan '), output);
  else await fakes.reject(actorId.replace('plan:', 'plan '), error);
  await turn();
}

function boot(fakes: FakeActors, snapshot?: unknown) {
  const machine = createRunMachine(fakes.actors);
  if (snapshot !== undefined) mustFit(machine, snapshot);
  const actor = createActor(machine, { input, ...(snapshot === undefined ? {} : { snapshot: snapshot as SnapshotFrom<RunMachine> }) });
  return actor.start();
}

describe.each([
  ['without a pause', false],
  ['with a restart before every event', true],
])('a run with a choice, %s', (_, restarts) => {
  it('walks every path to the state that the model foretells', async () => {
    expect(paths.length).toBeGreaterThan(60);
    for (const path of paths) {
      const fakes = createFakeActors();
      let actor = boot(fakes);
      for (const { event } of path.steps.slice(1)) {
        if (restarts) {
          const text = snapshotText(actor.getPersistedSnapshot());
          actor.stop();
          actor = boot(fakes, JSON.parse(text));
          await turn();
        }
        await play(fakes, (sent) => actor.send(sent), event);
      }
      const title = path.steps.map((step) => step.event.type).join(' > ');
      const { value, context } = actor.getSnapshot();
      expect({ title, value, steps: context.steps, picks: context.picks }).toEqual({
        title,
        value: path.state.value,
        steps: path.state.context.steps,
        picks: path.state.context.picks,
      });
    }
  });
});

describe('a run with a choice', () => {
  const steps = (path: (typeof paths)[number]) => Object.fromEntries(path.state.context.steps.map(({ id, status }) => [id, status]));

  it('is waiting exactly while a person is asked', () => {
    const waiting = paths.filter((path) => statusOf(path.state) === 'waiting');
    expect(waiting.length).toBeGreaterThan(5);
    for (const path of waiting) expect(steps(path)).toMatchObject({ 'choices.p': 'waiting', b: 'pending' });
    expect(waiting.some((path) => steps(path)['c'] === 'planning')).toBe(true);
  });

  it('plans what needs the pick only after it, and hands the pick on', () => {
    const begun = paths.filter((path) => ['planning', 'done', 'skipped'].includes(steps(path)['b'] ?? ''));
    expect(begun.length).toBeGreaterThan(0);
    for (const path of begun) expect(['done', 'skipped']).toContain(steps(path)['choices.p']);
    const picked = begun.filter((path) => steps(path)['choices.p'] === 'done');
    expect(new Set(picked.map((path) => JSON.stringify(path.state.context.picks)))).toEqual(new Set(['{"p":["y"]}']));
  });

  it('blocks what needs a choice that failed or was blocked, and ends as failed', () => {
    const blocked = paths.filter(
      (path) =>
        path.state.status === 'done' && path.state.value !== 'cancelled' && ['failed', 'blocked'].includes(steps(path)['choices.p'] ?? ''),
    );
    expect(new Set(blocked.map((path) => steps(path)['b']))).toEqual(new Set(['blocked']));
    expect(new Set(blocked.map((path) => path.state.value))).toEqual(new Set(['failed']));
  });

  it('is cancelled at once while it waits', () => {
    const waiting = paths.filter((path) => statusOf(path.state) === 'waiting');
    for (const path of waiting) {
      const [next] = transition(model, path.state, { type: 'run.cancel' });
      expect({ value: next.value, choice: next.context.steps.find(({ id }) => id === 'choices.p')?.status }).toEqual({
        value: 'releasing',
        choice: 'cancelled',
      });
      expect(Object.keys(next.children)).toEqual(['release']);
    }
  });
});
