/** Rows and batches of the store. The store is synchronous and small; whoever writes hands it one batch and it becomes one transaction. */
import type { AssetKind } from '#protocol/assets.ts';
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEventBody, RunEvent } from '#protocol/events.ts';
import type { AttemptFacts, AttemptTimes } from '#protocol/provenance.ts';
import type { ArtifactKind, ArtifactView, FusedStep, PassName, RunOptions, RunStatus, Saving } from '#protocol/views.ts';

/** Inserted once, when a run is accepted. */
export interface NewRun {
  readonly runId: string;
  readonly template: string;
  readonly version: string;
  /** sha256 of the pinned template, already stored or part of the same batch. */
  readonly templateHash: string;
  /** Backend asked for by the client, or chosen at the door; null when no step of the run goes to one of that kind. */
  readonly backend: string | null;
  /** Resolved parameters (defaults and drawn seeds included) as JSON text. Integers beyond 2^53 are decimal strings. */
  readonly parameters: string;
  readonly createdAt: number;
  /** Higher goes first; 0 when absent. */
  readonly priority?: number;
  /** Name of the client that started it, for its fair share; absent: nobody in particular. */
  readonly client?: string;
  /** Absent: everything is allowed. */
  readonly options?: RunOptions;
  /** What its first steps load, for the order of the queue; absent: nothing that is known. */
  readonly models?: readonly string[];
}

/** What the scheduler keeps in memory of an open run. */
export interface OpenRun extends Pick<NewRun, 'runId' | 'backend' | 'templateHash' | 'priority' | 'client' | 'models'> {
  readonly status: RunStatus;
  /** False: it was accepted and waits for its turn; it has no snapshot yet. */
  readonly begun: boolean;
}

/** The hot row: written at every flush of a dirty run. */
export interface RunState {
  readonly runId: string;
  readonly status: RunStatus;
  readonly draft: boolean;
  /** 0..1 */
  readonly progress: number;
  /** Id and version of the machine that wrote the snapshot. */
  readonly machine: string;
  readonly machineVersion: number;
  /** JSON text of the persisted snapshot; null once the run has ended. */
  readonly snapshot: string | null;
  /** JSON text of pending delayed transitions; null when there are none. */
  readonly timers: string | null;
  readonly error: ErrorData | null;
  readonly endedAt: number | null;
}

export interface RunRow extends NewRun, RunState {
  /** True: it is never cleaned away. */
  readonly pinned?: boolean;
}

export interface RunCount extends Pick<RunRow, 'template' | 'status'> {
  readonly runs: number;
}

/** A run whose rows are gone: what has to become of its files. */
export interface RemovalRow {
  readonly runId: string;
  /** JSON text; its shape belongs to the daemon. */
  readonly body: string;
}

/** What a clean-up decides by. */
export interface RunSize extends Pick<NewRun, 'runId' | 'template' | 'createdAt'> {
  readonly status: RunStatus;
  readonly endedAt: number | null;
  readonly pinned: boolean;
  /** Of its files, as far as they are its own. */
  readonly bytes: number;
  /** Attempts of which nobody knows for certain that they are over. */
  readonly doubtful: boolean;
}

export interface AttemptRow {
  readonly promptId: string;
  readonly runId: string;
  readonly step: string;
  readonly item: number;
  readonly attempt: number;
  readonly backend: string;
  /** Where that backend was: the same id at another address is another server. */
  readonly address: string;
  /** sha256 of the payload text that is (to be) sent. */
  readonly payloadHash: string;
  /** prepared | submitted | queued | running | finished | failed | interrupted | removed | lost | cancelled | unknown */
  readonly status: string;
  /** True once the backend answered the POST with success. */
  readonly acknowledged: boolean;
  /** The backend's queue number, null until acknowledged. */
  readonly number: number | null;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly error: ErrorData | null;
  /** Absent: with the values that were asked for. */
  readonly profile?: 'low';
  /** Steps that were done in the same prompt; absent when there are none. */
  readonly fused?: readonly FusedStep[];
}

export interface NewEvent {
  readonly runId: string;
  readonly at: number;
  readonly body: RunEventBody;
}

/** A side effect that is owed once the transaction stands; done ones are deleted. Kinds belong to the daemon. */
export interface OutboxItem {
  readonly id: number;
  readonly runId: string;
  readonly kind: string;
  /** JSON text. */
  readonly body: string;
  readonly tries: number;
}

