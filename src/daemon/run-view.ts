/** The view of a run, folded from its log and its rows: the same for a live run, a finished one and one from before a crash. */
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import type { Problem } from '#protocol/problem.ts';
import {
  type ArtifactView,
  type AttemptView,
  type CacheView,
  RUN_ENDS,
  type RunSummary,
  type RunView,
  type StepStatus,
  type StepView,
} from '#protocol/views.ts';
import type { AttemptRow, RunRow, Store } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { choicesOf } from './choice-view.ts';
import { optimiserOf } from './optimiser-view.ts';
import { rebuildProblems } from './rebuild/problems.ts';
import type { HeldRun } from './held-runs.ts';
import { USUAL_OPTIONS } from './run-memory.ts';

export interface LiveProgress {
  readonly progress: number;
  readonly etaSeconds?: number;
  readonly etaRange?: readonly [number, number];
}

/** Statuses after which an item does nothing more. */
const ITEM_ENDS: ReadonlySet<StepStatus> = new Set(['done', 'cached', 'skipped', 'blocked', 'failed', 'cancelled', 'lost']);
/** Of several items, the one that says most about the step now. */
const ACTIVE_ORDER: readonly StepStatus[] = [
  'running',
  'unresponsive',
  'unknown',
  'parsing',
  'cancelling',
  'queued',
  'submitting',
  'freeing',
  'backing-off',
  'waiting',
  'preparing',
];

export function summaryOf(row: RunRow, live?: LiveProgress): RunSummary {
  return {
    runId: row.runId,
    template: row.template,
    version: row.version,
    status: row.status,
    draft: row.draft,
    progress: Math.max(row.progress, live?.progress ?? 0),
    ...(live?.etaSeconds === undefined ? {} : { etaSeconds: live.etaSeconds }),
    ...(live?.etaRange === undefined ? {} : { etaRange: live.etaRange }),
    createdAt: row.createdAt,
    ...(row.endedAt === null ? {} : { endedAt: row.endedAt }),
    ...(row.pinned === true ? { pinned: true } : {}),
    ...(row.error === null ? {} : { error: row.error }),
  };
}

export function viewOf(row: RunRow, store: Store, template: CompiledTemplate, live?: LiveProgress, held?: HeldRun): RunView {
  const order = new Map(template.steps.map((step, place) => [step.id, place]));
  const artifacts = store
    .artifacts(row.runId)
    .toSorted(
      (a, b) =>
        (order.get(a.step) ?? 0) - (order.get(b.step) ?? 0) || a.item - b.item || a.output.localeCompare(b.output) || a.index - b.index,
    );
  const events = allEvents(store, row.runId);
  const ended = RUN_ENDS.includes(row.status);
  const { options = USUAL_OPTIONS } = row;
  return {
    ...summaryOf(row, live),
    draft: row.draft || artifacts.some((artifact) => artifact.draft),
    parameters: JSON.parse(row.parameters) as Record<string, unknown>,
    options,
    steps: stepsOf(template, events, store.attempts(row.runId), artifacts, ended, held),
    artifacts,
    ...triesOf(events),
    ...(template.choices.length === 0 ? {} : { choices: choicesOf(template, events, ended) }),
    optimiser: optimiserOf(template, options, store.savings(row.runId)),
    problems: [
      ...(held === undefined ? [...(row.error?.problems ?? []), ...rebuildProblems(events)] : [held.problem]),
      ...warningsOf(events),
    ],
  };
}

const PAGE = 1000;

export function allEvents(store: Pick<Store, 'events'>, runId: string): readonly RunEvent[] {
  const events: RunEvent[] = [];
  for (;;) {
    const page = store.events({ runId, after: events.at(-1)?.seq ?? 0, limit: PAGE });
    events.push(...page);
    if (page.length < PAGE) return events;
  }
}

/** Those of its newest try: what is done again says again what is wrong. */
function warningsOf(events: readonly RunEvent[]): readonly Problem[] {
  const tried = events.findLastIndex(({ event }) => event.type === 'run.retried');
  const found = new Map<string, Problem>();
  for (const { event } of events.slice(tried + 1)) {
    if (event.type !== 'run.note' || event.severity === undefined) continue;
    const { code, severity, message, hint, step } = event;
    const problem = { code, severity, message, ...(hint === undefined ? {} : { hint }), ...(step === undefined ? {} : { step }) };
    found.set(`${code}\n${message}`, problem);
  }
  return [...found.values()];
}

interface StepFold {
  items: number;
  /** In this try or, with items that stand, in an earlier one. */
  isPlanned: boolean;
  whole: StepStatus | undefined;
  reason: string | undefined;
  readonly statuses: Map<number, StepStatus>;
  /** Why an item is where it is, for as long as it is there. */
  readonly reasons: Map<number, string>;
  /** What ended an item, or its last attempt; gone once the item goes on. By item, -1 for the step as a whole. */
  readonly errors: Map<number, ErrorData>;
  /** What the result cache had, by item. */
  readonly cache: Map<number, CacheView>;
}

