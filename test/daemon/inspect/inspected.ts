/** A run machine on fake actors that is tapped into a hub, and a client that writes down what it is sent. */
import { type Actor, createActor, type SnapshotFrom } from 'xstate';
import type { InspectHub, LookOptions } from '#daemon/inspect/inspect-hub.ts';
import { createRunMachine, type RunMachine } from '#machines/run-machine.ts';
import type { InspectMessage } from '#protocol/inspect.ts';
import { createFakeActors, type FakeActors, turn } from '../../machines/fake-actors.ts';

export const PREPARED = { promptId: 'p', backendId: 'b' };
export const OUTPUTS = { files: [], texts: [], cachedNodes: [] };

export interface Inspected {
  readonly actor: Actor<RunMachine>;
  readonly fakes: FakeActors;
}

/** Runs of one step. `snapshot`: it goes on from there. */
export function startInspected(hub: Pick<InspectHub, 'tap'>, runId: string, snapshot?: SnapshotFrom<RunMachine>): Inspected {
  const fakes = createFakeActors();
  const actor = createActor(createRunMachine(fakes.actors), {
    id: runId,
    input: { runId },
    inspect: (event) => hub.tap(runId, event),
    ...(snapshot === undefined ? {} : { snapshot }),
  });
  actor.subscribe({ error: () => undefined });
  actor.start();
  return { actor, fakes };
}

/** To the point where the only item is on its backend. */
export async function toBackend({ fakes }: Inspected): Promise<void> {
  await fakes.resolve('load', { steps: [{ id: 'a', needs: [] }] });
  await fakes.resolve('inject', undefined);
  await fakes.resolve('plan a', { items: 1 });
  await fakes.resolve('prepare a/0', PREPARED);
}

export async function toEnd({ fakes }: Inspected): Promise<void> {
  await fakes.report('a/0', { type: 'backend.finished', outputs: OUTPUTS });
  await fakes.resolve('parse a/0', { artifacts: 1, draft: false });
  await fakes.resolve('collect', { draft: false });
}

export interface Seen {
  readonly messages: InspectMessage[];
  /** Of one type, in order. */
  of<T extends InspectMessage['type']>(type: T): Extract<InspectMessage, { readonly type: T }>[];
  /** What it was told of one actor, by its name; the actor is found by its first message. */
  about(name: string): InspectMessage[];
  stop(): void;
}

export function look(hub: InspectHub, options: Partial<LookOptions> = {}): Seen {
  const messages: InspectMessage[] = [];
  const stop = hub.look({ send: (text) => messages.push(JSON.parse(text) as InspectMessage) > 0, wants: () => true, ...options });
  const of: Seen['of'] = (type) => messages.filter((message) => message.type === type) as never;
  return {
    messages,
    of,
    about(name) {
      const ids = new Set(of('@xstate.actor').flatMap((actor) => (actor.name === name ? [actor.sessionId] : [])));
      return messages.filter((message) => 'sessionId' in message && ids.has(message.sessionId));
    },
    stop,
  };
}

export { turn };
