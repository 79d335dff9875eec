/** Every SQL statement of the store, prepared once per connection. */
import type { Database } from 'better-sqlite3';
import { createArtifactLists } from './artifact-list.ts';
import { createRemovals } from './removals.ts';
import type { AssetRow, OutboxItem, RunCount, Timing } from './types.ts';
import type {
  RawArtifact,
  RawAttempt,
  RawEvent,
  RawOpenRun,
  RawProvenance,
  RawRequestKey,
  RawRun,
  RawRunSize,
  RawSavings,
} from './rows.ts';

/**
 * In a join, a bare parameter makes SQLite (built with STAT4) plan the statement anew at every call, because the value might change the plan
 * (https://www.sqlite.org/c3ref/prepare.html). Inside a subquery it does not: 2 µs a read instead of 20.
 */
const BOUND = '(SELECT ?)';

/** The mean of a timing moves as if it were of this many samples at most. */
const REMEMBERED_SAMPLES = 8;

const RUN_COLUMNS = `r.run_id, r.template, r.version, t.hash AS template_hash, r.backend, r.parameters, r.created_at, r.priority, r.client, r.options, r.models,
  s.status, s.draft, s.progress, s.machine, s.machine_version, s.snapshot, s.timers, s.error, s.ended_at,
  EXISTS (SELECT 1 FROM pins p WHERE p.run = r.id) AS pinned`;
const RUN_TABLES = 'runs r JOIN run_states s ON s.id = r.id JOIN templates t ON t.id = r.template_id';

/** Where a list goes on; ids of runs are in the order of their making, so that one that was cleaned away has its place still. */
const PLACE = `ifnull((SELECT id FROM runs WHERE run_id = @before), (SELECT ifnull(max(id), 0) + 1 FROM runs WHERE run_id < @before))`;

const ARTIFACT_COLUMNS = `a.artifact_id, r.run_id, a.step, a.item, a.node, a.number, a.output, a.path, a.media_type, a.bytes, a.sha256,
  a.width, a.height, a.duration, a.draft, a.outputs, a.asset, a.profile, a.cached_from, a.kind, a.facts, a.created_at, a.same_as,
  a.prompt_id, a.source, a.conversion, a.sequence, a.partial`;
const ARTIFACT_TABLES = 'artifacts a JOIN runs r ON r.id = a.run';

const ATTEMPT_COLUMNS = `a.prompt_id, a.step, a.item, a.attempt, a.backend, a.address, a.payload_hash, a.status, a.acknowledged, a.number,
  a.created_at, a.ended_at, a.error, a.profile, a.fused`;

const OUTBOX_COLUMNS = 'o.id, r.run_id AS runId, o.kind, o.body, o.tries FROM outbox o JOIN runs r ON r.id = o.run';
const ASSET_COLUMNS = 'asset_id AS assetId, path, name, media_type AS mediaType, bytes, sha256, created_at AS createdAt';

export type Statements = ReturnType<typeof prepareStatements>;

