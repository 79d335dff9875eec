/** ComfyUI's queue and history: one prompt at a time, lowest number first, everything in memory only. */
import type { Json, JsonRecord } from './json.ts';

export interface QueueItem {
  readonly number: number;
  readonly promptId: string;
  readonly prompt: JsonRecord;
  readonly extraData: JsonRecord;
  readonly outputs: readonly string[];
  /** Credentials for paid nodes never leave the server again. */
  readonly sensitive: JsonRecord;
}

export interface HistoryEntry {
  readonly item: QueueItem;
  readonly outputs: JsonRecord;
  readonly meta: JsonRecord;
  readonly status: {
    readonly status_str: 'success' | 'error';
    readonly completed: boolean;
    readonly messages: readonly [string, JsonRecord][];
  };
}

export interface Queue {
  /** The number for the next prompt; counts failing posts, too. */
  nextNumber(given: number | undefined, front: boolean): number;
  put(item: QueueItem): void;
  /** Moves the next item to running, if nothing runs. */
  take(): QueueItem | undefined;
  /** Running → history in one step: nobody sees the prompt in neither. */
  finish(entry: HistoryEntry): void;
  running(): QueueItem | undefined;
  pending(): readonly QueueItem[];
  remaining(): number;
  /** Removes pending prompts; ids that match nothing are ignored. Returns whether anything went. */
  remove(ids: readonly string[]): boolean;
  clear(): void;
  history(): ReadonlyMap<string, HistoryEntry>;
  forget(ids: readonly string[]): void;
  clearHistory(): void;
}

const LONGEST_HISTORY = 10_000;

export function createQueue(onChange: () => void): Queue {
  let counter = 0;
  let pending: QueueItem[] = [];
  let running: QueueItem | undefined;
  const history = new Map<string, HistoryEntry>();

  return {
    nextNumber(given, front) {
      if (given !== undefined) return given;
      const number = front ? -counter : counter;
      counter += 1;
      // −0 would be printed as 0 by Python, too, but compares oddly in tests.
      return number === 0 ? 0 : number;
    },
    put(item) {
      const place = pending.findIndex((other) => other.number > item.number);
      pending.splice(place < 0 ? pending.length : place, 0, item);
      onChange();
    },
    take() {
      if (running !== undefined) return undefined;
      running = pending.shift();
      return running;
    },
    finish(entry) {
      running = undefined;
      history.delete(entry.item.promptId);
      history.set(entry.item.promptId, entry);
      const [oldest] = history.keys();
      if (history.size > LONGEST_HISTORY && oldest !== undefined) history.delete(oldest);
    },
    running: () => running,
    pending: () => pending,
    remaining: () => pending.length + (running === undefined ? 0 : 1),
    remove(ids) {
      let removed = false;
      for (const id of ids) {
        const place = pending.findIndex((item) => item.promptId === id);
        if (place < 0) continue;
        pending.splice(place, 1);
        removed = true;
      }
      onChange();
      return removed;
    },
    clear() {
      pending = [];
      onChange();
    },
    history: () => history,
    forget: (ids) => ids.forEach((id) => history.delete(id)),
    clearHistory: () => history.clear(),
  };
}

/** `[number, id, prompt, extra_data, outputs]` as queue and history show it. */
export function itemTuple(item: QueueItem): Json[] {
  return [item.number, item.promptId, item.prompt, item.extraData, [...item.outputs]];
}
