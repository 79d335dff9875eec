/** The runs that are known here: read in pages, kept true by events. */
import { computed, signal } from '@preact/signals';
import { CallsheetError } from '../../src/protocol/errors.ts';
import type { RunEvent } from '../../src/protocol/events.ts';
import { RUN_ENDS, type RunStatus, type RunSummary } from '../../src/protocol/views.ts';
import { connections, session } from './connection.ts';
import { titleOf } from './templates.ts';

export interface RunFilter {
  readonly statuses: readonly RunStatus[] | undefined;
  /** Text that the id of the template, or its title, holds. */
  readonly text: string;
}

export const ACTIVE: readonly RunStatus[] = ['queued', 'running', 'waiting', 'cancelling'];
const PAGE = 200;
/** Summaries that events do not carry are read again so much later, many events at once. */
const SETTLE_MS = 300;
/** After an error that passes everything is compared again so much later. */
const AGAIN_MS = 1000;

const known = signal<ReadonlyMap<string, RunSummary>>(new Map());
export const filter = signal<RunFilter>({ statuses: undefined, text: '' });
/** Of each set of statuses: down to which run all of them are known; `end`, which no id is, when there are no older ones. */
const depth = signal<ReadonlyMap<string, string>>(new Map());
export const isReading = signal(false);
export const isRead = computed(() => depth.value.has(keyOf(filter.value.statuses)));
/** There are no older ones than those that are known. */
export const isComplete = computed(() => depth.value.get(keyOf(filter.value.statuses)) === 'end');

/** Newest first, without gaps. */
export const runs = computed(() => {
  const { statuses, text } = filter.value;
  const to = depth.value.get(keyOf(statuses));
  const wanted = text.trim().toLowerCase();
  return [...known.value.values()]
    .filter(
      (run) =>
        (statuses === undefined || statuses.includes(run.status)) &&
        (to === undefined || to === 'end' || run.runId >= to) &&
        (wanted === '' || `${run.runId} ${run.template} ${titleOf(run.template)}`.toLowerCase().includes(wanted)),
    )
    .toSorted((a, b) => (a.runId < b.runId ? 1 : -1));
});

export const waitingForPerson = computed(() => [...known.value.values()].filter((run) => run.status === 'waiting').length);

export function runOf(runId: string): RunSummary | undefined {
  return known.value.get(runId);
}

export function isEnded(status: RunStatus): boolean {
  return RUN_ENDS.includes(status);
}

/** Reads the next page of the present filter, if there is one. */
export async function readOlder(): Promise<void> {
  const { statuses } = filter.value;
  const key = keyOf(statuses);
  const before = depth.value.get(key);
  if (isReading.value || before === 'end') return;
  isReading.value = true;
  try {
    const page = await readPage(statuses, before);
    depth.value = new Map(depth.value).set(key, page.length < PAGE ? 'end' : lastOf(page));
  } finally {
    isReading.value = false;
  }
}

/** Follows the whole log for as long as the page is open. */
export function watchRuns(): void {
  session.subscribe({}, { onEvent: take, onGap: readAnew });
  session.on('progress', ({ runId, progress, etaSeconds, etaRange }) => {
    const run = known.value.get(runId);
    if (run === undefined) return;
    const { etaSeconds: _eta, etaRange: _range, ...rest } = run;
    put({ ...rest, progress, ...(etaSeconds === undefined ? {} : { etaSeconds }), ...(etaRange === undefined ? {} : { etaRange }) });
  });
  session.on('run/removed', ({ runIds }) => {
    const left = new Map(known.value);
    for (const runId of runIds) {
      left.delete(runId);
      pending.delete(runId);
    }
    known.value = left;
  });
  // The log is resumed, but not what has no event: which runs were removed while nobody listened.
  let first = true;
  connections.subscribe((nth) => {
    if (nth === 0) return;
    if (first) void readOlder().catch(() => undefined);
    else void refresh();
    first = false;
  });
}

// --- helpers ---

