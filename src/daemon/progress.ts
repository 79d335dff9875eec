/** One progress per run: 0..1 over all its steps by what they usually take, never falling, also not across a restart, and 1 only at the end. */
import type { StepProgress } from '#machines/run-steps.ts';
import { isSettled } from '#machines/run-steps.ts';
import { type Estimate, estimate, type ItemAtWork, type StepWork } from './estimate.ts';

/** What one item of a step usually takes, in seconds, and how many items the step usually has. */
export interface UsualStep {
  readonly mean: number;
  readonly variance: number;
  readonly items: number;
}

/** How far what is told may run ahead of what is on disk: a daemon that is killed goes on from there and never falls back. */
export const STORED_EVERY = 0.05;

/** Until the run has ended there is something left to do. */
const MOST = 0.999;

interface Item {
  value: number;
  readonly startedAt: number;
  readonly backend: string;
}

interface Tracked {
  readonly usual: ReadonlyMap<string, UsualStep> | undefined;
  readonly items: Map<string, Item>;
  /** The share of the work that is done, as last computed: it falls when an item is tried again or a step turns out longer. */
  raw: number;
  /** What is shown moves from here: `shown` at `raw`, 1 at 1. Of a resumed run it is set with the first look at its steps. */
  anchor: { readonly raw: number; readonly shown: number } | undefined;
  resumed: boolean;
  shown: number;
  stored: number;
  /** When work was first seen, and how much was done then. */
  began: { readonly at: number; readonly raw: number } | undefined;
}

export interface ProgressTracker {
  /** Takes up a run that is resumed with what was stored of it; `told` when it had work on a backend, of which clients may have heard more. */
  resume(runId: string, stored: number, told: boolean): void;
  /** Notes one item's progress (0..1; a new attempt begins at 0 again) and gives the run's. */
  report(item: ItemReport, steps: readonly StepProgress[]): number;
  /** The run's progress by what is known now. */
  of(runId: string, steps?: readonly StepProgress[]): number;
  /** The same, for the row that is being written. */
  store(runId: string, steps?: readonly StepProgress[]): number;
  /** Whether what is shown has run so far ahead that it should be written down. */
  isAhead(runId: string): boolean;
  /** The pace is measured anew from the next report on: time that a person took to choose says nothing of it. */
  paceAnew(runId: string): void;
  /** What is left; undefined while too little is known. */
  eta(runId: string, steps: readonly StepProgress[]): Estimate | undefined;
  drop(runId: string): void;
}

export interface ItemReport {
  readonly runId: string;
  readonly step: string;
  readonly item: number;
  readonly backend: string;
  readonly value: number;
}

