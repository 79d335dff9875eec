/** The run machine's bookkeeping of steps: which are ready, blocked or settled. Pure functions over plain data. */
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { Begin, Picks, Planned, RunPlan, Settled } from '#actors/logic.ts';
import type { ChoiceResult } from './choice-machine.ts';
import { ITEMS_AT_ONCE } from './items-at-once.ts';
import type { StepResult } from './step-context.ts';

export type StepProgressStatus =
  | 'pending'
  | 'planning'
  | 'active'
  | 'waiting'
  | 'done'
  | 'skipped'
  | 'blocked'
  | 'failed'
  | 'cancelled'
  | 'lost';

/** A choice stands among the steps, as `choices.NAME`; it is `waiting` while a person is asked. */
export interface StepProgress {
  readonly id: string;
  readonly needs: readonly string[];
  readonly status: StepProgressStatus;
  /** Known once planned. */
  readonly items: number;
  /** Items that were started and have not ended, by number. */
  readonly open: readonly number[];
  /** The item to start next: items are started in order, some at a time. `items` when all were, or none will be any more. */
  readonly next: number;
  /** Items that ended otherwise than done. */
  readonly failed: number;
  readonly lost: number;
  readonly reason: string | null;
  readonly error: ErrorData | null;
  /** What earlier tries of the run left, when there were any. */
  readonly kept?: readonly number[];
  readonly begin?: readonly Begin[];
}

const OPEN: ReadonlySet<StepProgressStatus> = new Set(['pending', 'planning', 'active', 'waiting']);
/** `needs` on a skipped step is satisfied (DESIGN 3). */
const SATISFIED: ReadonlySet<StepProgressStatus> = new Set(['done', 'skipped']);

/** Picks of an earlier try stand: nobody is asked again. */
export function newSteps({ steps, picks = {} }: RunPlan): readonly StepProgress[] {
  return steps.map(({ id, needs }) => ({
    id,
    needs,
    status: picks[choiceOf(id) ?? ''] === undefined ? 'pending' : 'done',
    items: 0,
    open: [],
    next: 0,
    failed: 0,
    lost: 0,
    reason: null,
    error: null,
  }));
}

export function isSettled(step: StepProgress): boolean {
  return !OPEN.has(step.status);
}

/** The name of the choice that stands under this id; undefined for a step. */
export function choiceOf(id: string): string | undefined {
  return id.startsWith('choices.') ? id.slice('choices.'.length) : undefined;
}

export function isWaiting(steps: readonly StepProgress[]): boolean {
  return steps.some(({ status }) => status === 'waiting');
}

/** What is made of finished items is there to be chosen from, also when others failed (DESIGN 3: items fail singly). */
function satisfies(need: StepProgress, step: StepProgress): boolean {
  if (SATISFIED.has(need.status)) return true;
  return choiceOf(step.id) !== undefined && (need.status === 'failed' || need.status === 'lost') && need.items > need.failed;
}

/**
 * Marks steps whose needs have failed as blocked, and those whose needs are satisfied as ready.
 * `steps` are in topological order, so one pass carries a failure down a whole chain.
 */
export function advance(steps: readonly StepProgress[]): {
  readonly steps: readonly StepProgress[];
  readonly ready: readonly string[];
  readonly blocked: readonly StepProgress[];
} {
  const byId = new Map<string, StepProgress>();
  const ready: string[] = [];
  const blocked: StepProgress[] = [];
  for (const step of steps) {
    let next = step;
    if (step.status === 'pending') {
      const needs = step.needs.map((id) => byId.get(id));
      const culprit = needs.find((need) => need !== undefined && isSettled(need) && !satisfies(need, step));
      if (culprit !== undefined) {
        next = {
          ...step,
          status: 'blocked',
          reason: `${nameOf(culprit.id)} ${culprit.status === 'blocked' ? 'is blocked' : `ended as ${culprit.status}`}.`,
        };
        blocked.push(next);
      } else if (needs.every((need) => need === undefined || satisfies(need, step))) {
        next = { ...step, status: 'planning' };
        ready.push(step.id);
      }
    }
    byId.set(next.id, next);
  }
  return { steps: [...byId.values()], ready, blocked };
}

