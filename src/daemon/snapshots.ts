/**
 * How a run's machine becomes text and comes back: exact JSON or an error, never a silent loss.
 * XState drops a child whose `src` no longer resolves and then waits for ever; here such a snapshot is refused (xstate.md 1.3).
 */
import type { AnyActorRef, AnyStateMachine } from 'xstate';
import { CallsheetError } from '#protocol/errors.ts';

/** Throws TypeError on anything that JSON would quietly change: an Error, Map, Set, function or bigint. */
export function snapshotText(snapshot: unknown): string {
  return JSON.stringify(snapshot, (_key, value: unknown) => {
    if (typeof value === 'function' || typeof value === 'bigint' || value instanceof Map || value instanceof Set) {
      throw new TypeError(`A snapshot may hold plain JSON only, found ${Object.prototype.toString.call(value)}.`);
    }
    // Rejections carry Error objects into the snapshot of a failed child; JSON would make `{}` of them.
    return value instanceof Error ? { name: value.name, message: value.message, ...('data' in value ? { data: value.data } : {}) } : value;
  });
}

export interface StoredTimer {
  /** Child ids from the root to the actor that set the timer. */
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly event: { readonly type: string };
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly due: number;
  /** Milliseconds it was set for: by a clock that was put back meanwhile, `due` may seem years away. */
  readonly delay: number;
}

interface Parented {
  readonly id: string;
  readonly _parent?: Parented;
}

function pathOf(actor: Parented): string[] {
  return actor._parent === undefined ? [] : [...pathOf(actor._parent), actor.id];
}

/** Delayed transitions are not part of XState's snapshot (issue statelyai/xstate#5331); they are kept beside it. */
export function timersOf(root: AnyActorRef): readonly StoredTimer[] {
  return Object.values(root.system.getSnapshot()._scheduledEvents).map((timer) => ({
    source: pathOf(timer.source as unknown as Parented),
    target: pathOf(timer.target as unknown as Parented),
    event: timer.event,
    id: timer.id,
    due: timer.startedAt + timer.delay,
    delay: timer.delay,
  }));
}

export function armTimers(root: AnyActorRef, timers: readonly StoredTimer[], now: number): void {
  for (const timer of timers) {
    const source = descend(root, timer.source);
    const target = descend(root, timer.target);
    if (source !== undefined && target !== undefined) {
      const left = Math.min(timer.delay, Math.max(0, timer.due - now));
      root.system.scheduler.schedule(source, target, timer.event, left, timer.id);
    }
  }
}

function descend(root: AnyActorRef, path: readonly string[]): AnyActorRef | undefined {
  let actor: AnyActorRef | undefined = root;
  for (const id of path) actor = (actor?.getSnapshot() as { children?: Record<string, AnyActorRef> } | undefined)?.children?.[id];
  return actor;
}

interface StoredSnapshot {
  readonly value?: unknown;
  readonly context?: unknown;
  readonly children?: Readonly<Record<string, { readonly src?: unknown; readonly snapshot?: StoredSnapshot }>>;
}

/** Throws SNAPSHOT_REFUSED when a state or the `src` of a child does not resolve any more. */
export function mustFit(machine: AnyStateMachine, snapshot: unknown, at = machine.id): void {
  const stored = snapshot as StoredSnapshot;
  try {
    machine.resolveState({ value: stored.value as never, context: stored.context });
  } catch (cause) {
    throw refused(`${at}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  for (const [id, child] of Object.entries(stored.children ?? {})) {
    const logic: unknown = typeof child.src === 'string' ? machine.implementations.actors[child.src] : undefined;
    if (logic === undefined) throw refused(`${at}/${id}: no actor '${String(child.src)}'`);
    if (isMachine(logic) && child.snapshot !== undefined) mustFit(logic, child.snapshot, `${at}/${id}`);
  }
}

function isMachine(logic: unknown): logic is AnyStateMachine {
  return typeof logic === 'object' && logic !== null && 'root' in logic && 'implementations' in logic;
}

function refused(reason: string, cause?: unknown): CallsheetError {
  return new CallsheetError('SNAPSHOT_REFUSED', `The stored run no longer fits this version of Callsheet (${reason}).`, {
    hint: 'Finish it with the version that wrote it, or start the template again; its finished files are kept.',
    cause,
  });
}
