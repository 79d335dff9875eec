/** Attempts that ended in an earlier try of their run stay on record; they say nothing of an item that is to be made anew. */
import type { RunEvent } from '#protocol/events.ts';
import type { StepStatus } from '#protocol/views.ts';
import type { AttemptRow } from '#store/types.ts';

/** Statuses in which an item has not come to an attempt. */
const BEFORE_WORK: ReadonlySet<StepStatus> = new Set(['pending', 'preparing', 'waiting']);

/** Whether the row is of an earlier try while the item has not come to an attempt in the newest one. `isWhole`: the item has all its files. */
export function isOfEarlierTry(row: AttemptRow, events: readonly RunEvent[], item: Item, isWhole: boolean): boolean {
  if (row.endedAt === null) return false;
  const from = events.findLastIndex(({ event }) => event.type === 'run.retried');
  const retried = events[from];
  if (retried?.event.type !== 'run.retried' || !retried.event.again.includes(item.step) || row.createdAt >= retried.at) return false;
  // Of a step that is done again, items that were finished stand.
  const first: StepStatus = isWhole && row.status === 'finished' ? 'done' : 'pending';
  return BEFORE_WORK.has(statusSince(events.slice(from + 1), item, first));
}

// --- helpers ---

interface Item {
  readonly step: string;
  readonly item: number;
}

function statusSince(events: readonly RunEvent[], { step, item }: Item, first: StepStatus): StepStatus {
  let status = first;
  for (const { event } of events) {
    if (event.type === 'step.planned' && event.step === step) status = event.kept?.includes(item) === true ? 'done' : 'pending';
    // Attempt 0 speaks of the step as a whole.
    if (event.type === 'step.status' && event.step === step && (event.item === item || event.attempt === 0)) status = event.status;
  }
  return status;
}
