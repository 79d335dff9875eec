/** What the actors need of the daemon. The supervisor gives it; tests give small fakes. */
import type { Backend } from '#backends/contract.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { AttemptRow, OutboxItem, RequestKeyRow } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import type { Values } from '#templates/types.ts';

/** A run as it is held in memory while it is open: everything effects read, nothing that the machine decides on. */
export interface RunMemory {
  readonly runId: string;
  readonly template: CompiledTemplate;
  readonly params: Values;
  /** Backend that the client asked for; null lets the daemon choose. */
  readonly backend: string | null;
  /** By promptId. */
  readonly attempts: Map<string, AttemptRow>;
  readonly artifacts: ArtifactView[];
  /** Attempts prepared by this process and not yet handed to a backend: only these may be sent without a look first. */
  readonly fresh: Set<string>;
}

/** Rows that go into the run's next transaction. */
export interface StagedRows {
  readonly attempts?: readonly AttemptRow[];
  readonly artifacts?: readonly ArtifactView[];
  readonly outbox?: readonly Omit<OutboxItem, 'id' | 'tries' | 'runId'>[];
  readonly requestKeys?: readonly Omit<RequestKeyRow, 'runId'>[];
}

export interface ActorDeps {
  /** Throws SNAPSHOT_REFUSED when the run's pinned template cannot be read. */
  memory(runId: string): RunMemory;
  /** The gate: resolves when everything that led here is on disk. Every effect on the outside awaits it first. */
  committed(runId: string): Promise<void>;
  stage(runId: string, rows: StagedRows): void;
  /** Throws BACKEND_NOT_FOUND. */
  backend(id: string): Backend;
  /** What tells this server from another under the same id; of the embedded sandbox a new one with every start. */
  addressOf(backend: Backend): string;
  /** The backend that a step of this run is sent to. Throws BACKEND_NOT_FOUND. */
  chooseBackend(memory: RunMemory, kind: Backend['kind']): Backend;
  /** Absolute directory for the run's files; made on first use. */
  artifactDirectory(runId: string): string;
  onProgress(key: { readonly runId: string; readonly step: string; readonly item: number }, value: number, node?: string): void;
  onPreview(key: { readonly runId: string; readonly step: string; readonly item: number }, mediaType: string, bytes: Uint8Array): void;
  /** Milliseconds since 1970, for people only. */
  now(): number;
  /** How long a backend that refuses connections is waited for before anything was sent, in milliseconds. */
  readonly graceMs: number;
  /** The same with work of ours on it: a restart takes as long as loading its nodes. */
  readonly restartGraceMs: number;
  /** Pause between tries to reach a backend, in milliseconds. */
  readonly retryMs: number;
}
