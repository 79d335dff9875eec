/** Runs that have not begun: rows in the store, a few words each in memory. They are woken when a place for them is near. */
import { createFairQueue, type Entry } from './fair-queue.ts';

/** So many items more than there is room for are kept ready for each backend, so that models can be taken into account. */
export const READY_AHEAD = 4;

export interface WaitingRun {
  readonly runId: string;
  readonly client: string;
  readonly priority: number;
  readonly order: number;
  /** Named by the client, or settled at the door. */
  readonly backend: string | null;
  readonly templateHash: string;
  /** What its first steps load. */
  readonly models: readonly string[];
}

interface WaitingEntry extends Entry, WaitingRun {}

/** An item that has begun: who could take it, and its turn. */
export interface Ready extends Pick<WaitingRun, 'priority' | 'order'> {
  readonly takers: readonly string[];
  /** Its run began before its turn. */
  readonly isEarly: boolean;
}

export interface WaitingRunsOptions {
  /** Ids of the backends that may take steps of such runs, as far as is known. */
  readonly takers: (run: Pick<WaitingRun, 'backend' | 'templateHash'>) => readonly string[];
  readonly isUp: (id: string) => boolean;
  readonly room: (id: string) => number;
  /** The part of the models that a backend has loaded, 0 to 1; undefined where there are none. */
  readonly share: (id: string, models: readonly string[]) => number | undefined;
  /** Items that wait for a place now. */
  readonly asking: () => Iterable<Ready>;
  readonly wake: (runId: string) => void;
}

export interface WaitingRuns {
  readonly size: number;
  add(run: WaitingRun): void;
  /** False when it has begun, or is not known. */
  remove(runId: string): boolean;
  has(runId: string): boolean;
  /** Wakes it before its turn. */
  begin(runId: string): void;
  /**
   * Wakes as many as there is room for, and a few; with `fresh`, which has just come, only if there is room for that one. With nothing up that
   * takes them, runs wait; only `fresh`, which finds nobody waiting before it, is begun all the same, so that whoever started it is told what is wrong.
   */
  look(fresh?: string): void;
  /** A woken run has asked for a place or a person, or has ended: it is counted among those no more. */
  settled(runId: string): void;
}

export function createWaitingRuns({ takers, isUp, room, share, asking, wake }: WaitingRunsOptions): WaitingRuns {
  const queue = createFairQueue<WaitingEntry>();
  const byId = new Map<string, WaitingEntry>();
  /** Woken, and not yet as far as asking for a place. */
  const waking = new Map<string, Ready>();
  /** How many wait that can go to the same backends. */
  const alike = new Map<string, number>();
  const kindOf = ({ backend, templateHash }: WaitingRun) => `${backend ?? ''} ${templateHash}`;

  const forget = (entry: WaitingEntry) => {
    byId.delete(entry.runId);
    const left = (alike.get(kindOf(entry)) ?? 1) - 1;
    if (left === 0) alike.delete(kindOf(entry));
    else alike.set(kindOf(entry), left);
  };
  const remove = (runId: string): boolean => {
    const entry = byId.get(runId);
    if (entry === undefined) return false;
    forget(entry);
    return queue.remove(entry);
  };
  const begin = (entry: WaitingEntry, isEarly = false) => {
    forget(entry);
    waking.set(entry.runId, { ...entry, takers: takers(entry), isEarly });
    wake(entry.runId);
  };
  /** By how many are before it: what waits with a lower priority, or began before its turn, would have to wait for it anyway. */
  const isNear = (entry: WaitingEntry, ready: readonly Ready[], isAlone: boolean) => {
    const able = takers(entry);
    const live = able.filter((id) => isUp(id));
    return (live.length === 0 && isAlone ? able : live).some((id) => {
      const before = ready.filter((one) => isBefore(one, entry) && one.takers.includes(id)).length;
      return before < room(id) + READY_AHEAD;
    });
  };
  /** Those that need what is loaded begin first, so that there is something to prefer when a place is free. */
  const affinity = (entry: WaitingEntry): number | undefined => {
    const shares = takers(entry)
      .filter((id) => isUp(id))
      .flatMap((id) => share(id, entry.models) ?? []);
    return shares.length === 0 ? undefined : Math.max(...shares);
  };
  const look = (fresh?: string) => {
    const isAlone = (one: WaitingEntry) => one.runId === fresh && alike.get(kindOf(one)) === 1;
    const newest = fresh === undefined ? undefined : byId.get(fresh);
    // Nothing but this one has changed, and with a long queue there is no room for it: the others need no look.
    if (newest !== undefined && !isNear(newest, [...asking(), ...waking.values()], isAlone(newest))) return;
    for (;;) {
      if (queue.size === 0) return;
      const ready = [...asking(), ...waking.values()];
      const entry = queue.take((one) => isNear(one, ready, isAlone(one)), affinity);
      if (entry === undefined) return;
      begin(entry);
    }
  };
  return {
    get size() {
      return byId.size;
    },
    add(run) {
      const entry = { ...run, lane: [kindOf(run), ...run.models].join('\n') };
      byId.set(run.runId, entry);
      alike.set(kindOf(entry), (alike.get(kindOf(entry)) ?? 0) + 1);
      queue.add(entry);
    },
    remove,
    has: (runId) => byId.has(runId),
    begin(runId) {
      const entry = byId.get(runId);
      if (entry !== undefined && queue.remove(entry)) begin(entry, true);
    },
    look,
    settled: (runId) => void waking.delete(runId),
  };
}

// --- helpers ---

function isBefore(one: Ready, entry: WaitingEntry): boolean {
  return one.priority > entry.priority || (one.priority === entry.priority && !(one.isEarly && one.order > entry.order));
}
