/** The rows of the machine tree: those of the fold at a position, or at the newest one those that live, with every actor. Pure. */
import type { FoldedMachine, FoldedRun } from '#machines/replay/folded-run.ts';
import type { LiveActor, LiveActors } from './live-actors.ts';

export interface TreeRow {
  readonly id: string;
  readonly name: string;
  /** 0 for the run. */
  readonly depth: number;
  readonly state: string;
  readonly kind: 'active' | 'ended' | 'stopped' | 'actor';
  /** False for actors that have no chart. */
  readonly isMachine: boolean;
}

export function foldedRows(fold: FoldedRun): readonly TreeRow[] {
  return [...fold.machines.values()].map((machine) => ({
    id: machine.id,
    name: machine.id === 'run' ? 'run' : machine.id.replace(':', ' '),
    depth: machine.id === 'run' ? 0 : 1,
    state: stateOf(machine),
    kind: machine.stopped === true ? 'stopped' : machine.ended ? 'ended' : 'active',
    isMachine: true,
  }));
}

/** The folded rows with what is known of those that live, and below each of them its actors. */
export function liveRows(fold: FoldedRun, live: LiveActors): readonly TreeRow[] {
  const children = new Map<string, LiveActor[]>();
  for (const actor of live.all.values()) {
    if (actor.status !== 'active' || actor.parentId === undefined) continue;
    children.set(actor.parentId, [...(children.get(actor.parentId) ?? []), actor]);
  }
  const rows: TreeRow[] = [];
  const told = new Set<string>();
  for (const row of foldedRows(fold)) {
    const actor = liveActor(live, row.id);
    rows.push(actor === undefined ? row : { ...row, state: spaced(actor.value), kind: 'active' });
    told.add(row.id);
    for (const child of children.get(actor?.sessionId ?? '') ?? [])
      if (child.machine === undefined) rows.push(plainRow(child, row.depth + 1));
  }
  // A machine that no event has told of yet.
  for (const actor of live.all.values()) {
    if (actor.machine === undefined || actor.status !== 'active' || actor.parentId === undefined || told.has(actor.name)) continue;
    rows.push({
      id: actor.name,
      name: actor.name.replace(':', ' '),
      depth: 1,
      state: spaced(actor.value),
      kind: 'active',
      isMachine: true,
    });
    for (const child of children.get(actor.sessionId) ?? []) if (child.machine === undefined) rows.push(plainRow(child, 2));
  }
  return rows;
}

/** The live actor of a folded machine; undefined when it has ended. */
export function liveActor(live: LiveActors, id: string): LiveActor | undefined {
  return [...live.all.values()].findLast(
    (actor) =>
      actor.status === 'active' && actor.machine !== undefined && (id === 'run' ? actor.parentId === undefined : actor.name === id),
  );
}

/** Id of the machine's chart. */
export function chartOf(id: string): 'run' | 'step' | 'choice' {
  return id.startsWith('step:') ? 'step' : id.startsWith('choice:') ? 'choice' : 'run';
}

// --- helpers ---

function plainRow({ sessionId, name, status }: LiveActor, depth: number): TreeRow {
  return { id: sessionId, name, depth, state: status, kind: 'actor', isMachine: false };
}

function stateOf({ value, attempt, stopped }: FoldedMachine): string {
  const nth = attempt !== undefined && attempt > 1 ? ` (attempt ${String(attempt)})` : '';
  return `${spaced(value)}${nth}${stopped === true ? ', stopped' : ''}`;
}

function spaced(value: string): string {
  return value.split('.').join(' › ');
}