export interface RequestKeyRow {
  readonly key: string;
  readonly method: string;
  /** Canonical hash of the params, without the key itself. */
  readonly paramsHash: string;
  readonly runId: string | null;
  /** JSON text of the first answer. */
  readonly answer: string;
}

export interface AssetRow {
  readonly assetId: string;
  readonly path: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly createdAt: number;
}

/** What made the files of one attempt: written before it is sent, its times when it has finished. */
export interface ProvenanceRow {
  readonly runId: string;
  readonly promptId: string;
  /** Hash under which the graph is stored, and the workflow in UI format that goes along with it; null when none does. */
  readonly graph: string;
  readonly workflow: string | null;
  readonly facts: AttemptFacts;
  /** Null leaves what is stored. */
  readonly times: AttemptTimes | null;
}

/** Everything that one pass saved at one item, or at a step as a whole. */
export interface SavingsRow {
  readonly runId: string;
  readonly step: string;
  /** Null: the step as a whole. */
  readonly item: number | null;
  readonly pass: PassName;
  /** Empty: what was stored before holds no longer, as after a new try. */
  readonly savings: readonly Pick<Saving, 'nodes' | 'why' | 'seconds'>[];
}

/** How long one part of a step took once. `template` and `step` are '' for what holds for a node class wherever it stands. */
export interface TimingSample {
  readonly template: string;
  readonly step: string;
  readonly backend: string;
  /** `item`, `queued`, `loading`, `working`, `quiet.…`, `node.ID`, `class.NAME`; `items` counts items and not seconds. */
  readonly part: string;
  readonly seconds: number;
}

/** What was learned of one part: the newer samples weigh more, so that a new graphics card is believed within a few runs. */
export interface Timing extends Omit<TimingSample, 'seconds'> {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
  readonly longest: number;
}

/** An ended run that goes on: it waits for its turn like a new one. */
export interface RunRetry {
  readonly runId: string;
  /** The backend it goes on with. */
  readonly backend: string | null;
  /** Ids of artifacts that are no longer its own. */
  readonly dropped: readonly string[];
}

/** One transaction. Order inside: templates, newRuns, retries, requestKeys, attempts, graphs, provenance, artifacts, states, events, outbox, timings, savings. */
export interface Batch {
  readonly templates?: readonly { readonly hash: string; readonly content: string }[];
  readonly newRuns?: readonly NewRun[];
  readonly retries?: readonly RunRetry[];
  readonly requestKeys?: readonly RequestKeyRow[];
  /** Upserted by promptId. */
  readonly attempts?: readonly AttemptRow[];
  /** Kept once by content. */
  readonly graphs?: readonly { readonly hash: string; readonly content: string }[];
  /** Upserted by promptId; its graphs are stored or part of the same batch. */
  readonly provenance?: readonly ProvenanceRow[];
  /** Upserted by (run, step, item, node, index). */
  readonly artifacts?: readonly ArtifactView[];
  readonly states?: readonly RunState[];
  readonly events?: readonly NewEvent[];
  readonly outbox?: readonly Omit<OutboxItem, 'id' | 'tries'>[];
  readonly timings?: readonly TimingSample[];
  /** Upserted by (run, step, item, pass). */
  readonly savings?: readonly SavingsRow[];
}

export interface RunQuery {
  readonly status?: readonly RunStatus[];
  readonly template?: string;
  /** Newest first; at most this many (default 100, cap 1000). */
  readonly limit?: number;
  /** Rows older than this run. */
  readonly before?: string;
}

/** What is given must hold. */
export interface ArtifactQuery {
  readonly runId?: string;
  readonly template?: string;
  readonly step?: string;
  /** Of the step or of the template. */
  readonly output?: string;
  readonly kind?: ArtifactKind;
  /** `image/png`, or `image/*`. */
  readonly mediaType?: string;
  readonly asset?: AssetKind;
  /** Milliseconds since 1970: from `since` on, before `until`. */
  readonly since?: number;
  readonly until?: number;
  readonly draft?: boolean;
  /** Newest first; at most this many (default 100, cap 1000). */
  readonly limit?: number;
  /** `next` of the page before, or an artifactId. */
  readonly before?: string;
}

export interface ArtifactPage {
  readonly artifacts: readonly ArtifactView[];
  /** Absent on the last page. */
  readonly next?: string;
}

