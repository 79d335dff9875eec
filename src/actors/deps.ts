/** What the actors need of the daemon. The supervisor gives it; tests give small fakes. */
import type { Backend } from '#backends/contract.ts';
import type { ErrorData } from '#protocol/errors.ts';
import type { ArtifactView, RunOptions } from '#protocol/views.ts';
import type { AttemptRow, Batch, OutboxItem, ProvenanceRow, RequestKeyRow, SavingsRow, Timing, TimingSample } from '#store/types.ts';
import type { PrepareInput, Picks } from './logic.ts';
import type { ResultCache } from './result-cache/contract.ts';
import type { PhaseWatch } from './watch-phases.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import type { Values } from '#templates/types.ts';

/** A run as it is held in memory while it is open: everything effects read, nothing that the machine decides on. */
export interface RunMemory {
  readonly runId: string;
  readonly template: CompiledTemplate;
  readonly params: Values;
  /** Backend that the client asked for; null lets the daemon choose. */
  readonly backend: string | null;
  readonly options: RunOptions;
  /** What was saved so far, by step, item and pass. */
  readonly savings: Map<string, SavingsRow>;
  /** By promptId. */
  readonly attempts: Map<string, AttemptRow>;
  readonly artifacts: ArtifactView[];
  /** What made the files of attempts, by promptId. */
  readonly provenance: Map<string, ProvenanceRow>;
  /** Attempts prepared by this process and not yet handed to a backend: only these may be sent without a look first. */
  readonly fresh: Set<string>;
  /** By promptId: parts of its graph that the backend refused while it does the rest. Of this process alone: the run's log has them for good. */
  readonly leftOut: Map<string, readonly ErrorData[]>;
  /** It comes from a backup: what was sent and made after that is in no database. */
  readonly restored?: boolean;
}

export interface PlaceLoad {
  /** Its models are those of what went there before. */
  readonly wasLoaded: boolean;
  /** In the order of arrival another run's models would have been loaded in between. */
  readonly wasSpared: boolean;
  readonly models: readonly string[];
}

/** The pool as an item sees it: a place on a backend before anything is sent there. */
export interface Places {
  /**
   * Resolves with the backend to send the item to, once it is the item's turn there. `onWait` is told the reason when that is not now, and
   * again when it is another one.
   * The place is free again when a row of the attempt with an end is staged, or by `release`.
   */
  acquire(memory: RunMemory, input: PrepareInput, signal: AbortSignal, onWait: (reason: string) => void): Promise<Backend>;
  release(promptId: string): void;
  /**
   * Everything new that goes to a backend passes here: `work` is run once the queue is not paused and no other engine has the graphics card.
   * `onWait` is told what is in the way. Throws the signal's reason.
   */
  send<T>(
    backendId: string,
    signal: AbortSignal,
    onWait: (obstacle: { readonly code: string; readonly reason: string }) => void,
    work: () => Promise<T>,
  ): Promise<T>;
  /** Its models were unloaded: what was sent there last says no more about what it holds. */
  freed(backendId: string): void;
  /** It answers and will execute nothing any more: nothing new goes there until another process does. */
  workerDied(backendId: string, proof: string): void;
  /** The backends that would take the step if they had room, in order of preference, whether they answer or not. Throws BACKEND_NOT_FOUND. */
  takers(memory: RunMemory, step: string): readonly Backend[];
  /** What an attempt that has its place finds there; undefined for one without models, or of an earlier process. */
  loadOf(promptId: string): PlaceLoad | undefined;
  /** True when something else that is to be done there, of another run or another client, may put other models in the place of these. */
  mayLose(runId: string, backendId: string, models: readonly string[]): boolean;
  /** True when another backend takes the step and is up: nothing is gained by waiting for this one. */
  hasOther(memory: RunMemory, step: string, backendId: string): boolean;
  /** The same, said by somebody whom this one has just refused: nothing more goes there until it answers again. */
  leave(memory: RunMemory, step: string, backendId: string): boolean;
  /** Calls `listener` when a person or the backend's policy decides that the attempt is lost. Returns how to stop listening. */
  onAssumedLost(promptId: string, listener: (error: ErrorData) => void): () => void;
}

