/** One progress per run: 0..1 over all its steps, never falling, with a plain estimate of what is left. */
import type { StepProgress } from '#machines/run-steps.ts';
import { isSettled } from '#machines/run-steps.ts';

/** Below this share of the work an estimate would be a guess. */
const ESTIMATE_FROM = 0.05;

interface Tracked {
  readonly items: Map<string, number>;
  highest: number;
  startedAt: number;
}

export interface ProgressTracker {
  /** Notes one item's progress (0..1) and gives the run's. */
  report(runId: string, step: string, item: number, value: number, steps: readonly StepProgress[]): number;
  /** The run's progress by what is known now. */
  of(runId: string, steps?: readonly StepProgress[]): number;
  /** Seconds left at the present pace; undefined while too little is known. */
  eta(runId: string): number | undefined;
  drop(runId: string): void;
}

/** `now` is monotonic, in milliseconds. */
export function createProgressTracker(now: () => number = () => performance.now()): ProgressTracker {
  const runs = new Map<string, Tracked>();
  const tracked = (runId: string): Tracked => {
    const known = runs.get(runId);
    if (known !== undefined) return known;
    const fresh = { items: new Map<string, number>(), highest: 0, startedAt: now() };
    runs.set(runId, fresh);
    return fresh;
  };
  const raise = (run: Tracked, steps: readonly StepProgress[]): number => {
    if (steps.length > 0) {
      const done = steps.reduce((sum, step) => sum + shareOf(step, run.items), 0);
      run.highest = Math.max(run.highest, Math.min(1, done / steps.length));
    }
    return run.highest;
  };
  return {
    report(runId, step, item, value, steps) {
      const run = tracked(runId);
      const key = `${step}/${String(item)}`;
      run.items.set(key, Math.max(run.items.get(key) ?? 0, Math.min(1, value)));
      return raise(run, steps);
    },
    of: (runId, steps = []) => raise(tracked(runId), steps),
    eta(runId) {
      const run = runs.get(runId);
      if (run === undefined || run.highest < ESTIMATE_FROM) return undefined;
      return Math.round(((now() - run.startedAt) / 1000) * (1 / run.highest - 1));
    },
    drop: (runId) => void runs.delete(runId),
  };
}

/** Each step weighs the same; within it, each item. Skipped and blocked steps are work that need not be done. */
function shareOf(step: StepProgress, items: ReadonlyMap<string, number>): number {
  if (isSettled(step)) return 1;
  if (step.items === 0) return 0;
  let running = 0;
  for (let item = 0; item < step.items; item += 1) running += items.get(`${step.id}/${String(item)}`) ?? 0;
  return Math.min(1, Math.max(running, step.items - step.open.length) / step.items);
}