export interface EventQuery {
  readonly runId?: string;
  /** Exclusive. With a runId it is a `seq` of that run, else a `position`. */
  readonly after: number;
  readonly limit: number;
}

/** Told to people by the daemon and its log. */
export interface Recovery {
  /** What was wrong, in SQLite's words. */
  readonly reason: string;
  /** Where the damaged file lies now, its -wal beside it. Absent: the file itself was gone. */
  readonly movedTo?: string;
  /** The backup that took its place; absent: the store began empty. */
  readonly restoredFrom?: string;
  /** Milliseconds since 1970: what was stored after this moment is lost. Absent: everything is. */
  readonly lostSince?: number;
}

/**
 * `commit` throws CallsheetError STORAGE_FAILED when the transaction failed: the outcome is unknown, reread before acting. Every call that
 * writes throws STORAGE_BUSY when another program holds the database: nothing was written, try again later.
 * Every read sees the last committed state.
 */
export interface Store {
  /** Names the event log; a new one after a rebuild from backup. */
  readonly epoch: string;
  /** What the start found and mended; absent when the database was sound. */
  readonly recovery?: Recovery;
  commit(batch: Batch): readonly RunEvent[];
  run(runId: string): RunRow | undefined;
  runs(query: RunQuery): readonly RunRow[];
  /** Ids of runs that have not ended, oldest first. */
  openRuns(): readonly string[];
  /** The same in a few words each: thousands are read at every start. */
  openRunHeads(): readonly OpenRun[];
  /** How many runs there are of each template in each state: one look at every row. */
  runCounts(): readonly RunCount[];
  /** Attempts that were given up without proof, and of which nothing was heard since. */
  assumedLost(): readonly AttemptRow[];
  template(hash: string): string | undefined;
  attempts(runId: string): readonly AttemptRow[];
  /** Of attempts that were prepared by this release or a later one. */
  provenance(runId: string): readonly ProvenanceRow[];
  /** A stored graph, or workflow in UI format, by its hash. */
  graph(hash: string): string | undefined;
  artifacts(runId: string): readonly ArtifactView[];
  /** In no order that means anything. */
  savings(runId: string): readonly SavingsRow[];
  artifact(artifactId: string): ArtifactView | undefined;
  /** Undefined when `before` names an artifact that is not there. */
  listArtifacts(query: ArtifactQuery): ArtifactPage | undefined;
  events(query: EventQuery): readonly RunEvent[];
  /** Highest position in the log, 0 when empty. */
  lastPosition(): number;
  /** Something of the daemon's own that outlives it; undefined when it was never set. */
  setting(name: string): string | undefined;
  putSetting(name: string, value: string): void;
  requestKey(key: string): RequestKeyRow | undefined;
  /** What was asked of one run. */
  requestKeysOf(runId: string): readonly RequestKeyRow[];
  putRequestKey(row: RequestKeyRow): void;
  /** Everything learned of one step, on every backend; of node classes with both ''. */
  timings(template: string, step: string): readonly Timing[];
  /** The oldest first, of one kind or of all. */
  outbox(limit: number, kind?: string): readonly OutboxItem[];
  /** Not handed out again by this process; deleted with the next commit, so that it costs no write of its own. After a crash an item may come again. */
  outboxDone(id: number): void;
  outboxTried(id: number): void;
  pin(runId: string, pinned: boolean): void;
  /** Every run, oldest first. */
  runSizes(): readonly RunSize[];
  /** Ids of the runs that pinned this content. */
  runsOfTemplate(hash: string): readonly string[];
  /** Everything of these runs but for their files, in one transaction. `keep`: hashes of templates that stay in any case. */
  removeRuns(runs: readonly RemovalRow[], keep: ReadonlySet<string>): void;
  pendingRemovals(): readonly RemovalRow[];
  removalDone(runId: string): void;
  putAsset(row: AssetRow): void;
  asset(assetId: string): AssetRow | undefined;
  /** Writes a consistent copy to `file` (temp, fsync, rename). */
  backup(file: string): Promise<void>;
  /** Throws what a write would throw now; writes nothing. */
  demandWritable(): void;
  /** Copies the log into the database now. For idle moments: SQLite does it by itself in the middle of a commit otherwise. */
  checkpoint(): void;
  close(): void;
}
