/** Inspection events of XState as messages for the wire. Made only when somebody looks. */
import type { AnyActor, AnyActorRef, InspectionEvent } from 'xstate';
import { INSPECT_VERSION, type InspectedTransition, type InspectMessage } from '#protocol/inspect.ts';
import { plainOf } from './plain.ts';

/** An actor that is alive, or was until lately. */
export interface Entry {
  readonly runId: string;
  readonly sessionId: string;
  readonly rootId: string;
  readonly parentId: string | undefined;
  /** Its id in its parent. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** What it is, or what is left of it: an actor that has ended would keep the whole of its run in memory. */
  actor: Pick<AnyActor, 'logic' | 'getSnapshot'>;
  closedAt?: number;
}

export type Secrets = readonly string[];

export function beginEntry(runId: string, rootId: string, actor: AnyActor): Entry {
  const parentId = (actor as { readonly _parent?: AnyActorRef })._parent?.sessionId;
  return { runId, sessionId: actor.sessionId, rootId, parentId, name: actor.id, since: Date.now(), actor };
}

export function closeEntry(entry: Entry): void {
  const { logic } = entry.actor;
  const snapshot: unknown = entry.actor.getSnapshot();
  entry.actor = { logic, getSnapshot: () => snapshot as ReturnType<AnyActor['getSnapshot']> };
  entry.closedAt = Date.now();
}

export function actorMessage(entry: Entry, secrets: Secrets): InspectMessage {
  const { actor, name, parentId, since, closedAt } = entry;
  return {
    ...frameOf(entry, since),
    type: '@xstate.actor',
    name,
    ...(parentId === undefined ? {} : { parentId }),
    definition: definitionOf(actor.logic, name),
    snapshot: snapshotOf(actor.getSnapshot(), secrets),
    ...(closedAt === undefined ? {} : { closedAt }),
  };
}

/** Undefined for an event that says nothing of an actor that exists. */
export function messageOf(entry: Entry, event: InspectionEvent, secrets: Secrets): InspectMessage | undefined {
  const frame = frameOf(entry, Date.now());
  switch (event.type) {
    case '@xstate.event': {
      const sourceId = event.sourceRef?.sessionId;
      return { ...frame, type: event.type, event: plainOf(event.event, secrets), ...(sourceId === undefined ? {} : { sourceId }) };
    }
    case '@xstate.snapshot':
      return { ...frame, type: event.type, event: plainOf(event.event, secrets), snapshot: snapshotOf(event.snapshot, secrets) };
    case '@xstate.microstep':
      return {
        ...frame,
        type: event.type,
        event: { type: event.event.type },
        value: valueOf(event.snapshot),
        transitions: event._transitions.map((transition): InspectedTransition => ({
          eventType: transition.eventType,
          source: transition.source.id,
          targets: transition.target?.map(({ id }) => id) ?? [],
        })),
      };
    case '@xstate.action':
      return { ...frame, type: event.type, action: plainOf(event.action, secrets) };
    default:
      return undefined;
  }
}

/** For a client that was left behind: how the actor is now. */
export function currentSnapshot(entry: Entry, secrets: Secrets): InspectMessage {
  const snapshot = snapshotOf(entry.actor.getSnapshot(), secrets);
  return { ...frameOf(entry, Date.now()), type: '@xstate.snapshot', event: { type: 'callsheet.skipped' }, snapshot };
}

// --- helpers ---

function frameOf({ runId, sessionId, rootId }: Entry, at: number) {
  return { runId, sessionId, rootId, id: null, createdAt: String(at), _version: INSPECT_VERSION };
}

/** The members that Stately's clients read; a machine's snapshot holds the machine itself too. */
const SNAPSHOT_MEMBERS = ['status', 'value', 'context', 'input', 'output', 'error', 'children', 'historyValue', 'tags'] as const;

function snapshotOf(snapshot: unknown, secrets: Secrets): unknown {
  if (typeof snapshot !== 'object' || snapshot === null) return plainOf(snapshot, secrets);
  const given = snapshot as Readonly<Record<string, unknown>>;
  const picked = Object.fromEntries(SNAPSHOT_MEMBERS.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
  if (picked['tags'] instanceof Set) picked['tags'] = [...(picked['tags'] as Set<string>)];
  return plainOf(picked, secrets);
}

function valueOf(snapshot: unknown): unknown {
  return typeof snapshot === 'object' && snapshot !== null && 'value' in snapshot ? plainOf(snapshot.value) : undefined;
}

const definitions = new WeakMap<object, string>();

/** A machine's configuration with functions by their names, once for each machine; of another actor its id. */
function definitionOf(logic: unknown, id: string): string {
  if (typeof logic !== 'object' || logic === null || !('config' in logic) || typeof logic.config !== 'object')
    return JSON.stringify({ id });
  let text = definitions.get(logic);
  if (text === undefined) {
    text = JSON.stringify(logic.config, (_name, value: unknown) =>
      typeof value === 'function' ? { type: value.name === '' ? 'function' : value.name } : value,
    );
    definitions.set(logic, text);
  }
  return text;
}