function keyOf(statuses: readonly RunStatus[] | undefined): string {
  return statuses?.join(' ') ?? '';
}

async function readPage(statuses: readonly RunStatus[] | undefined, before?: string, limit = PAGE): Promise<readonly RunSummary[]> {
  const { runs: page } = await session.call('run/list', {
    limit,
    ...(statuses === undefined ? {} : { status: [...statuses] }),
    ...(before === undefined ? {} : { before }),
  });
  const next = new Map(known.value);
  for (const run of page) next.set(run.runId, run);
  known.value = next;
  return page;
}

/** Grows when everything is forgotten: what began to read before knows too little then. */
let era = 0;

function readAnew(): void {
  era += 1;
  known.value = new Map();
  depth.value = new Map();
  void readOlder().catch(() => undefined);
}

/** Reads what is shown once more, as far down as it was; what no page names any more is not known any more. */
async function refresh(): Promise<void> {
  flush();
  const before = known.value;
  const { statuses } = filter.value;
  const key = keyOf(statuses);
  const depths = depth.value;
  const to = depths.get(key);
  const begun = era;
  try {
    await Promise.all([readPage(undefined, undefined, 50), readPage(ACTIVE)]);
    let page = await readPage(statuses);
    const goesOn = (): boolean => to !== undefined && page.length === PAGE && (to === 'end' || lastOf(page) > to);
    while (goesOn()) {
      page = await readPage(statuses, lastOf(page));
    }
    if (era !== begun) return;
    // Whatever was read or told since is another object.
    known.value = new Map([...known.value].filter(([runId, run]) => before.get(runId) !== run));
    // Of other filters nothing is sure but what was read since.
    const sure = [...depth.value].filter(([other, at]) => other !== key && depths.get(other) !== at);
    depth.value = new Map([...sure, [key, page.length < PAGE ? 'end' : (depth.value.get(key) ?? lastOf(page))]]);
    if (!isRead.value) await readOlder();
  } catch (error) {
    // The next connection takes care of a lost one.
    if (!(error instanceof CallsheetError) || error.code === 'CONNECTION_LOST' || !error.data.retryable) return;
    setTimeout(() => void refresh(), AGAIN_MS);
  }
}

function lastOf(page: readonly RunSummary[]): string {
  return page.at(-1)?.runId ?? '';
}

function put(run: RunSummary): void {
  pending.set(run.runId, run);
  frame ??= requestAnimationFrame(flush);
}

/** Many notices a second become one change a frame. */
const pending = new Map<string, RunSummary>();
let frame: number | undefined;

function flush(): void {
  frame = undefined;
  const next = new Map(known.value);
  for (const [runId, run] of pending) next.set(runId, run);
  pending.clear();
  known.value = next;
}

function take({ runId, at, event }: RunEvent): void {
  if (event.type === 'run.created') {
    const { template, version } = event;
    put({ runId, template, version, status: 'queued', draft: false, progress: 0, createdAt: at });
    settle();
  } else if (
    event.type === 'run.status' ||
    event.type === 'run.retried' ||
    event.type === 'choice.offered' ||
    event.type === 'choice.made'
  ) {
    const run = pending.get(runId) ?? known.value.get(runId);
    if (run !== undefined && event.type === 'run.status') {
      const { endedAt: _ended, error: _error, etaSeconds: _eta, etaRange: _range, ...rest } = run;
      put({
        ...rest,
        status: event.status,
        ...(event.status === 'succeeded' ? { progress: 1 } : {}),
        ...(isEnded(event.status) ? { endedAt: at } : {}),
        ...(event.error === undefined ? {} : { error: event.error }),
      });
    }
    settle();
  }
}

let settling: ReturnType<typeof setTimeout> | undefined;

function settle(): void {
  settling ??= setTimeout(() => {
    settling = undefined;
    void Promise.all([readPage(undefined, undefined, 50), readPage(ACTIVE, undefined, PAGE)]).catch(() => undefined);
  }, SETTLE_MS);
}
