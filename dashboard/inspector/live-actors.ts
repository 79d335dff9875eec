/** The actors of one run as the daemon tells of them while it runs: what no event of the log says is in here too. */
import type { InspectMessage } from '#protocol/inspect.ts';
import { dotted, edgeKey } from './chart-moves.ts';

export interface LiveActor {
  readonly sessionId: string;
  readonly name: string;
  readonly parentId?: string;
  /** Id of its machine; undefined for an actor that is none. */
  readonly machine: string | undefined;
  /** Active states with dots, of a machine. */
  value: string;
  /** `active`, `done`, `error` or `stopped`. */
  status: string;
  snapshot: unknown;
  /** Arrows that it went last. */
  last: readonly string[];
  /** Type of the event that it took last. */
  event: string;
}

export interface LiveActors {
  /** Those that live or have ended lately, parents before children. */
  readonly all: ReadonlyMap<string, LiveActor>;
  take(message: InspectMessage): void;
  clear(): void;
}

/** So many that have ended are shown. */
const ENDED = 50;

export function createLiveActors(runId: string): LiveActors {
  const actors = new Map<string, LiveActor>();
  /** Arrows of the turn that is going on. */
  const going = new Map<string, string[]>();

  function meet(message: Extract<InspectMessage, { readonly type: '@xstate.actor' }>): void {
    const { sessionId, name, parentId, definition } = message;
    const known = { sessionId, name, ...(parentId === undefined ? {} : { parentId }), machine: machineOf(definition) };
    actors.set(sessionId, { ...known, value: '', status: '', snapshot: undefined, last: [], event: '' });
    look(sessionId, message.snapshot);
  }

  function look(sessionId: string, snapshot: unknown): void {
    const actor = actors.get(sessionId);
    if (actor === undefined) return;
    const { value, status } = (snapshot ?? {}) as { readonly value?: unknown; readonly status?: unknown };
    actor.snapshot = snapshot;
    actor.value = dotted(value);
    actor.status = typeof status === 'string' ? status : '';
    const moves = going.get(sessionId);
    if (moves !== undefined) actor.last = moves;
    going.delete(sessionId);
    if (actor.status !== 'active') forgetOld();
  }

  function forgetOld(): void {
    const ended = [...actors.values()].filter(({ status, machine }) => status !== 'active' && machine !== 'run');
    for (const { sessionId } of ended.slice(0, Math.max(0, ended.length - ENDED))) actors.delete(sessionId);
  }

  return {
    all: actors,
    take(message) {
      if (!('runId' in message) || message.runId !== runId) return;
      const { sessionId } = message;
      const actor = actors.get(sessionId);
      if (message.type === '@xstate.actor') meet(message);
      else if (message.type === '@xstate.snapshot') look(sessionId, message.snapshot);
      else if (message.type === '@xstate.event' && actor !== undefined) actor.event = typeOf(message.event);
      else if (message.type === '@xstate.microstep') {
        const moves = message.transitions.flatMap(({ source, targets }) => targets.map((target) => edgeKey({ source, target })));
        if (moves.length > 0) going.set(sessionId, [...(going.get(sessionId) ?? []), ...moves]);
      }
    },
    clear() {
      actors.clear();
      going.clear();
    },
  };
}

// --- helpers ---

function machineOf(definition: string): string | undefined {
  const read = JSON.parse(definition) as { readonly id?: unknown; readonly states?: unknown };
  return read.states === undefined || typeof read.id !== 'string' ? undefined : read.id;
}

function typeOf(event: unknown): string {
  return typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : '';
}