/** Rows that go into the run's next transaction. */
export interface StagedRows {
  readonly attempts?: readonly AttemptRow[];
  readonly graphs?: NonNullable<Batch['graphs']>;
  readonly provenance?: readonly ProvenanceRow[];
  readonly artifacts?: readonly ArtifactView[];
  readonly outbox?: readonly Omit<OutboxItem, 'id' | 'tries' | 'runId'>[];
  readonly requestKeys?: readonly Omit<RequestKeyRow, 'runId'>[];
  readonly timings?: readonly TimingSample[];
  readonly savings?: readonly Omit<SavingsRow, 'runId'>[];
}

/** One item of a step at work on a backend. */
export interface ItemKey {
  readonly runId: string;
  readonly step: string;
  readonly item: number;
  readonly backend: string;
}

export type Lesson = readonly Pick<TimingSample, 'part' | 'seconds'>[];

/** What earlier runs taught of one step; its parts are those of TimingSample. */
export interface StepTimings {
  /** On this backend, else on another. */
  get(part: string): Timing | undefined;
  /** On this backend alone. */
  here(part: string): Timing | undefined;
}

export interface TimingBook {
  /** With both '' of node classes wherever they stand. */
  of(template: string, step: string, backend: string): StepTimings;
}

/** When an attempt that does not move is said to be stalled, and what is done. All times are milliseconds. */
export interface StallPolicy {
  /** Without history, and at most with it; 0 says nothing ever. */
  readonly limitMs: number;
  /** At least, however quick it was before. */
  readonly leastMs: number;
  /** Between two looks. */
  readonly lookMs: number;
  /** How long it is quiet before the backend is asked whether it can go on at all, and between two such questions. */
  readonly askMs: number;
  /** `interrupt` cancels a stalled attempt with proof, so that it fails and is tried again by its class; `note` only tells. */
  readonly action: 'note' | 'interrupt';
}

export interface ActorDeps {
  /** Throws SNAPSHOT_REFUSED when the run's pinned template cannot be read. */
  memory(runId: string): RunMemory;
  /** Choices that stand from an earlier try of a run that is tried again. */
  picksOf(runId: string): Picks | undefined;
  /** The gate: resolves when everything that led here is on disk. Every effect on the outside awaits it first. */
  committed(runId: string): Promise<void>;
  stage(runId: string, rows: StagedRows): void;
  /** Throws BACKEND_NOT_FOUND. */
  backend(id: string): Backend;
  /** What tells this server from another under the same id; of the embedded sandbox a new one with every start. */
  addressOf(backend: Backend): string;
  /** Versions, for provenance: of Callsheet, of the server as it said last, and the sha256 of its object info. Asks nobody. */
  software(backend: Backend): { readonly callsheet: string; readonly version?: string; readonly objectInfo?: string };
  /** A stored graph by its hash. */
  graph(hash: string): string | undefined;
  readonly places: Places;
  readonly cache: ResultCache;
  /** True when a person wants this step of the run made anew, whatever was made before. */
  isMadeAnew(runId: string, step: string): boolean;
  /** The backend that conditions of a step see before it has its place. Throws BACKEND_NOT_FOUND. */
  chooseBackend(memory: RunMemory, kind: Backend['kind']): Backend;
  /** Absolute directory for the run's files; made on first use. */
  artifactDirectory(runId: string): string;
  /** Names the data directory in the notes beside results: others may share the output directory. */
  readonly storeId: string;
  onProgress(key: ItemKey, value: number, node?: string): void;
  onPreview(key: { readonly runId: string; readonly step: string; readonly item: number }, mediaType: string, bytes: Uint8Array): void;
  /** What a finished attempt took. */
  learn(key: ItemKey, lesson: Lesson): void;
  readonly timings: TimingBook;
  readonly stall: StallPolicy;
  /** Measures how long the actors are at work; absent: nobody does. */
  readonly watch?: PhaseWatch;
  /** Milliseconds since 1970, for people only. */
  now(): number;
  /** How long a backend that refuses connections is waited for before anything was sent, in milliseconds. */
  readonly graceMs: number;
  /** The same with work of ours on it: a restart takes as long as loading its nodes. */
  readonly restartGraceMs: number;
  /** Pause between tries to reach a backend, in milliseconds. */
  readonly retryMs: number;
}
