/** One progress per run: 0..1 over all its steps by what they usually take, never falling, also not across a restart, and 1 only at the end. */
import type { StepProgress } from '#machines/run-steps.ts';
import { isSettled } from '#machines/run-steps.ts';
import { isWorking } from './at-rest.ts';
import type { WorkBefore } from './work-before.ts';
import { type Estimate, estimate, type ItemAtWork, type StepWork } from './estimate.ts';

/** What one item of a step usually takes, in seconds, and how many items the step usually has. */
export interface UsualStep {
  readonly mean: number;
  readonly variance: number;
  readonly items: number;
}

/**
 * While something is at work, what is told may run ahead of what is on disk, up to the next of so many marks: a daemon that is killed goes on from
 * there and never falls back. A mark that is on disk itself is the most, so that daemons that die again and again carry nothing forward.
 */
const MARKS = 20;
/** Of sums that should have met a mark. */
const ROUNDING = 1e-9;

/** Until the run has ended there is something left to do. */
export const UNTIL_THE_END = 0.999;

interface Item {
  value: number;
  readonly startedAt: number;
  readonly backend: string;
  /** False while only the log tells of it, after a restart. */
  heard: boolean;
}

interface Tracked {
  readonly usual: ReadonlyMap<string, UsualStep> | undefined;
  readonly items: Map<string, Item>;
  /** The share of the work that is over, done or not to be done any more, as last computed: what time goes by. */
  raw: number;
  /** The share that is done, for the bar: it falls when an item is tried again, fails, or a step turns out longer. */
  done: number;
  /** What is shown moves from here: `shown` at `raw`, 1 at 1. Of a resumed run it is set with the first look at its steps. */
  anchor: { readonly raw: number; readonly shown: number } | undefined;
  resumed: boolean;
  shown: number;
  /** What would be shown if it might run ahead as far as it likes. */
  reached: number;
  stored: number;
  /** Nothing was at work when it was stored: nothing beyond that is told before it is stored as well. */
  isExact: boolean;
  /** When work was first seen, and how much was done then. */
  began: { readonly at: number; readonly raw: number } | undefined;
}

export interface ProgressTracker {
  /** Takes up a run that is resumed with what was stored of it. */
  resume(runId: string, before: ResumedRun): void;
  /** Notes one item's progress (0..1; a new attempt begins at 0 again) and gives the run's. */
  report(item: ItemReport, steps: readonly StepProgress[]): number;
  /** The run's progress by what is known now. */
  of(runId: string, steps?: readonly StepProgress[]): number;
  /** The same, for the row that is being written. */
  store(runId: string, steps?: readonly StepProgress[]): number;
  /** Whether more could be shown once it is written down. */
  isAhead(runId: string): boolean;
  /** The pace is measured anew from the next report on: time that a person took to choose says nothing of it. */
  paceAnew(runId: string): void;
  /** What is left; undefined while too little is known. */
  eta(runId: string, steps: readonly StepProgress[]): Estimate | undefined;
  drop(runId: string): void;
}

