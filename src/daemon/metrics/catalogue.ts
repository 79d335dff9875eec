/** Every metric of ours: what its page says of it, and docs/observability.md. Names by the conventions of Prometheus: base units, `_total` for what only grows. */

/** `start`: counted since this process began. `stored`: read from the data directory, so it outlives the process. `now`: as it is at this moment. */
export type Since = 'start' | 'stored' | 'now';

export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly since: Since;
  readonly help: string;
  readonly labels: readonly string[];
}

const metric = (type: MetricRow['type'], since: Since, help: string, ...labels: readonly string[]): MetricRow => ({
  type,
  since,
  help,
  labels,
});

export const METRICS = {
  callsheet_build_info: metric('gauge', 'now', 'Always 1; the labels say what runs.', 'version', 'node'),

  callsheet_runs: metric('gauge', 'stored', 'Runs in the database, by how they stand.', 'status', 'template'),
  callsheet_runs_accepted_total: metric('counter', 'start', 'Runs that were accepted.', 'template'),
  callsheet_runs_ended_total: metric(
    'counter',
    'start',
    'Runs that ended; one that is tried again by hand ends again.',
    'status',
    'template',
  ),
  callsheet_runs_retried_total: metric('counter', 'start', 'Ended runs that a person had go on.', 'template'),
  callsheet_run_duration_seconds: metric('histogram', 'start', 'From when a run was accepted, or tried again, until its end.', 'status'),

  callsheet_queue_runs: metric(
    'gauge',
    'now',
    'Open runs: queued have not begun, active are at work, held wait for a backend that this daemon lacks, recovering are taken up one by one.',
    'state',
  ),
  callsheet_queue_waiting_items: metric('gauge', 'now', 'Items that are ready to be sent and wait for a place on a backend.'),
  callsheet_queue_paused: metric('gauge', 'now', '1 while the queue is paused.'),

  callsheet_step_items_total: metric('counter', 'start', 'Items of steps that ended; a step without each is one item.', 'status'),
  callsheet_phase_duration_seconds: metric(
    'histogram',
    'start',
    'How long the parts of runs took; place lies within prepare, fetch within parse.',
    'phase',
  ),
  callsheet_attempts_total: metric('counter', 'start', 'Attempts that ended, by what became of them.', 'backend', 'outcome'),
  callsheet_attempt_duration_seconds: metric(
    'histogram',
    'start',
    'From when an attempt was sent until its files were home.',
    'backend',
    'outcome',
  ),
  callsheet_attempt_failures_total: metric('counter', 'start', 'Attempts that failed, by class and code of the error.', 'class', 'code'),
  callsheet_retries_total: metric('counter', 'start', 'Further attempts that Callsheet made by itself, by why.', 'class', 'code'),

  callsheet_artifacts_total: metric('counter', 'start', 'Files that runs brought home.', 'kind'),
  callsheet_artifact_bytes_total: metric('counter', 'start', 'Their size.', 'kind'),

  callsheet_result_cache_hits_total: metric('counter', 'start', 'Items whose result was made before and was taken.'),
  callsheet_result_cache_misses_total: metric('counter', 'start', 'Items that were looked up and had to be made.'),
  callsheet_result_cache_entries: metric('gauge', 'stored', 'Results that are kept.'),
  callsheet_result_cache_bytes: metric('gauge', 'stored', 'Their size.'),
  callsheet_result_cache_limit_bytes: metric('gauge', 'now', 'How large they may become; 0 is a cache that is off.'),

  callsheet_optimiser_savings_total: metric('counter', 'start', 'Work that was not sent, by the pass that saved it.', 'pass'),
  callsheet_optimiser_saved_nodes_total: metric('counter', 'start', 'Nodes that were not sent.', 'pass'),
  callsheet_optimiser_saved_seconds_total: metric('counter', 'start', 'What that would have taken, as far as earlier runs tell.', 'pass'),

  callsheet_backend_status: metric('gauge', 'now', '1 for the state that a backend is in, 0 for the others.', 'backend', 'kind', 'status'),
  callsheet_backend_in_flight: metric('gauge', 'now', 'Attempts of ours on a backend.', 'backend'),
  callsheet_backend_places: metric('gauge', 'now', 'How many there may be.', 'backend'),
  callsheet_backend_queue_length: metric('gauge', 'now', 'Prompts in its queue and at work, whoever sent them.', 'backend'),

  callsheet_connections: metric('gauge', 'now', 'Clients that are connected.'),
  callsheet_subscriptions: metric('gauge', 'now', 'Their subscriptions to events.'),
  callsheet_refusals_total: metric('counter', 'start', 'What was turned away at the door, by the reason.', 'reason'),

  callsheet_templates: metric('gauge', 'now', 'Templates of the library: known, and of these runnable.', 'state'),

  callsheet_store_file_bytes: metric('gauge', 'stored', 'Size of the database, and of its log that is not folded in yet.', 'file'),
  callsheet_store_events: metric('gauge', 'stored', 'Lines of the event log, cleaned away ones included.'),
  callsheet_store_commit_duration_seconds: metric('histogram', 'start', 'How long transactions took, the wait for the disk included.'),
  callsheet_store_commit_failures_total: metric('counter', 'start', 'Transactions that did not stand, by the code of the error.', 'code'),
  callsheet_storage_ready: metric('gauge', 'now', '1 while what happens can be written down.'),

  callsheet_scrape_failures_total: metric(
    'counter',
    'start',
    'Figures that could not be read for a page, which went without them.',
    'source',
  ),
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;

/** Seconds, from a statement to a film: a transaction takes milliseconds, a run hours. */
export const BOUNDS = {
  callsheet_run_duration_seconds: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
  callsheet_phase_duration_seconds: [0.001, 0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400],
  callsheet_attempt_duration_seconds: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400],
  callsheet_store_commit_duration_seconds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1],
} as const satisfies Partial<Record<MetricName, readonly number[]>>;
