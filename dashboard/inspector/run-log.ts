/** The event log of one run as the page holds it, with the states of all machines at any position. A position is the number of events taken in. */
import { applyEvent, emptyFold } from '#machines/replay/fold-run.ts';
import { copyFold, type FoldedMachine, type FoldedRun, type Plan } from '#machines/replay/folded-run.ts';
import type { RunEvent } from '#protocol/events.ts';

/** A copy of the states is kept every so many events, so that a far jump folds few of them again. */
const EVERY = 64;

export interface RunLog {
  readonly length: number;
  /** The event that leads to this position, from 1; undefined for 0. */
  event(position: number): RunEvent | undefined;
  /** Takes in events that follow in order; those that it has already are left out. */
  append(events: readonly RunEvent[]): void;
  /** Must not be changed. */
  at(position: number): FoldedRun;
  /** The state that a machine was in before the one that it is in at this position. */
  before(position: number, id: string): FoldedMachine | undefined;
}

export function createRunLog(plan?: Plan): RunLog {
  const events: RunEvent[] = [];
  const copies: FoldedRun[] = [emptyFold(plan)];
  let last = { position: 0, fold: emptyFold(plan) };

  function at(given: number): FoldedRun {
    const position = Math.max(0, Math.min(given, events.length));
    if (last.position > position) {
      const nth = Math.min(copies.length - 1, Math.floor(position / EVERY));
      last = { position: nth * EVERY, fold: copyFold(copies[nth] ?? emptyFold(plan)) };
    }
    while (last.position < position) {
      const next = events[last.position];
      if (next !== undefined) applyEvent(last.fold, next.seq, next.event);
      last.position += 1;
      if (last.position === copies.length * EVERY) copies.push(copyFold(last.fold));
    }
    return copyFold(last.fold);
  }

  return {
    get length() {
      return events.length;
    },
    event: (position) => events[position - 1],
    append(more) {
      for (const event of more) if (event.seq > (events.at(-1)?.seq ?? 0)) events.push(event);
    },
    at,
    before(position, id) {
      const since = at(position).machines.get(id)?.since;
      if (since === undefined) return undefined;
      const entered = events.findIndex(({ seq }) => seq === since);
      return at(entered).machines.get(id);
    },
  };
}
