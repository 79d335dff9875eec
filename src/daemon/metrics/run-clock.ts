/**
 * The clock of runs: folds what is announced of them into things that are over, with their times. Metrics and traces are made of these.
 * It keeps a few words of each open run; of one that a process before this one began it reads the log first, so that its times are right.
 */
import type { PhaseSpan } from '#actors/watch-phases.ts';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import type { Store } from '#store/types.ts';
import type { Fact, ItemEnd, PhaseFact, StepFact } from './facts.ts';
import { createItemClock, isItemEnd, type ItemClock, type ItemNews, type StepState } from './item-clock.ts';

export interface RunClock {
  /** In order of position. */
  take(event: RunEvent): readonly Fact[];
  /** A phase that was measured where it was done. */
  measured(span: PhaseSpan): readonly Fact[];
}

interface StepClock {
  readonly from: number;
  readonly planned: number;
  readonly items: Map<number, ItemClock>;
  ended: number;
  /** The worst end of its items. */
  end: ItemEnd;
  error: StepFact['error'];
}

interface OpenRun {
  readonly template: string;
  readonly resumed: boolean;
  nth: number;
  from: number;
  /** Accepted and not yet begun. */
  waits: boolean;
  readonly steps: Map<string, StepClock>;
  readonly choices: Map<string, number>;
}

const PAGE = 500;
/** From the best to the worst. */
const ORDER: readonly ItemEnd[] = ['done', 'cached', 'skipped', 'blocked', 'cancelled', 'failed', 'lost'];

export function createRunClock(store: Pick<Store, 'events' | 'run'>): RunClock {
  const open = new Map<string, OpenRun>();
  const of = (runId: string, { template, nth, resumed }: OpenRun) => ({ runId, template, nth, resumed });

  /** What is known of a run that this process has not seen before; undefined when it has ended, or is gone. */
  function read(runId: string, before: number): OpenRun | undefined {
    const row = store.run(runId);
    if (row === undefined) return undefined;
    const run = begin(row.template, row.createdAt, true);
    let ended = false;
    for (let after = 0; ;) {
      const page = store.events({ runId, after, limit: PAGE });
      for (const event of page) {
        if (event.position >= before) return ended ? undefined : run;
        if (event.event.type === 'run.created') continue;
        ended = fold(run, event).some(({ kind }) => kind === 'run') || (ended && event.event.type !== 'run.retried');
      }
      if (page.length < PAGE) return ended ? undefined : run;
      after = page.at(-1)?.seq ?? after;
    }
  }

  function fold(run: OpenRun, { runId, event, at }: RunEvent): readonly Fact[] {
    const told = of(runId, run);
    switch (event.type) {
      case 'run.retried': {
        Object.assign(run, { nth: event.nth, from: at, waits: true });
        run.steps.clear();
        run.choices.clear();
        return [{ kind: 'retried', ...of(runId, run) }];
      }
      case 'run.status': {
        if (!RUN_ENDS.includes(event.status)) return [];
        const left = [...run.steps].map(([step, clock]): Fact => ({ ...told, ...overOf(step, clock, at), status: event.status }));
        run.steps.clear();
        const { status, error } = event;
        return [...left, { kind: 'run', ...told, from: run.from, until: Math.max(run.from, at), status, ...(error && { error }) }];
      }
      case 'step.planned':
        run.waits = false;
        return plannedStep(run, event, at).map((news): Fact => ({ ...told, ...news }));
      case 'step.status':
        run.waits = false;
        return stepStatus(run, event, at).map((news): Fact => ({ ...told, ...news }));
      case 'choice.offered':
        run.choices.set(event.into, at);
        return [];
      case 'choice.made':
      case 'choice.status': {
        const from = run.choices.get(event.into);
        run.choices.delete(event.into);
        const step = `choices.${event.into}`;
        return from === undefined ? [] : [{ kind: 'phase', phase: 'choice', ...told, step, from, until: Math.max(from, at) }];
      }
      default:
        return [];
    }
  }

  return {
    take(one) {
      const { runId, event, at } = one;
      if (event.type === 'run.created') {
        const run = begin(event.template, at, false);
        open.set(runId, run);
        return [{ kind: 'accepted', ...of(runId, run) }];
      }
      // What is said of a run after its end, or of nothing that has a time, needs no reading.
      if (!open.has(runId) && !COUNTS.has(event.type)) return [];
      const run = open.get(runId) ?? read(runId, one.position) ?? (event.type === 'run.retried' ? reborn(store, runId) : undefined);
      if (run === undefined) return [];
      open.set(runId, run);
      const facts = fold(run, one);
      if (event.type === 'run.status' && RUN_ENDS.includes(event.status)) open.delete(runId);
      return facts;
    },
    measured({ phase, runId, ...span }) {
      // Events are announced as soon as they are committed: none that is read here is still to be taken.
      const run = open.get(runId) ?? read(runId, Infinity);
      if (run === undefined) return [];
      open.set(runId, run);
      const facts: PhaseFact[] = [];
      if (phase === 'load' && run.waits) {
        run.waits = false;
        facts.push({ kind: 'phase', phase: 'run-queue', ...of(runId, run), from: run.from, until: Math.max(run.from, span.from) });
      }
      if (phase === 'parse' && span.step !== undefined)
        run.steps
          .get(span.step)
          ?.items.get(span.item ?? 0)
          ?.parsedFrom(span.from);
      facts.push({ kind: 'phase', phase, ...of(runId, run), ...span });
      return facts;
    },
  };
}