export function update(steps: readonly StepProgress[], id: string, change: (step: StepProgress) => StepProgress): readonly StepProgress[] {
  return steps.map((step) => (step.id === id ? change(step) : step));
}

/** Takes up a planned step. One whose items were all finished by earlier tries is done with that. */
export function planned(step: StepProgress, { items, kept, begin }: Planned): StepProgress {
  const status = items === (kept?.length ?? 0) ? 'done' : 'active';
  return { ...step, status, items, ...(kept === undefined ? {} : { kept }), ...(begin === undefined ? {} : { begin }) };
}

/** Takes up the next items as far as there is room, but for those that earlier tries finished; `started` are their numbers. */
export function startItems(step: StepProgress): { readonly step: StepProgress; readonly started: readonly number[] } {
  const kept = new Set(step.kept);
  const started: number[] = [];
  let { next } = step;
  for (; next < step.items && step.open.length + started.length < ITEMS_AT_ONCE; next += 1) if (!kept.has(next)) started.push(next);
  while (next < step.items && kept.has(next)) next += 1;
  return { step: { ...step, open: [...step.open, ...started], next }, started };
}

/** The part of an item's input that says where earlier tries ended. */
export function beginOf({ begin }: StepProgress, item: number) {
  const found = begin?.find((one) => one.item === item);
  if (found === undefined) return {};
  const { attempt, isTakenUp, profile } = found;
  return { attempt, ...(isTakenUp ? { takenUp: attempt } : {}), ...(profile === undefined ? {} : { profile }) };
}

/** Counts one item's end; the step settles with its last item. Items fail singly: finished ones are kept. */
export function settleItem(step: StepProgress, result: StepResult): StepProgress {
  const open = step.open.filter((item) => item !== result.item);
  const failed = step.failed + (result.status === 'done' ? 0 : 1);
  const lost = step.lost + (result.status === 'lost' ? 1 : 0);
  const error = step.error ?? result.error;
  if (open.length > 0 || step.next < step.items) return { ...step, open, failed, lost, error };
  const status = failed === 0 ? 'done' : result.status === 'cancelled' ? 'cancelled' : lost > 0 ? 'lost' : 'failed';
  return { ...step, open, failed, lost, error, status };
}

function nameOf(id: string): string {
  const into = choiceOf(id);
  return into === undefined ? `Step '${id}'` : `The choice '${into}'`;
}

/** What the log says of a step or choice that never will begin. */
export function blockedEvent({ id, reason }: StepProgress): RunEventBody {
  const into = choiceOf(id);
  const why = reason === null ? {} : { reason };
  if (into !== undefined) return { type: 'choice.status', into, status: 'blocked', ...why };
  return { type: 'step.status', step: id, item: 0, attempt: 0, status: 'blocked', ...why };
}

export function settleChoice(step: StepProgress, { status, reason, error }: Omit<ChoiceResult, 'into' | 'picked'>): StepProgress {
  return { ...step, status: status === 'made' ? 'done' : status, reason, error };
}

/** The part of an input that says what has ended. */
export function settled(run: { readonly runId: string; readonly picks?: Picks }, steps: readonly StepProgress[]): Settled {
  return { runId: run.runId, skipped: skippedSteps(steps), ...(run.picks === undefined ? {} : { picks: run.picks }) };
}

function skippedSteps(steps: readonly StepProgress[]): readonly string[] {
  return steps.filter((step) => step.status === 'skipped').map((step) => step.id);
}

/** What a cancel leaves: nothing more is begun. */
export function withoutFurther(steps: readonly StepProgress[]): readonly StepProgress[] {
  return steps.map((step) =>
    step.status === 'pending' || step.status === 'planning' || step.status === 'waiting'
      ? { ...step, status: 'cancelled' }
      : { ...step, next: step.items },
  );
}

/** The error of the run: that of the first step, in order, that failed by itself. */
export function firstError(steps: readonly StepProgress[]): ErrorData | null {
  for (const { id, error } of steps) if (error !== null) return choiceOf(id) === undefined ? { ...error, step: id } : error;
  return null;
}