export interface ResumedRun extends Partial<WorkBefore> {
  readonly stored: number;
  /** Something of it was at work, of which clients may have heard more than is stored. */
  readonly told: boolean;
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
      done: 0,
      anchor: { raw: 0, shown: 0 },
      resumed: false,
      shown: 0,
      reached: 0,
      stored: 0,
      isExact: true,
      began: undefined,
    };
    runs.set(runId, fresh);
    return fresh;
  };
  const raise = (run: Tracked, steps: readonly StepProgress[]): number => {
    if (steps.length === 0) return run.shown;
    run.raw = shareOf(run, steps, partOver);
    const done = shareOf(run, steps, partDone);
    // The way that is left is walked anew from where the bar stands, so that it goes on moving and never goes back.
    if (done < run.done) run.anchor = { raw: done, shown: run.shown };
    run.done = done;
    run.anchor ??= { raw: done, shown: run.shown };
    const { raw: from, shown } = run.anchor;
    const moved = from >= 1 ? 1 : shown + ((1 - shown) * (done - from)) / (1 - from);
    run.reached = Math.min(UNTIL_THE_END, moved);
    run.shown = Math.max(run.shown, Math.min(run.reached, mostToTell(run)));
    return run.shown;
  };
  return {
    resume(runId, { stored, told, items = [], ageMs }) {
      const run = tracked(runId);
      Object.assign(run, { stored, isExact: !told, anchor: undefined, resumed: true });
      run.shown = Math.min(UNTIL_THE_END, mostToTell(run));
      for (const { step, item, backend, ageMs: age } of items)
        run.items.set(keyOf(step, item), { value: 0, startedAt: now() - age, backend, heard: false });
      // The backend went on while there was no daemon, so that time counts as well.
      if (ageMs !== undefined) run.began = { at: now() - ageMs, raw: 0 };
    },
    report({ runId, step, item, backend, value }, steps) {
      const run = tracked(runId);
      const key = keyOf(step, item);
      const known = run.items.get(key);
      const clean = Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
      // What an item had done before the restart is heard of with its first report: no reason for a leap.
      if (known?.heard !== true && run.resumed) run.anchor = undefined;
      if (known === undefined || clean < known.value) run.items.set(key, { value: clean, startedAt: now(), backend, heard: true });
      else Object.assign(known, { value: clean, heard: true });
      const shown = raise(run, steps);
      run.began ??= { at: now(), raw: run.raw };
      return shown;
    },
    of: (runId, steps = []) => raise(tracked(runId), steps),
    store(runId, steps = []) {
      const run = tracked(runId);
      run.stored = Number.POSITIVE_INFINITY;
      run.stored = raise(run, steps);
      run.isExact = !steps.some(isWorking);
      return run.stored;
    },
    isAhead(runId) {
      const run = runs.get(runId);
      return run !== undefined && run.reached > run.shown;
    },
    paceAnew(runId) {
      const run = runs.get(runId);
      if (run !== undefined) run.began = undefined;
    },
    eta(runId, steps) {
      const run = runs.get(runId);
      if (run === undefined) return undefined;
      const at = now();
      const isUnheard = steps.some(({ id, open }) => open.some((item) => run.items.get(keyOf(id, item))?.heard === false));
      if (isUnheard) run.began ??= { at, raw: run.raw };
      if (run.began === undefined) return undefined;
      const work = steps.filter((step) => !isSettled(step)).map((step) => workOf(step, run, at));
      // How far an item is of which nothing was heard since the restart: what is on disk says more than nothing.
      const done = isUnheard && run.began.raw === 0 ? Math.max(run.raw, run.stored) : run.raw;
      return estimate(work, { share: done - run.began.raw, left: 1 - done, seconds: (at - run.began.at) / 1000 });
    },
    drop: (runId) => void runs.delete(runId),
  };
}

// --- helpers ---

function mostToTell({ stored, isExact }: Pick<Tracked, 'stored' | 'isExact'>): number {
  if (isExact) return stored;
  return stored <= 0 ? 1 / MARKS : Math.max(stored, Math.ceil(stored * MARKS - ROUNDING) / MARKS);
}

const keyOf = (step: string, item: number): string => `${step}/${String(item)}`;

function itemsOf(step: StepProgress, usual: UsualStep | undefined): number {
  if (step.status === 'pending' || step.status === 'planning') return Math.max(1, usual?.items ?? 1);
  return step.items;
}

/** By weight; a step nothing is known of weighs as much as the others on average. */
function shareOf({ usual, items }: Tracked, steps: readonly StepProgress[], part: typeof partOver): number {
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
    done += weight * part(step, items);
  }
  return total === 0 ? 0 : Math.min(1, done / total);
}

/** What a step that failed, or was blocked by one that did, leaves undone is not done by that. */
function partDone(step: StepProgress, items: ReadonlyMap<string, Item>): number {
  if (!isSettled(step) || step.status === 'done' || step.status === 'skipped') return partOver(step, items);
  return step.items === 0 ? 0 : Math.max(0, step.next - step.open.length - step.failed - step.lost) / step.items;
}

function partOver(step: StepProgress, items: ReadonlyMap<string, Item>): number {
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
