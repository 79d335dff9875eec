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
}

interface WaitingEntry extends Entry, WaitingRun {}

export interface WaitingRunsOptions {
  /** Ids of the backends that may take steps of such runs, as far as is known. */
  readonly takers: (run: Pick<WaitingRun, 'backend' | 'templateHash'>) => readonly string[];
  readonly isUp: (id: string) => boolean;
  readonly room: (id: string) => number;
  /** Items that wait for a place now: who could take them, and their priority. */
  readonly asking: () => Iterable<{ readonly takers: readonly string[]; readonly priority: number }>;
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
   * Wakes as many as there is room for, and a few. With nothing up that takes them, runs wait; only `fresh`, which has just come and finds
   * nobody waiting before it, is begun all the same, so that whoever started it is told what is wrong.
   */
  look(fresh?: string): void;
  /** A woken run has asked for a place or a person, or has ended: it is counted among those no more. */
  settled(runId: string): void;
}

export function createWaitingRuns({ takers, isUp, room, asking, wake }: WaitingRunsOptions): WaitingRuns {
  const queue = createFairQueue<WaitingEntry>();
  const byId = new Map<string, WaitingEntry>();
  /** Woken, and not yet as far as asking for a place. */
  const waking = new Map<string, { readonly takers: readonly string[]; readonly priority: number }>();
  const inLane = new Map<string, number>();

  const forget = ({ runId, lane }: WaitingEntry) => {
    byId.delete(runId);
    const left = (inLane.get(lane) ?? 1) - 1;
    if (left === 0) inLane.delete(lane);
    else inLane.set(lane, left);
  };
  const remove = (runId: string): boolean => {
    const entry = byId.get(runId);
    if (entry === undefined) return false;
    forget(entry);
    return queue.remove(entry);
  };
  const begin = (entry: WaitingEntry) => {
    forget(entry);
    waking.set(entry.runId, { takers: takers(entry), priority: entry.priority });
    wake(entry.runId);
  };
  /** Those before it: what waits with a lower priority would have to wait for it anyway. */
  const isNear = (
    entry: WaitingEntry,
    ready: readonly { readonly takers: readonly string[]; readonly priority: number }[],
    isAlone: boolean,
  ) => {
    const able = takers(entry);
    const live = able.filter((id) => isUp(id));
    return (live.length === 0 && isAlone ? able : live).some((id) => {
      const before = ready.filter((one) => one.priority >= entry.priority && one.takers.includes(id)).length;
      return before < room(id) + READY_AHEAD;
    });
  };
  const look = (fresh?: string) => {
    for (;;) {
      if (queue.size === 0) return;
      const ready = [...asking(), ...waking.values()];
      const entry = queue.take((one) => isNear(one, ready, one.runId === fresh && inLane.get(one.lane) === 1));
      if (entry === undefined) return;
      begin(entry);
    }
  };
  return {
    get size() {
      return byId.size;
    },
    add(run) {
      const entry = { ...run, lane: `${run.backend ?? ''} ${run.templateHash}` };
      byId.set(run.runId, entry);
      inLane.set(entry.lane, (inLane.get(entry.lane) ?? 0) + 1);
      queue.add(entry);
    },
    remove,
    has: (runId) => byId.has(runId),
    begin(runId) {
      const entry = byId.get(runId);
      if (entry !== undefined && queue.remove(entry)) begin(entry);
    },
    look,
    settled: (runId) => void waking.delete(runId),
  };
}