export function prepareStatements(db: Database) {
  return {
    ...prepareReads(db),
    insertTemplate: db.prepare<[string, string]>('INSERT INTO templates (hash, content) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING'),
    insertRun: db.prepare(
      `INSERT INTO runs (run_id, template, version, template_id, backend, parameters, created_at, priority, client, options, models)
       VALUES (?, ?, ?, (SELECT id FROM templates WHERE hash = ?), ?, ?, ?, ?, ?, ?, ?)`,
    ),
    insertState: db.prepare(
      `INSERT INTO run_states (open, status, draft, progress, machine, machine_version, ended_at, error, timers, snapshot, id)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    // Leaves `open` alone, so that the index of open runs is not rewritten at every flush.
    advanceState: db.prepare(
      `UPDATE run_states SET status = ?, draft = ?, progress = ?, machine = ?, machine_version = ?, ended_at = ?, error = ?, timers = ?, snapshot = ?
       WHERE id = ?`,
    ),
    replaceState: db.prepare(
      `UPDATE run_states SET open = ?, status = ?, draft = ?, progress = ?, machine = ?, machine_version = ?, ended_at = ?, error = ?, timers = ?,
       snapshot = ? WHERE id = ?`,
    ),
    insertEvent: db.prepare<[number, number, number, number, string]>(
      'INSERT INTO events (position, run, seq, at, body) VALUES (?, ?, ?, ?, ?)',
    ),
    putAttempt: db.prepare(
      `INSERT INTO attempts (run, prompt_id, step, item, attempt, backend, address, payload_hash, status, acknowledged, number, created_at, ended_at, error,
         profile, fused)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run, prompt_id) DO UPDATE SET step = excluded.step, item = excluded.item, attempt = excluded.attempt,
         backend = excluded.backend, address = excluded.address, payload_hash = excluded.payload_hash, status = excluded.status, acknowledged = excluded.acknowledged,
         number = excluded.number, created_at = excluded.created_at, ended_at = excluded.ended_at, error = excluded.error, profile = excluded.profile,
         fused = excluded.fused`,
    ),
    putArtifact: db.prepare(
      `INSERT INTO artifacts (artifact_id, run, step, item, node, number, output, path, media_type, bytes, sha256, width, height, duration, draft, outputs, asset,
         profile, cached_from, kind, facts, created_at, same_as, prompt_id, source, conversion, sequence, partial)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run, step, item, node, number) DO UPDATE SET artifact_id = excluded.artifact_id, output = excluded.output,
         path = excluded.path, media_type = excluded.media_type, bytes = excluded.bytes, sha256 = excluded.sha256, width = excluded.width,
         height = excluded.height, duration = excluded.duration, draft = excluded.draft, outputs = excluded.outputs,
         asset = excluded.asset, profile = excluded.profile, cached_from = excluded.cached_from, kind = excluded.kind, facts = excluded.facts,
         created_at = excluded.created_at, same_as = excluded.same_as, prompt_id = excluded.prompt_id, source = excluded.source,
         conversion = excluded.conversion, sequence = excluded.sequence, partial = excluded.partial`,
    ),
    insertGraph: db.prepare<[string, Uint8Array]>('INSERT INTO graphs (hash, content) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING'),
    putProvenance: db.prepare<[number, string, number, number | null, string, string | null]>(
      `INSERT INTO provenance (run, prompt_id, graph, workflow, facts, times) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (run, prompt_id) DO UPDATE SET graph = excluded.graph, workflow = excluded.workflow, facts = excluded.facts,
         times = ifnull(excluded.times, times)`,
    ),
    setBackend: db.prepare<[string | null, number]>('UPDATE runs SET backend = ? WHERE id = ?'),
    dropArtifact: db.prepare<[string, number]>('DELETE FROM artifacts WHERE artifact_id = ? AND run = ?'),
    insertOutbox: db.prepare<[number, number, string, string]>('INSERT INTO outbox (id, run, kind, body) VALUES (?, ?, ?, ?)'),
    putSetting: db.prepare<[string, string]>(
      'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    ),
    deleteOutbox: db.prepare<[number]>('DELETE FROM outbox WHERE id = ?'),
    triedOutbox: db.prepare<[number]>('UPDATE outbox SET tries = tries + 1 WHERE id = ?'),
    insertRequestKey: db.prepare<[string, string, string, number | null, string]>(
      'INSERT INTO request_keys (key, method, params_hash, run, answer) VALUES (?, ?, ?, ?, ?)',
    ),
    // Exponential mean and variance (Finch 2009, incremental weighted mean and variance); in one UPDATE every right side sees the old row.
    putTiming: db.prepare(
      `INSERT INTO timings (template, step, backend, part, count, mean, variance, longest)
       VALUES (@template, @step, @backend, @part, 1, @seconds, 0, @seconds)
       ON CONFLICT (template, step, backend, part) DO UPDATE SET
         count = count + 1,
         mean = mean + (@seconds - mean) / min(count + 1, ${REMEMBERED_SAMPLES}),
         variance = (1 - 1.0 / min(count + 1, ${REMEMBERED_SAMPLES})) *
           (variance + (@seconds - mean) * (@seconds - mean) / min(count + 1, ${REMEMBERED_SAMPLES})),
         longest = max(longest, @seconds)`,
    ),
    putSavings: db.prepare<[number, string, number, string, string]>(
      `INSERT INTO savings (run, step, item, pass, savings) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (run, step, item, pass) DO UPDATE SET savings = excluded.savings`,
    ),
    dropSavings: db.prepare<[number, string, number, string]>('DELETE FROM savings WHERE run = ? AND step = ? AND item = ? AND pass = ?'),
    pin: db.prepare<[number]>('INSERT INTO pins (run) VALUES (?) ON CONFLICT (run) DO NOTHING'),
    unpin: db.prepare<[number]>('DELETE FROM pins WHERE run = ?'),
    removals: createRemovals(db),
    putAsset: db.prepare(
      `INSERT INTO assets (asset_id, path, name, media_type, bytes, sha256, created_at)
       VALUES (@assetId, @path, @name, @mediaType, @bytes, @sha256, @createdAt)
       ON CONFLICT (asset_id) DO UPDATE SET path = excluded.path, name = excluded.name, media_type = excluded.media_type,
         bytes = excluded.bytes, sha256 = excluded.sha256, created_at = excluded.created_at`,
    ),
  };
}

function prepareReads(db: Database) {
  return {
    runKey: db.prepare<[string], { id: number; seq: number; open: number }>(
      `SELECT r.id, s.open, (SELECT ifnull(max(seq), 0) FROM events WHERE run = r.id) AS seq
       FROM runs r JOIN run_states s ON s.id = r.id WHERE r.run_id = ${BOUND}`,
    ),
    lastPosition: db
      .prepare<[], number>(
        `SELECT max(ifnull((SELECT max(position) FROM events), 0), ifnull((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'position'), 0))`,
      )
      .pluck(),
    lastOutbox: db.prepare<[], number>('SELECT ifnull(max(id), 0) FROM outbox').pluck(),
    epoch: db.prepare<[], string>("SELECT value FROM meta WHERE key = 'epoch'").pluck(),
    template: db.prepare<[string], string>('SELECT content FROM templates WHERE hash = ?').pluck(),
    run: db.prepare<[string], RawRun>(`SELECT ${RUN_COLUMNS} FROM ${RUN_TABLES} WHERE r.run_id = ${BOUND}`),
    openRuns: db.prepare<[], string>('SELECT r.run_id FROM run_states s JOIN runs r ON r.id = s.id WHERE s.open = 1 ORDER BY s.id').pluck(),
    openRunHeads: db.prepare<[], RawOpenRun>(
      `SELECT r.run_id, r.backend, t.hash AS template_hash, r.priority, r.client, r.models, s.status, s.snapshot IS NOT NULL
         OR EXISTS (SELECT 1 FROM attempts a WHERE a.run = r.id AND a.ended_at IS NULL) AS begun
       FROM run_states s JOIN runs r ON r.id = s.id JOIN templates t ON t.id = r.template_id WHERE s.open = 1 ORDER BY s.id`,
    ),
    runCounts: db.prepare<[], RunCount>(
      'SELECT r.template, s.status, count(*) AS runs FROM run_states s JOIN runs r ON r.id = s.id GROUP BY r.template, s.status',
    ),
    assumedLost: db.prepare<[], RawAttempt & { readonly run_id: string }>(
      `SELECT r.run_id, ${ATTEMPT_COLUMNS} FROM attempts a JOIN runs r ON r.id = a.run WHERE a.status = 'assumed-lost'`,
    ),
    setting: db.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck(),
    runs: db.prepare<RunFilter, RawRun>(
      `SELECT ${RUN_COLUMNS} FROM ${RUN_TABLES}
       WHERE (@before IS NULL OR r.id < ${PLACE})
         AND (@template IS NULL OR r.template = @template)
         AND (@status IS NULL OR s.status IN (SELECT value FROM json_each(@status)))
       ORDER BY r.id DESC LIMIT @limit`,
    ),
    runsOpen: db.prepare<RunFilter, RawRun>(
      `SELECT ${RUN_COLUMNS} FROM run_states s JOIN runs r ON r.id = s.id JOIN templates t ON t.id = r.template_id
       WHERE s.open = 1 AND (@before IS NULL OR s.id < ${PLACE})
         AND (@template IS NULL OR r.template = @template)
         AND s.status IN (SELECT value FROM json_each(@status))
       ORDER BY s.id DESC LIMIT @limit`,
    ),
    eventsOfRun: db.prepare<[string, number, number], RawEvent>(
      `SELECT r.run_id, e.seq, e.position, e.at, e.body FROM runs r JOIN events e ON e.run = r.id
       WHERE r.run_id = ${BOUND} AND e.seq > ${BOUND} ORDER BY e.seq LIMIT ?`,
    ),
    eventsOfAll: db.prepare<[number, number], RawEvent>(
      `SELECT r.run_id, e.seq, e.position, e.at, e.body FROM events e JOIN runs r ON r.id = e.run
       WHERE e.position > ${BOUND} ORDER BY e.position LIMIT ?`,
    ),
    attempts: db.prepare<[string], RawAttempt>(
      `SELECT ${ATTEMPT_COLUMNS}
       FROM runs r JOIN attempts a ON a.run = r.id WHERE r.run_id = ${BOUND} ORDER BY a.step, a.item, a.attempt, a.prompt_id`,
    ),
    graphId: db.prepare<[string], number>('SELECT id FROM graphs WHERE hash = ?').pluck(),
    graph: db.prepare<[string], Buffer>('SELECT content FROM graphs WHERE hash = ?').pluck(),
    provenance: db.prepare<[string], RawProvenance>(
      `SELECT p.prompt_id, g.hash AS graph, w.hash AS workflow, p.facts, p.times
       FROM runs r JOIN provenance p ON p.run = r.id JOIN graphs g ON g.id = p.graph LEFT JOIN graphs w ON w.id = p.workflow
       WHERE r.run_id = ${BOUND}`,
    ),
    artifactsOfRun: db.prepare<[string], RawArtifact>(
      `SELECT ${ARTIFACT_COLUMNS} FROM ${ARTIFACT_TABLES} WHERE r.run_id = ${BOUND} ORDER BY a.id`,
    ),
    artifact: db.prepare<[string], RawArtifact>(`SELECT ${ARTIFACT_COLUMNS} FROM ${ARTIFACT_TABLES} WHERE a.artifact_id = ${BOUND}`),
    artifactLists: createArtifactLists(db, ARTIFACT_COLUMNS, ARTIFACT_TABLES),
    // A hard link to another file of the run costs nothing of its own.
    runsOfTemplate: db
      .prepare<[string], string>('SELECT r.run_id FROM runs r JOIN templates t ON t.id = r.template_id WHERE t.hash = ? ORDER BY r.id')
      .pluck(),
    runSizes: db.prepare<[], RawRunSize>(
      `SELECT r.run_id, r.template, r.created_at, s.status, s.ended_at, EXISTS (SELECT 1 FROM pins p WHERE p.run = r.id) AS pinned,
         ifnull((SELECT sum(ifnull(json_extract(a.sequence, '$.bytes'), a.bytes)) FROM artifacts a WHERE a.run = r.id AND a.same_as IS NULL), 0) AS bytes,
         EXISTS (SELECT 1 FROM attempts t WHERE t.run = r.id AND (t.ended_at IS NULL OR t.status = 'assumed-lost')) AS doubtful
       FROM runs r JOIN run_states s ON s.id = r.id ORDER BY r.id`,
    ),
    requestKey: db.prepare<[string], RawRequestKey>(
      `SELECT k.key, k.method, k.params_hash, r.run_id, k.answer FROM request_keys k LEFT JOIN runs r ON r.id = k.run WHERE k.key = ${BOUND}`,
    ),
    requestKeysOfRun: db.prepare<[string], RawRequestKey>(
      `SELECT k.key, k.method, k.params_hash, r.run_id, k.answer FROM request_keys k JOIN runs r ON r.id = k.run WHERE r.run_id = ${BOUND} ORDER BY k.key`,
    ),
    outbox: db.prepare<{ kind: string | null; limit: number }, OutboxItem>(
      `SELECT ${OUTBOX_COLUMNS} WHERE @kind IS NULL OR o.kind = @kind ORDER BY o.id LIMIT @limit`,
    ),
    timings: db.prepare<[string, string], Timing>(
      'SELECT template, step, backend, part, count, mean, variance, longest FROM timings WHERE template = ? AND step = ?',
    ),
    savings: db.prepare<[string], RawSavings>(
      `SELECT s.step, s.item, s.pass, s.savings FROM runs r JOIN savings s ON s.run = r.id WHERE r.run_id = ${BOUND}`,
    ),
    asset: db.prepare<[string], AssetRow>(`SELECT ${ASSET_COLUMNS} FROM assets WHERE asset_id = ?`),
  };
}

export interface RunFilter {
  readonly before: string | null;
  readonly template: string | null;
  /** JSON array of statuses. */
  readonly status: string | null;
  readonly limit: number;
}
