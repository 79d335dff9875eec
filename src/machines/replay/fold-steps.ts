/** The fold's bookkeeping of steps: which items are at work, and whether all is settled. It begins items in the order in which the run machine does. */
import type { RunEventBody } from '#protocol/events.ts';
import { ITEMS_AT_ONCE } from '../items-at-once.ts';
import { type FoldedRun, type FoldedStep, stepId } from './folded-run.ts';

export function beginItems(fold: FoldedRun, { step: id, items, kept }: Extract<RunEventBody, { readonly type: 'step.planned' }>): void {
  const step: FoldedStep = { items, kept: new Set(kept), open: new Set(), next: 0, settled: false };
  fold.steps.set(id, step);
  beginNext(fold, id, step);
}

/** Settles a step or choice whose machine, if there is one, has nothing more to do. */
export function settle(fold: FoldedRun, id: string): void {
  const step = fold.steps.get(id) ?? { items: 0, kept: new Set(), open: new Set(), next: 0, settled: true };
  step.settled = true;
  fold.steps.set(id, step);
}

export function settleItem(fold: FoldedRun, id: string, item: number): void {
  const step = fold.steps.get(id);
  if (step === undefined) return;
  step.open.delete(item);
  beginNext(fold, id, step);
}

/** False as long as the plan is not known. */
export function isAllSettled({ plan, steps }: FoldedRun): boolean {
  return plan?.ids.every((id) => steps.get(id)?.settled === true) ?? false;
}

// --- helpers ---

function beginNext(fold: FoldedRun, id: string, step: FoldedStep): void {
  while (!fold.isCancelling && step.next < step.items && (step.open.size < ITEMS_AT_ONCE || step.kept.has(step.next))) {
    const item = step.next;
    step.next += 1;
    if (step.kept.has(item)) continue;
    step.open.add(item);
    const machine = stepId(id, item);
    fold.machines.set(machine, { id: machine, machine: 'step', value: 'preparing', since: fold.seq, ended: false });
  }
  if (step.open.size === 0 && (step.next >= step.items || fold.isCancelling)) step.settled = true;
}
