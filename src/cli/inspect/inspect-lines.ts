/** Inspection messages as lines for a person: which machine went where, and by what. */
import type { InspectMessage } from '#protocol/inspect.ts';
import { safeText } from '../format.ts';

export interface InspectLines {
  /** Undefined where there is nothing to say to a person. */
  line(message: InspectMessage): string | undefined;
}

interface Known {
  readonly label: string;
  /** False for an actor that is no machine: it has no states to go through. */
  readonly isMachine: boolean;
  value: string;
  /** What it has gone through in this turn. */
  through: string[];
}

/** `isOneRun`: then the run need not be named in each line. */
export function createInspectLines(isOneRun: boolean): InspectLines {
  const known = new Map<string, Known>();

  function meet(message: Extract<InspectMessage, { readonly type: '@xstate.actor' }>): string {
    const { sessionId, runId, name, parentId, definition, snapshot, closedAt } = message;
    const isMachine = 'states' in (JSON.parse(definition) as object);
    const own = parentId === undefined ? 'run' : safeText(name);
    const label = isOneRun ? own : `${runId.slice(-12)} ${own}`;
    const value = stateOf(snapshot);
    if (closedAt === undefined) known.set(sessionId, { label, isMachine, value, through: [] });
    const verb = closedAt === undefined ? 'is' : 'ended as';
    return `${clock(message.createdAt)}  ${label}  ${verb} ${value === '' ? statusOf(snapshot) : value}`;
  }

  function look(message: Extract<InspectMessage, { readonly type: '@xstate.snapshot' }>): string | undefined {
    const actor = known.get(message.sessionId);
    if (actor === undefined) return undefined;
    const value = stateOf(message.snapshot);
    const status = statusOf(message.snapshot);
    const way = [actor.value, ...actor.through];
    if (way.at(-1) !== value) way.push(value);
    actor.value = value;
    actor.through = [];
    const isEnd = status !== 'active';
    if (isEnd) known.delete(message.sessionId);
    const head = `${clock(message.createdAt)}  ${actor.label}`;
    if (!actor.isMachine) return isEnd ? `${head}  ${status}` : undefined;
    if (way.length === 1 && !isEnd) return undefined;
    const by = typeOf(message.event);
    return `${head}  ${way.join(' → ')}${isEnd ? ` (${status})` : ''}${by === '' ? '' : `  by ${safeText(by)}`}`;
  }

  return {
    line(message) {
      if (message.type === 'callsheet.skipped') return `… ${String(message.count)} messages were left out`;
      if (message.type === '@xstate.actor') return meet(message);
      if (message.type === '@xstate.snapshot') return look(message);
      if (message.type === '@xstate.microstep') {
        const actor = known.get(message.sessionId);
        const value = dotted(message.value);
        if (actor !== undefined && value !== (actor.through.at(-1) ?? actor.value)) actor.through.push(value);
      }
      return undefined;
    },
  };
}

// --- helpers ---

function clock(createdAt: string): string {
  const at = new Date(Number(createdAt));
  const [hours, minutes, seconds] = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${hours ?? ''}:${minutes ?? ''}:${seconds ?? ''}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

function stateOf(snapshot: unknown): string {
  return typeof snapshot === 'object' && snapshot !== null && 'value' in snapshot ? dotted(snapshot.value) : '';
}

function statusOf(snapshot: unknown): string {
  return typeof snapshot === 'object' && snapshot !== null && 'status' in snapshot ? String(snapshot.status) : 'unknown';
}

function typeOf(event: unknown): string {
  return typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : '';
}

function dotted(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, inner]) => `${name}.${dotted(inner)}`)
    .join(', ');
}