/** `usual` is asked once for each run, so that what others teach meanwhile does not move its bar. `now` is monotonic, in milliseconds. */
export function createProgressTracker(
  usual: (runId: string) => ReadonlyMap<string, UsualStep> | undefined = () => undefined,
  now: () => number = () => performance.now(),
): ProgressTracker {
  const runs = new Map<string, Tracked>();
  const tracked = (runId: string): Tracked => {
    const known = runs.get(runId);
    if (known !== undefined) return known;
    const fresh: Tracked = {
      usual: usual(runId),
      items: new Map(),
      raw: 0,
      anchor: { raw: 0, shown: 0 },
      resumed: false,
      shown: 0,
      stored: 0,
      began: undefined,
    };
    runs.set(runId, fresh);
    return fresh;
  };
  const raise = (run: Tracked, steps: readonly StepProgress[]): number => {
    if (steps.length === 0) return run.shown;
    const raw = shareDone(run, steps);
    // The way that is left is walked anew from where the bar stands, so that it goes on moving and never goes back.
    if (raw < run.raw) run.anchor = { raw, shown: run.shown };
    run.raw = raw;
    run.anchor ??= { raw, shown: run.shown };
    const { raw: from, shown } = run.anchor;
    const moved = from >= 1 ? 1 : shown + ((1 - shown) * (raw - from)) / (1 - from);
    run.shown = Math.max(run.shown, Math.min(MOST, moved, run.stored + STORED_EVERY));
    return run.shown;
  };
  return {
    resume(runId, stored, told) {
      const run = tracked(runId);
      Object.assign(run, { stored, shown: told ? Math.min(MOST, stored + STORED_EVERY) : stored, anchor: undefined, resumed: true });
    },
    report({ runId, step, item, backend, value }, steps) {
      const run = tracked(runId);
      const key = keyOf(step, item);
      const known = run.items.get(key);
      const clean = Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
      if (known === undefined || clean < known.value) run.items.set(key, { value: clean, startedAt: now(), backend });
      else known.value = clean;
      // What an item had done before the restart is heard of with its first report: no reason for a leap.
      if (known === undefined && run.resumed) run.anchor = undefined;
      const shown = raise(run, steps);
      run.began ??= { at: now(), raw: run.raw };
      return shown;
    },
    of: (runId, steps = []) => raise(tracked(runId), steps),
    store(runId, steps = []) {
      const run = tracked(runId);
      run.stored = Number.POSITIVE_INFINITY;
      run.stored = raise(run, steps);
      return run.stored;
    },
    isAhead(runId) {
      const run = runs.get(runId);
      return run !== undefined && run.shown >= run.stored + STORED_EVERY && run.shown < MOST;
    },
    paceAnew(runId) {
      const run = runs.get(runId);
      if (run !== undefined) run.began = undefined;
    },
    eta(runId, steps) {
      const run = runs.get(runId);
      if (run?.began === undefined) return undefined;
      const at = now();
      const work = steps.filter((step) => !isSettled(step)).map((step) => workOf(step, run, at));
      return estimate(work, { share: run.raw - run.began.raw, left: 1 - run.raw, seconds: (at - run.began.at) / 1000 });
    },
    drop: (runId) => void runs.delete(runId),
  };
}

// --- helpers ---

const keyOf = (step: string, item: number): string => `${step}/${String(item)}`;

function itemsOf(step: StepProgress, usual: UsualStep | undefined): number {
  if (step.status === 'pending' || step.status === 'planning') return Math.max(1, usual?.items ?? 1);
  return step.items;
}

/** Settled, skipped and blocked steps are work that is done or need not be; a step nothing is known of weighs as much as the others on average. */
function shareDone({ usual, items }: Tracked, steps: readonly StepProgress[]): number {
  const means = steps.flatMap(({ id }) => usual?.get(id)?.mean ?? []).filter((mean) => mean > 0);
  const average = means.length === 0 ? 1 : means.reduce((sum, mean) => sum + mean, 0) / means.length;
  let total = 0;
  let done = 0;
  for (const step of steps) {
    const known = usual?.get(step.id);
    const mean = known === undefined || known.mean <= 0 ? average : known.mean;
    // Without history every step counts the same, however many items it has.
    const weight = usual === undefined ? 1 : mean * Math.max(1, itemsOf(step, known));
    total += weight;
    done += weight * partDone(step, items);
  }
  return total === 0 ? 0 : Math.min(1, done / total);
}

function partDone(step: StepProgress, items: ReadonlyMap<string, Item>): number {
  if (isSettled(step)) return 1;
  // Before it is planned it can only be at work in the prompt of the step before.
  if (step.items === 0) return items.get(keyOf(step.id, 0))?.value ?? 0;
  const settled = Math.max(0, step.next - step.open.length);
  const running = step.open.reduce((sum, item) => sum + (items.get(keyOf(step.id, item))?.value ?? 0), 0);
  return Math.min(1, (settled + running) / step.items);
}

function workOf(step: StepProgress, { usual, items }: Tracked, at: number): StepWork {
  const known = usual?.get(step.id);
  const open = step.open.flatMap((number): ItemAtWork[] => {
    const item = items.get(keyOf(step.id, number));
    return item === undefined ? [] : [{ value: item.value, seconds: (at - item.startedAt) / 1000, backend: item.backend }];
  });
  const settled = Math.max(0, step.next - step.open.length);
  const waiting = Math.max(0, itemsOf(step, known) - settled - open.length);
  return { usual: known, waiting, open };
}
