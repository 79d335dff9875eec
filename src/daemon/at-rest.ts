/** Whether anything is being done for a run, as its stored machine has it: a run that waits for a person does nothing. Pure. */
import { choiceOf, isSettled, isWaiting, type StepProgress } from '#machines/run-steps.ts';
import type { RunRow } from '#store/types.ts';
import type { StoredTimer } from './snapshots.ts';

export type StoredMachine = Pick<RunRow, 'snapshot' | 'timers'>;

/** A step of it is being planned or executed: clients may have heard more of its progress than is stored. */
export function isAtWork({ snapshot }: Pick<StoredMachine, 'snapshot'>): boolean {
  return stepsIn(snapshot)?.steps.some((step) => choiceOf(step.id) === undefined && isWorking(step)) ?? false;
}

/** Every step that can go on waits for a person, and no time is up: taking it up leads to nothing by itself. */
export function isAtRest({ snapshot, timers }: StoredMachine, now: number): boolean {
  const stored = stepsIn(snapshot);
  if (stored?.value !== 'executing' || !isWaiting(stored.steps)) return false;
  const isDue = (JSON.parse(timers ?? '[]') as StoredTimer[]).some(({ due }) => due <= now);
  return !isDue && !stored.steps.some(isWorking);
}

export function isWorking(step: StepProgress): boolean {
  return !isSettled(step) && step.status !== 'pending' && step.status !== 'waiting';
}

// --- helpers ---

interface Stored {
  readonly value: unknown;
  readonly steps: readonly StepProgress[];
}

function stepsIn(snapshot: string | null): Stored | undefined {
  if (snapshot === null) return undefined;
  const { value, context } = JSON.parse(snapshot) as { readonly value?: unknown; readonly context?: { readonly steps?: unknown } };
  const steps = context?.steps;
  return Array.isArray(steps) ? { value, steps: steps as readonly StepProgress[] } : undefined;
}