function stepsOf(
  template: CompiledTemplate,
  events: readonly RunEvent[],
  attempts: readonly AttemptRow[],
  artifacts: readonly ArtifactView[],
  ended: boolean,
  held: HeldRun | undefined,
): readonly StepView[] {
  const finished = new Set(artifacts.filter(({ partial }) => partial !== true).map(({ step, item }) => itemKey(step, item)));
  const folds = new Map<string, StepFold>();
  const fold = (step: string): StepFold => {
    const known = folds.get(step) ?? {
      items: 0,
      isPlanned: false,
      whole: undefined,
      reason: undefined,
      statuses: new Map(),
      reasons: new Map(),
      errors: new Map(),
      cache: new Map(),
    };
    folds.set(step, known);
    return known;
  };
  for (const { event } of events) {
    if (event.type === 'run.retried') goOn(folds, event.again, finished);
    if (event.type === 'step.planned') {
      fold(event.step).items = event.items;
      fold(event.step).isPlanned = true;
      fold(event.step).statuses.clear();
      for (const item of event.kept ?? []) fold(event.step).statuses.set(item, 'done');
    }
    if (event.type === 'step.note') {
      if (event.code === 'STEP_MOVES') fold(event.step).reasons.delete(event.item);
      else fold(event.step).reasons.set(event.item, event.message);
    }
    if (event.type === 'step.cache') {
      const { item, attempt, result, reason, runId } = event;
      fold(event.step).cache.set(item, { item, attempt, result, reason, ...(runId === undefined ? {} : { runId }) });
    }
    if (event.type !== 'step.status') continue;
    const step = fold(event.step);
    // Attempt 0 speaks of the step as a whole: it never got as far as an item.
    if (event.attempt === 0) step.whole = event.status;
    else step.statuses.set(event.item, event.status);
    if (event.attempt === 0) step.reason = event.reason;
    else if (event.reason === undefined) step.reasons.delete(event.item);
    else step.reasons.set(event.item, event.reason);
    const of = event.attempt === 0 ? -1 : event.item;
    if (event.error === undefined) step.errors.delete(of);
    else step.errors.set(of, event.error);
  }
  return template.steps.map(({ id, title }) => {
    const { items, isPlanned, whole, statuses, reasons, errors, cache, reason = reasons.values().next().value } = fold(id);
    const error = errors.values().next().value;
    const done = [...statuses.values()].filter((status) => status === 'done' || status === 'cached').length;
    const settled = [...statuses.values()].filter((status) => ITEM_ENDS.has(status)).length;
    const isUnknown = attempts.some((attempt) => attempt.step === id && isOutOfReach(attempt, held));
    const status =
      whole ?? (isUnknown ? 'unknown' : undefined) ?? statusOfItems(items, statuses, isPlanned && items === 0 && statuses.size === 0);
    // Whatever it was at or waited for when its run ended, perhaps from outside: it is not any more.
    const cutShort = ended && !ITEM_ENDS.has(status);
    return {
      id,
      ...(title === undefined ? {} : { title }),
      status: cutShort ? 'cancelled' : status,
      ...(reason === undefined || cutShort ? {} : { reason }),
      items,
      itemsDone: done,
      progress: items === 0 ? (status === 'pending' ? 0 : 1) : settled / items,
      attempts: attempts
        .filter((attempt) => attempt.step === id)
        .map((attempt) => attemptView(attempt, isOutOfReach(attempt, held) ? 'unknown' : statuses.get(attempt.item))),
      ...(cache.size === 0 ? {} : { cache: [...cache.values()].toSorted((a, b) => a.item - b.item) }),
      ...(error === undefined ? {} : { error }),
    };
  });
}

function triesOf(events: readonly RunEvent[]): Pick<RunView, 'tries'> {
  const retries = events.filter(({ event }) => event.type === 'run.retried').length;
  return retries === 0 ? {} : { tries: retries + 1 };
}

/** What a new try finds: finished items stay until it says otherwise, nothing else does. */
function goOn(folds: Map<string, StepFold>, again: readonly string[], finished: ReadonlySet<string>): void {
  for (const id of again) {
    const fold = folds.get(id);
    if (fold === undefined) continue;
    folds.delete(id);
    const done = [...fold.statuses].filter(
      ([item, status]) => (status === 'done' || status === 'cached') && finished.has(itemKey(id, item)),
    );
    if (done.length === 0) continue;
    const statuses = new Map(done);
    // What the cache gave to an item that stays is still where it has its files from.
    const cache = new Map([...fold.cache].filter(([item]) => statuses.has(item)));
    folds.set(id, { ...fold, whole: undefined, statuses, reasons: new Map(), errors: new Map(), cache });
  }
}

function itemKey(step: string, item: number): string {
  return `${step}\n${String(item)}`;
}

/** Sent to a backend that nobody can ask now. */
function isOutOfReach({ backend, endedAt }: AttemptRow, held: HeldRun | undefined): boolean {
  return endedAt === null && held !== undefined && held.missing.has(backend);
}

function statusOfItems(items: number, statuses: ReadonlyMap<number, StepStatus>, isEmptyPlan: boolean): StepStatus {
  if (isEmptyPlan) return 'done';
  const all = [...statuses.values()];
  const active = ACTIVE_ORDER.find((status) => all.includes(status));
  if (active !== undefined) return active;
  if (items === 0) return 'pending';
  if (all.length < items) return 'preparing';
  const worst = (['lost', 'failed', 'cancelled'] as const).find((status) => all.includes(status));
  return worst ?? (all.every((status) => status === 'cached') ? 'cached' : 'done');
}

function attemptView(row: AttemptRow, item: StepStatus | undefined): AttemptView {
  const isLatest = row.endedAt === null;
  return {
    attemptId: row.promptId,
    promptId: row.promptId,
    item: row.item,
    attempt: row.attempt,
    backend: row.backend,
    status: isLatest && item !== undefined && !ITEM_ENDS.has(item) ? item : row.status,
    ...(row.profile === undefined ? {} : { profile: row.profile }),
    ...(row.fused === undefined ? {} : { fused: row.fused }),
    ...(row.error === null ? {} : { error: row.error }),
  };
}