// --- helpers ---

const COUNTS: ReadonlySet<string> = new Set([
  'run.retried',
  'run.status',
  'step.planned',
  'step.status',
  'choice.offered',
  'choice.made',
  'choice.status',
]);

function begin(template: string, from: number, resumed: boolean): OpenRun {
  return { template, resumed, nth: 1, from, waits: true, steps: new Map(), choices: new Map() };
}

/** Ended before, and tried again now. */
function reborn(store: Pick<Store, 'run'>, runId: string): OpenRun | undefined {
  const row = store.run(runId);
  return row === undefined ? undefined : begin(row.template, row.createdAt, true);
}

function begunStep(from: number, planned: number): StepClock {
  return { from, planned, items: new Map(), ended: 0, end: 'done', error: undefined };
}

function plannedStep(run: OpenRun, { step, items, kept = [] }: PlannedStep, at: number): readonly StepNews[] {
  const clock = { ...begunStep(at, items), ended: kept.length };
  // Nothing of it is left to be done.
  if (clock.ended >= items) return [overOf(step, clock, at)];
  run.steps.set(step, clock);
  return [];
}

type PlannedStep = Extract<RunEventBody, { readonly type: 'step.planned' }>;
type StepNews = ItemNews | Omit<StepFact, 'runId' | 'template' | 'nth' | 'resumed'>;

function stepStatus(run: OpenRun, event: StepState, at: number): readonly StepNews[] {
  const step = run.steps.get(event.step) ?? begunStep(at, 1);
  run.steps.set(event.step, step);
  const item = step.items.get(event.item) ?? createItemClock(event.step, event.item);
  step.items.set(event.item, item);
  const news = item.take(event, at);
  if (!isItemEnd(event)) return news;
  step.items.delete(event.item);
  step.ended += 1;
  if (ORDER.indexOf(event.status) > ORDER.indexOf(step.end)) step.end = event.status;
  if (event.error !== undefined) step.error = event.error;
  if (step.ended < step.planned) return news;
  run.steps.delete(event.step);
  return [...news, overOf(event.step, step, at)];
}

function overOf(step: string, { from, planned: items, end, error }: StepClock, at: number) {
  return { kind: 'step', step, items, from, until: Math.max(from, at), status: end, ...(error && { error }) } as const;
}
