/** What is read when somebody asks for the page: how things are, from those who know it. Nothing here is done while nobody asks. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DaemonStatus } from '#protocol/methods/system.ts';
import { type BackendView, RUN_STATUSES } from '#protocol/views.ts';
import type { Store } from '#store/types.ts';
import { REFUSAL_REASONS } from '../refusals.ts';
import type { MetricName } from './catalogue.ts';
import type { Counters } from './counters.ts';
import type { Sample } from './tally.ts';

export interface SourceParts {
  readonly dataDir: string;
  /** What daemon/status answers. */
  readonly status: () => DaemonStatus;
  readonly backends: () => readonly BackendView[];
  readonly store: Pick<Store, 'runCounts'>;
  readonly counters: Pick<Counters, 'templateLabel'>;
}

/** One reading that gives several metrics. It may throw: the page goes without them then. */
export interface Source {
  readonly name: string;
  readonly read: () => Promise<Partial<Record<MetricName, readonly Sample[]>>>;
}

const BACKEND_STATES: readonly BackendView['status'][] = ['unknown', 'ready', 'unresponsive', 'unreachable', 'not-comfyui', 'worker-dead'];

/** Rows are counted again once a hundred times as long has gone by as it took: a hundredth of the time at most, however many there are. */
const COUNT_PAUSE = 100;

export function createSources({ dataDir, status, backends, store, counters }: SourceParts): readonly Source[] {
  let counted: readonly Sample[] = [];
  let countAgain = Number.NEGATIVE_INFINITY;

  function runs(): readonly Sample[] {
    const now = performance.now();
    if (now < countAgain) return counted;
    const rows = store.runCounts();
    const later = performance.now();
    countAgain = later + (later - now) * COUNT_PAUSE;
    counted = summed(
      rows.map(({ template, status: state, runs: value }) => ({ template: counters.templateLabel(template), state, value })),
    );
    return counted;
  }

  return [
    { name: 'status', read: async () => ofStatus(status()) },
    { name: 'backends', read: async () => ofBackends(backends()) },
    { name: 'runs', read: async () => ({ callsheet_runs: runs() }) },
    {
      name: 'store-files',
      read: async () => ({ callsheet_store_file_bytes: [await fileSize(dataDir, 'database', ''), await fileSize(dataDir, 'log', '-wal')] }),
    },
  ];
}

// --- helpers ---

/** Shown from the start, so that the first of its kind is seen to grow. */
const NO_REFUSALS = Object.fromEntries(REFUSAL_REASONS.map((reason) => [reason, 0]));

const one = (value: number, labels: Sample['labels'] = {}): readonly Sample[] => [{ labels, value }];

function ofStatus(now: DaemonStatus): Partial<Record<MetricName, readonly Sample[]>> {
  const { cache, queue, runs, templates } = now;
  const { queued, active, held, recovering } = runs;
  const by = (label: string, values: Readonly<Record<string, number>>): readonly Sample[] =>
    Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
  return {
    callsheet_build_info: one(1, { version: now.version, node: process.versions.node }),
    callsheet_queue_runs: by('state', { queued, active, held, recovering }),
    callsheet_queue_waiting_items: one(queue.waitingItems),
    callsheet_queue_paused: one(queue.paused ? 1 : 0),
    callsheet_result_cache_hits_total: one(cache.hits),
    callsheet_result_cache_misses_total: one(cache.misses),
    callsheet_result_cache_entries: one(cache.entries),
    callsheet_result_cache_bytes: one(cache.bytes),
    callsheet_result_cache_limit_bytes: one(cache.limit),
    callsheet_connections: one(now.connections),
    callsheet_subscriptions: one(now.subscriptions),
    callsheet_refusals_total: by('reason', { ...NO_REFUSALS, ...now.refused }),
    callsheet_templates: by('state', { known: templates.known, runnable: templates.runnable }),
    callsheet_store_events: one(now.position),
    callsheet_storage_ready: one(now.storage.status === 'ready' ? 1 : 0),
  };
}

function ofBackends(views: readonly BackendView[]): Partial<Record<MetricName, readonly Sample[]>> {
  const told = (value: (view: BackendView) => number | undefined): readonly Sample[] =>
    views.flatMap((view) => {
      const known = value(view);
      return known === undefined ? [] : one(known, { backend: view.id });
    });
  return {
    callsheet_backend_status: views.flatMap(({ id, kind, status }) =>
      BACKEND_STATES.map((state) => ({ labels: { backend: id, kind, status: state }, value: state === status ? 1 : 0 })),
    ),
    callsheet_backend_in_flight: told(({ inFlight }) => inFlight),
    callsheet_backend_places: told(({ ahead }) => ahead),
    callsheet_backend_queue_length: told(({ queueRemaining }) => queueRemaining),
  };
}

/** In the order of states, templates that have no name of their own together. */
function summed(rows: readonly { readonly template: string; readonly state: string; readonly value: number }[]): readonly Sample[] {
  const groups = Map.groupBy(rows, ({ template, state }) => `${template}\n${state}`);
  const order = (state: string): number => RUN_STATUSES.findIndex((known) => known === state);
  return [...groups.values()]
    .flatMap(([first, ...rest]) => {
      if (first === undefined) return [];
      const { template, state, value } = first;
      return [{ labels: { status: state, template }, value: rest.reduce((total, row) => total + row.value, value) }];
    })
    .toSorted((a, b) => order(a.labels.status) - order(b.labels.status) || (a.labels.template < b.labels.template ? -1 : 1));
}

async function fileSize(dataDir: string, file: string, suffix: string): Promise<Sample> {
  // Without a log there is nothing in it.
  const size = await stat(join(dataDir, `callsheet.db${suffix}`)).then(
    (found) => found.size,
    () => 0,
  );
  return { labels: { file }, value: size };
}
