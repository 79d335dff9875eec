/** What the method table and the event hub need of the supervisor. The supervisor implements it; tests may fake it. */
import type { ProgressNotice, PreviewNotice, RunEvent } from '#protocol/events.ts';
import type { BackendView, RunStatus, RunSummary, RunView } from '#protocol/views.ts';
import type { CacheUse, StorageState } from '#protocol/methods/system.ts';
import type { QueueService } from './scheduler/queue-service.ts';

export interface StartRequest {
  readonly template: string;
  readonly version?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Id of the backend to use; absent lets the daemon choose. */
  readonly backend?: string;
  /** Higher goes first, -100 to 100; 0 when absent. */
  readonly priority?: number;
  /** Name of the client, for its fair share of the backends. */
  readonly client?: string;
  /** True when absent, as `cache`. */
  readonly optimize?: boolean;
  readonly cache?: boolean;
  /** False when absent. */
  readonly embed?: boolean;
  readonly requestKey?: string;
}

export interface ChooseRequest {
  readonly runId: string;
  /** Name of the choice; absent while one is awaited. */
  readonly into?: string;
  /** Ids, paths, file names or texts of candidates, or indices as text. */
  readonly values?: readonly string[];
  /** From 0. */
  readonly indices?: readonly number[];
  readonly requestKey?: string;
}

export interface RetryRequest {
  readonly runId: string;
  /** A step that is done again with everything made of it; absent: what is not done. */
  readonly from?: string;
  /** Id of the backend to go on with; absent: the one it had. */
  readonly backend?: string;
  readonly requestKey?: string;
}

export interface CacheService {
  /** What is kept, in bytes of at most `limit`, and how often it was asked since the start: 0 is a cache that is off. */
  use(): CacheUse;
  /** Drops everything that is kept; how much that was. */
  clear(requestKey?: string): Promise<{ readonly entries: number; readonly bytes: number }>;
}

export interface RunService {
  /** Answers once the run is on disk. Throws TEMPLATE_NOT_FOUND, TEMPLATE_NOT_RUNNABLE, PARAMETERS_INVALID, BACKEND_NOT_FOUND, REQUEST_KEY_CONFLICT … */
  start(request: StartRequest): Promise<{ readonly runId: string }>;
  /** Throws RUN_NOT_FOUND. */
  get(runId: string): RunView;
  list(query: {
    readonly status?: readonly RunStatus[];
    readonly template?: string;
    readonly limit?: number;
    readonly before?: string;
  }): readonly RunSummary[];
  /**
   * Answers once the wish to cancel is on disk; the run ends as `cancelled` when that is proven.
   * `force` ends a run that is `cancelling` already, without proof, as `lost`.
   */
  cancel(runId: string, options?: { readonly requestKey?: string; readonly force?: boolean }): Promise<{ readonly status: RunStatus }>;
  /** Answers once the new try is on disk. Throws RUN_NOT_FOUND, RUN_NOT_RETRYABLE, STEP_NOT_FOUND, BACKEND_NOT_FOUND, REQUEST_KEY_CONFLICT. */
  retry(request: RetryRequest): Promise<{ readonly runId: string; readonly status: RunStatus; readonly again: readonly string[] }>;
  /** Answers once the pick is on disk. Throws RUN_NOT_FOUND, CHOICE_NOT_WAITING, CHOICE_INVALID, REQUEST_KEY_CONFLICT. */
  choose(request: ChooseRequest): Promise<{ readonly into: string; readonly picked: readonly string[]; readonly status: RunStatus }>;
  /** Called after the commit, in order of position. Returns how to stop listening. */
  onEvents(listener: (events: readonly RunEvent[]) => void): () => void;
  onProgress(listener: (notice: ProgressNotice) => void): () => void;
  onPreview(listener: (notice: PreviewNotice) => void): () => void;
  onBackend(listener: (view: BackendView) => void): () => void;
  /** Where each run stands that is at work, for whoever has just come. */
  atWork(): readonly ProgressNotice[];
  /** Counts for daemon/status. */
  counts(): {
    readonly open: number;
    readonly queued: number;
    readonly active: number;
    readonly held: number;
    readonly recovering: number;
  };
  readonly queue: QueueService;
  /** Whether what happens can be written down. */
  storage(): StorageState;
  readonly cache: CacheService;
  /** A try by hand of this run is being written down, or it is at work. */
  isBusy(runId: string): boolean;
  /** Hashes of templates that stand in the database as far as this process knows: its next runs are stored without their texts. */
  pinnedTemplates(): ReadonlySet<string>;
  /** Once per key, also after a restart; for mutations that belong to no run. */
  once<T extends object>(requestKey: string | undefined, method: string, params: object, work: () => Promise<T>): Promise<T>;
  /** Takes no new work, writes everything down, leaves backend jobs running. */
  close(): Promise<void>;
}
