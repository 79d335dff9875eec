/**
 * Whose turn it is: priorities that age, equal shares between clients, first come first served within. Pure; counts turns, knows no clock.
 * A turn goes to the highest priority; of several to the client that had the fewest turns; of its entries to the oldest, which those may
 * overtake that spare the loading of models, a bounded number of times.
 */

export interface Entry {
  /** Name of the client that is to get its fair share. */
  readonly client: string;
  /** Higher goes first. */
  readonly priority: number;
  /** Smaller is older: the number of its run. */
  readonly order: number;
  /** Entries of one lane can go to the same backends, so that the oldest stands for all. */
  readonly lane: string;
}

/** After so many turns of others an entry counts as one priority higher: nothing waits for ever. */
export const TURNS_PER_PRIORITY = 20;
/** So many younger entries of its own client and priority may overtake an entry, in all. */
export const MOST_OVERTAKEN = 32;

export interface FairQueue<E extends Entry> {
  readonly size: number;
  add(entry: E): void;
  remove(entry: E): boolean;
  has(entry: E): boolean;
  /**
   * Takes out the entry whose turn it is among the lanes for which `isOpen` says yes; undefined when there is none.
   * `affinity` (higher is better) may prefer a younger entry of the same client and priority; an entry for which it is undefined overtakes
   * nobody and is overtaken by nobody for its sake. Where `mayGo` says no of the one whose turn it is, nothing is taken and nothing counted.
   */
  take(isOpen: (entry: E) => boolean, affinity?: (entry: E) => number | undefined, mayGo?: (entry: E) => boolean): E | undefined;
  entries(): Iterable<E>;
}

/** Entries of one client with one priority. */
interface Group<E> {
  readonly client: string;
  readonly priority: number;
  /** Each in order. */
  readonly lanes: Map<string, E[]>;
  /** Turns of others since its own last one, as long as it could have had them. */
  passed: number;
}

export function createFairQueue<E extends Entry>(): FairQueue<E> {
  const groups = new Map<string, Group<E>>();
  /** Turns that each client had, on a common scale: one that comes back does not claim what it missed while it wanted nothing. */
  const turns = new Map<string, number>();
  /** How often each entry was overtaken; not at all when absent. */
  const overtaken = new Map<E, number>();
  let clock = 0;
  let size = 0;

  const keyOf = ({ client, priority }: Entry) => `${String(priority)} ${client}`;
  const isIdle = (client: string) => ![...groups.values()].some((group) => group.client === client);

  function drop(group: Group<E>, entry: E): boolean {
    const lane = group.lanes.get(entry.lane);
    const place = lane?.indexOf(entry) ?? -1;
    if (lane === undefined || place < 0) return false;
    lane.splice(place, 1);
    overtaken.delete(entry);
    size -= 1;
    if (lane.length === 0) group.lanes.delete(entry.lane);
    if (group.lanes.size === 0) {
      groups.delete(keyOf(entry));
      forgetOldClients();
    }
    return true;
  }

  /** The one of the lanes' heads with more affinity than the oldest has, that may overtake everybody who came before it. */
  function preferred(open: readonly E[][], oldest: E, affinity: (entry: E) => number | undefined): E | undefined {
    const least = affinity(oldest);
    if (least === undefined) return undefined;
    const better = open
      .flatMap(([head]) => (head === undefined ? [] : [{ head, liked: affinity(head) ?? 0 }]))
      .filter(({ liked }) => liked > least)
      .toSorted((a, b) => b.liked - a.liked || a.head.order - b.head.order);
    // Who overtakes an entry overtakes everything older in its lane: no entry was overtaken more often than the head of its lane.
    const isFree = (head: E) =>
      open.every(([first]) => first === undefined || first.order >= head.order || (overtaken.get(first) ?? 0) < MOST_OVERTAKEN);
    return better.find(({ head }) => isFree(head))?.head;
  }

  /** A client at or behind the clock starts at the clock anyway. */
  function forgetOldClients(): void {
    for (const [client, had] of turns) if (had <= clock && isIdle(client)) turns.delete(client);
  }

  return {
    get size() {
      return size;
    },
    add(entry) {
      const { client, priority, lane } = entry;
      if (isIdle(client)) turns.set(client, Math.max(turns.get(client) ?? clock, clock));
      const key = keyOf(entry);
      const group = groups.get(key) ?? { client, priority, lanes: new Map<string, E[]>(), passed: 0 };
      groups.set(key, group);
      const entries = group.lanes.get(lane) ?? [];
      group.lanes.set(lane, entries);
      let place = entries.length;
      while (place > 0 && (entries[place - 1]?.order ?? 0) > entry.order) place -= 1;
      entries.splice(place, 0, entry);
      size += 1;
    },
    remove(entry) {
      const group = groups.get(keyOf(entry));
      return group !== undefined && drop(group, entry);
    },
    has: (entry) => groups.get(keyOf(entry))?.lanes.get(entry.lane)?.includes(entry) ?? false,
    take(isOpen, affinity, mayGo = () => true) {
      const able: { readonly group: Group<E>; readonly open: readonly E[][] }[] = [];
      for (const group of groups.values()) {
        const open = [...group.lanes.values()].filter(([oldest]) => oldest !== undefined && isOpen(oldest));
        if (open.length > 0) able.push({ group, open });
      }
      const [first] = able.toSorted((a, b) => byTurn(a.group, b.group, turns) || oldestOf(a.open).order - oldestOf(b.open).order);
      if (first === undefined) return undefined;
      const { group, open } = first;
      const oldest = oldestOf(open);
      const entry = (affinity && preferred(open, oldest, affinity)) ?? oldest;
      if (!mayGo(entry)) return undefined;
      for (const one of able) one.group.passed += 1;
      group.passed = 0;
      if (entry !== oldest) for (const one of olderThan(entry, open)) overtaken.set(one, (overtaken.get(one) ?? 0) + 1);
      const had = turns.get(group.client) ?? clock;
      clock = Math.max(clock, had);
      turns.set(group.client, had + 1);
      drop(group, entry);
      return entry;
    },
    *entries() {
      for (const { lanes } of groups.values()) for (const entries of lanes.values()) yield* entries;
    },
  };
}

// --- helpers ---

function byTurn<E>(a: Group<E>, b: Group<E>, turns: ReadonlyMap<string, number>): number {
  return aged(b) - aged(a) || (turns.get(a.client) ?? 0) - (turns.get(b.client) ?? 0);
}

function aged({ priority, passed }: Group<unknown>): number {
  return priority + Math.floor(passed / TURNS_PER_PRIORITY);
}

/** Of lanes that hold something each. */
function oldestOf<E extends Entry>(lanes: readonly (readonly E[])[]): E {
  const [oldest] = lanes.flatMap(([head]) => head ?? []).toSorted((a, b) => a.order - b.order);
  if (oldest === undefined) throw new TypeError('an empty lane has no oldest entry');
  return oldest;
}

/** Those that it overtakes: lanes are in order, so that each is looked through only as far as it is older. */
function olderThan<E extends Entry>(entry: E, lanes: readonly (readonly E[])[]): readonly E[] {
  return lanes.flatMap((lane) => {
    const end = lane.findIndex((one) => one.order >= entry.order);
    return end < 0 ? lane : lane.slice(0, end);
  });
}
