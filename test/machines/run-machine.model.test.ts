// Every shortest path through the run machine, over a plan of three steps (`b` needs `a`, `c` stands alone), walked on live actors:
// once plainly, once with persist + stop + restore before every event.
import { describe, expect, it } from 'vitest';
import { createActor, type EventFromLogic, type SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { createRunMachine, type RunMachine } from '#machines/run-machine.ts';
import { mustFit, snapshotText } from '#daemon/snapshots.ts';
import { createFakeActors, type FakeActors, turn } from './fake-actors.ts';

type RunEvent = EventFromLogic<RunMachine>;

const input = { runId: 'r' };
const error = { code: 'NODE_FAILED', message: 'x', retryable: false } as const;
const outputs = { files: [], texts: [], cachedNodes: [] };
const plan = {
  steps: [
    { id: 'a', needs: [] },
    { id: 'c', needs: [] },
    { id: 'b', needs: ['a'] },
  ],
};
const done = (actorId: string, output?: unknown) => ({ type: `xstate.done.actor.${actorId}`, actorId, output });
const failed = (actorId: string) => ({ type: `xstate.error.actor.${actorId}`, actorId, error });
const ended = (step: string, status: 'done' | 'failed' | 'lost' | 'cancelled') =>
  done(`step:${step}:0`, {
    step,
    item: 0,
    status,
    draft: status === 'done',
    error: status === 'failed' || status === 'lost' ? error : null,
  });

/** Only what can happen in the state at hand: ends of actors that exist, and a cancel. */
function possible(snapshot: SnapshotFrom<RunMachine>): RunEvent[] {
  const events: unknown[] = [{ type: 'run.cancel' }];
  for (const id of Object.keys(snapshot.children)) {
    if (id === 'load') events.push(done(id, plan), failed(id));
    else if (id === 'inject' || id === 'release') events.push(done(id), failed(id));
    else if (id === 'collect') events.push(done(id, { draft: false }), failed(id));
    else if (id.startsWith('plan:'))
      events.push(done(id, { items: 1 }), done(id, { items: 0 }), done(id, { skip: 'when is false' }), failed(id));
    else if (snapshot.value === 'cancelling')
      events.push(...(['cancelled', 'failed'] as const).map((status) => ended(id.split(':')[1] ?? '', status)));
    else events.push(...(['done', 'failed', 'lost'] as const).map((status) => ended(id.split(':')[1] ?? '', status)));
  }
  return events as RunEvent[];
}

const model = createRunMachine(createFakeActors().actors);
const paths = getShortestPaths(model, { events: possible, input, limit: 100_000, stopWhen: (snapshot) => snapshot.status !== 'active' });

/** Makes a path's event happen to a live run: by settling the effect that causes it. */
async function play(
  fakes: FakeActors,
  send: (event: RunEvent) => void,
  event: { readonly type: string; readonly actorId?: string; readonly output?: unknown },
  isCancelling: boolean,
): Promise<void> {
  const { actorId = '', output } = event;
  const status = String((output as { readonly status?: string } | undefined)?.status);
  if (event.type === 'run.cancel') send({ type: 'run.cancel' });
  else if (isCancelling && status === 'failed') await fakes.reject(`cancel ${actorId.split(':')[1] ?? ''}/0`, error);
  else if (actorId.startsWith('step:')) await endItem(fakes, `${actorId.split(':')[1] ?? ''}/0`, status);
  else if (event.type.startsWith('xstate.done')) await fakes.resolve(actorId.replace('plan:', 'plan '), output);
  else await fakes.reject(actorId.replace('plan:', 'plan '), error);
  await turn();
}

async function endItem(fakes: FakeActors, key: string, status: string): Promise<void> {
  if (status === 'cancelled') return fakes.resolve(`cancel ${key}`, undefined);
  if (status === 'failed') return fakes.report(key, { type: 'backend.failed', error });
  if (status === 'lost') return fakes.report(key, { type: 'backend.lost', cause: 'removed' });
  await fakes.report(key, { type: 'backend.finished', outputs });
  return fakes.resolve(`parse ${key}`, { artifacts: 1, draft: true });
}

/** `lost` by the restart rule needs three attempts, so the live item ends as failed instead; the run's path is walked with that. */
const walkable = paths.filter(
  (path) =>
    !path.steps.some(({ event }) => 'output' in event && (event.output as { readonly status?: string } | undefined)?.status === 'lost'),
);

function boot(fakes: FakeActors, snapshot?: unknown) {
  const machine = createRunMachine(fakes.actors);
  if (snapshot !== undefined) mustFit(machine, snapshot);
  const actor = createActor(machine, { input, ...(snapshot === undefined ? {} : { snapshot: snapshot as SnapshotFrom<RunMachine> }) });
  actor.subscribe({ error: () => undefined });
  return actor.start();
}

/** Items get as far as their backend at once, so that a cancel finds something to cancel. */
async function prepareItems(fakes: FakeActors, snapshot: SnapshotFrom<RunMachine>): Promise<void> {
  for (const [id, child] of Object.entries(snapshot.children)) {
    if (!id.startsWith('step:')) continue;
    const value: unknown = (child?.getSnapshot() as { readonly value?: unknown } | undefined)?.value;
    if (value === 'preparing') await fakes.resolve(`prepare ${id.split(':')[1] ?? ''}/0`, { promptId: 'p', backendId: 'b' });
  }
}

describe.each([
  ['without a pause', false],
  ['with a restart before every event', true],
])('run machine, %s', (_, restarts) => {
  it('walks every path to the state that the model foretells', async () => {
    expect(walkable.length).toBeGreaterThan(200);
    for (const path of walkable) {
      const fakes = createFakeActors();
      let actor = boot(fakes);
      for (const { event } of path.steps.slice(1)) {
        await prepareItems(fakes, actor.getSnapshot());
        if (restarts) {
          const text = snapshotText(actor.getPersistedSnapshot());
          actor.stop();
          actor = boot(fakes, JSON.parse(text));
          await turn();
        }
        await play(fakes, (sent) => actor.send(sent), event, actor.getSnapshot().value === 'cancelling');
      }
      const title = path.steps.map((step) => step.event.type).join(' > ');
      expect({ title, value: actor.getSnapshot().value, steps: actor.getSnapshot().context.steps }).toEqual({
        title,
        value: path.state.value,
        steps: path.state.context.steps,
      });
    }
  });
});

describe('run machine', () => {
  it('reaches every one of its states', () => {
    const reached = new Set(paths.map((path) => path.state.value));
    expect(Object.keys(model.states).filter((state) => !reached.has(state as never))).toEqual([]);
  });

  it('ends only when every step has settled', () => {
    const ends = paths.filter((path) => path.state.status === 'done' && path.state.context.steps.length > 0);
    const open = ends.filter((path) => path.state.context.steps.some((step) => ['planning', 'active'].includes(step.status)));
    expect(open.map((path) => path.state.context.steps)).toEqual([]);
  });

  it('is cancelled only when every item at work was proven to be off its backend', () => {
    const wasUnproven = (path: (typeof paths)[number]) =>
      path.steps.some(
        ({ event, state }, place) =>
          path.steps[place - 1]?.state.value === 'cancelling' &&
          state.value !== 'cancelled' &&
          'output' in event &&
          (event.output as { readonly status?: string } | undefined)?.status === 'failed',
      );
    const ends = paths.filter((path) => path.state.status === 'done');
    expect(ends.filter((path) => wasUnproven(path)).length).toBeGreaterThan(0);
    expect(new Set(ends.filter((path) => wasUnproven(path)).map((path) => path.state.value))).toEqual(new Set(['failed']));
    expect(ends.filter((path) => path.state.value === 'cancelled' && path.state.context.error !== null)).toEqual([]);
  });

  it('succeeds only when every step is done or skipped', () => {
    const statuses = paths
      .filter((path) => path.state.value === 'succeeded')
      .flatMap((path) => path.state.context.steps.map((step) => step.status));
    expect([...new Set(statuses)].toSorted()).toEqual(['done', 'skipped']);
  });

  it('runs a step that needs nothing while another one is at work', () => {
    const together = paths.some((path) => path.state.context.steps.filter((step) => step.status === 'active').length === 2);
    expect(together).toBe(true);
  });

  it('blocks what needs a failed step and lets the rest finish', () => {
    const blocked = paths.filter(
      (path) =>
        path.state.status === 'done' &&
        path.state.value !== 'cancelled' &&
        path.state.context.steps.some((step) => step.status === 'blocked'),
    );
    expect(blocked.some((path) => path.state.context.steps.find((step) => step.id === 'c')?.status === 'done')).toBe(true);
    expect(blocked.every((path) => path.state.value === 'failed' || path.state.value === 'lost')).toBe(true);
  });

  it('leaves no ended child behind in its snapshot', () => {
    const leftovers = paths.flatMap((path) => (path.state.status === 'done' ? Object.keys(path.state.children) : []));
    expect(leftovers.filter((id) => id.startsWith('step:') || id.startsWith('plan:'))).toEqual([]);
  });
});
