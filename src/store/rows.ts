/** Shapes of the rows as SQLite gives them, and how they become the types of types.ts. */
import { inflateRawSync } from 'node:zlib';
import { CallsheetError, isErrorData } from '#protocol/errors.ts';
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import { ARTIFACT_KINDS, PASSES, RUN_STATUSES } from '#protocol/views.ts';
import type { ArtifactView, RunOptions, RunStatus } from '#protocol/views.ts';
import type { AttemptRow, OpenRun, ProvenanceRow, RequestKeyRow, RunRow, RunSize, SavingsRow } from './types.ts';

/** In bytes; larger ones are never sent. */
const LARGEST_GRAPH = 256 * 1024 * 1024;

export interface RawRun {
  readonly run_id: string;
  readonly template: string;
  readonly version: string;
  readonly template_hash: string;
  readonly backend: string | null;
  readonly parameters: string;
  readonly created_at: number;
  readonly priority: number;
  readonly client: string | null;
  readonly options: string | null;
  readonly models: string | null;
  readonly status: string;
  readonly draft: number;
  readonly progress: number;
  readonly machine: string;
  readonly machine_version: number;
  readonly snapshot: string | null;
  readonly timers: string | null;
  readonly error: string | null;
  readonly ended_at: number | null;
  readonly pinned: number;
}

export interface RawRunSize {
  readonly run_id: string;
  readonly template: string;
  readonly created_at: number;
  readonly status: string;
  readonly ended_at: number | null;
  readonly pinned: number;
  readonly bytes: number;
  readonly doubtful: number;
}

export interface RawOpenRun {
  readonly run_id: string;
  readonly backend: string | null;
  readonly template_hash: string;
  readonly priority: number;
  readonly client: string | null;
  readonly models: string | null;
  readonly status: string;
  readonly begun: number;
}

export interface RawEvent {
  readonly run_id: string;
  readonly seq: number;
  readonly position: number;
  readonly at: number;
  readonly body: string;
}

export interface RawAttempt {
  readonly prompt_id: string;
  readonly step: string;
  readonly item: number;
  readonly attempt: number;
  readonly backend: string;
  readonly address: string;
  readonly payload_hash: string;
  readonly status: string;
  readonly acknowledged: number;
  readonly number: number | null;
  readonly created_at: number;
  readonly ended_at: number | null;
  readonly error: string | null;
  readonly profile: string | null;
  readonly fused: string | null;
}

export interface RawArtifact {
  readonly artifact_id: string;
  readonly run_id: string;
  readonly step: string;
  readonly item: number;
  readonly node: string;
  readonly number: number;
  readonly output: string;
  readonly path: string;
  readonly media_type: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly duration: number | null;
  readonly draft: number;
  readonly outputs: string | null;
  readonly asset: string | null;
  readonly profile: string | null;
  readonly cached_from: string | null;
  readonly kind: string;
  readonly facts: string | null;
  readonly created_at: number;
  readonly same_as: string | null;
  readonly prompt_id: string | null;
  readonly source: string | null;
  readonly conversion: string | null;
  readonly sequence: string | null;
  readonly partial: number;
}

export interface RawProvenance {
  readonly prompt_id: string;
  readonly graph: string;
  readonly workflow: string | null;
  readonly facts: string;
  readonly times: string | null;
}

export interface RawSavings {
  readonly step: string;
  readonly item: number;
  readonly pass: string;
  readonly savings: string;
}

export interface RawRequestKey {
  readonly key: string;
  readonly method: string;
  readonly params_hash: string;
  readonly run_id: string | null;
  readonly answer: string;
}

export function toRun(row: RawRun): RunRow {
  const options: RunOptions | undefined = row.options === null ? undefined : parse(row.options);
  return {
    runId: row.run_id,
    template: row.template,
    version: row.version,
    templateHash: row.template_hash,
    backend: row.backend,
    parameters: row.parameters,
    createdAt: row.created_at,
    ...standing(row),
    ...(options === undefined ? {} : { options }),
    status: toStatus(row.status),
    draft: row.draft === 1,
    progress: row.progress,
    machine: row.machine,
    machineVersion: row.machine_version,
    snapshot: row.snapshot,
    timers: row.timers,
    error: toError(row.error),
    endedAt: row.ended_at,
    ...(row.pinned === 1 ? { pinned: true } : {}),
  };
}

export function toRunSize(row: RawRunSize): RunSize {
  const { run_id: runId, template, created_at: createdAt, status, ended_at: endedAt, pinned, bytes, doubtful } = row;
  return { runId, template, createdAt, status: toStatus(status), endedAt, pinned: pinned === 1, bytes, doubtful: doubtful === 1 };
}

export function toOpenRun(row: RawOpenRun): OpenRun {
  const { run_id: runId, backend, template_hash: templateHash, status, begun } = row;
  return { runId, backend, templateHash, ...standing(row), status: toStatus(status), begun: begun === 1 };
}

function standing({
  priority,
  client,
  models,
}: Pick<RawRun, 'priority' | 'client' | 'models'>): Pick<OpenRun, 'priority' | 'client' | 'models'> {
  const names: readonly string[] | undefined = models === null ? undefined : parse(models);
  return {
    ...(priority === 0 ? {} : { priority }),
    ...(client === null ? {} : { client }),
    ...(names === undefined ? {} : { models: names }),
  };
}

export function toEvent(row: RawEvent, epoch: string): RunEvent {
  const event: RunEventBody = parse(row.body);
  return { runId: row.run_id, seq: row.seq, position: row.position, epoch, at: row.at, event };
}

export function toAttempt(row: RawAttempt, runId: string): AttemptRow {
  const fused: AttemptRow['fused'] = row.fused === null ? undefined : parse(row.fused);
  return {
    promptId: row.prompt_id,
    runId,
    step: row.step,
    item: row.item,
    attempt: row.attempt,
    backend: row.backend,
    address: row.address,
    payloadHash: row.payload_hash,
    status: row.status,
    acknowledged: row.acknowledged === 1,
    number: row.number,
    createdAt: row.created_at,
    endedAt: row.ended_at,
    error: toError(row.error),
    ...(row.profile === 'low' ? { profile: row.profile } : {}),
    ...(fused === undefined ? {} : { fused }),
  };
}

export function toArtifact(row: RawArtifact): ArtifactView {
  const outputs: string[] | null = row.outputs === null ? null : parse(row.outputs);
  const cachedFrom: ArtifactView['cachedFrom'] | null = row.cached_from === null ? null : parse(row.cached_from);
  const asset: ArtifactView['asset'] | null = row.asset === null ? null : JSON.parse(row.asset);
  const source: ArtifactView['source'] | null = row.source === null ? null : parse(row.source);
  const conversion: ArtifactView['conversion'] | null = row.conversion === null ? null : parse(row.conversion);
  const sequence: ArtifactView['sequence'] | null = row.sequence === null ? null : parse(row.sequence);
  const facts: ArtifactView['facts'] | null = row.facts === null ? null : parse(row.facts);
  return {
    artifactId: row.artifact_id,
    runId: row.run_id,
    step: row.step,
    item: row.item,
    output: row.output,
    node: row.node,
    index: row.number,
    path: row.path,
    mediaType: row.media_type,
    bytes: row.bytes,
    sha256: row.sha256,
    ...(row.width === null ? {} : { width: row.width }),
    ...(row.height === null ? {} : { height: row.height }),
    ...(row.duration === null ? {} : { duration: row.duration }),
    // A kind that a newer release gave and this one does not know is a file like any other.
    kind: ARTIFACT_KINDS.find((kind) => kind === row.kind) ?? 'file',
    ...(facts === null || facts === undefined ? {} : { facts }),
    createdAt: row.created_at,
    ...(row.same_as === null ? {} : { sameAs: row.same_as }),
    draft: row.draft === 1,
    ...(row.partial === 1 ? { partial: true } : {}),
    ...(row.profile === 'low' ? { profile: row.profile } : {}),
    ...(cachedFrom === null || cachedFrom === undefined ? {} : { cachedFrom }),
    ...(outputs === null ? {} : { outputs }),
    ...(asset === null || asset === undefined ? {} : { asset }),
    ...(row.prompt_id === null ? {} : { promptId: row.prompt_id }),
    ...(source === null || source === undefined ? {} : { source }),
    ...(conversion === null || conversion === undefined ? {} : { conversion }),
    ...(sequence === null || sequence === undefined ? {} : { sequence }),
  };
}

export function toProvenance(row: RawProvenance, runId: string): ProvenanceRow {
  const { prompt_id: promptId, graph, workflow, facts, times } = row;
  const read: ProvenanceRow['facts'] = parse(facts);
  const took: ProvenanceRow['times'] = times === null ? null : parse(times);
  return { runId, promptId, graph, workflow, facts: read, times: took };
}

/** Only we write these, so one that cannot be unpacked was changed behind our back. */
export function toGraph(content: Buffer): string {
  try {
    return inflateRawSync(content, { maxOutputLength: LARGEST_GRAPH }).toString('utf8');
  } catch (error) {
    throw damaged(error);
  }
}

/** Of a pass that this release does not know, as after a way back, nothing is told. */
export function toSavings(row: RawSavings, runId: string): readonly SavingsRow[] {
  const pass = PASSES.find((name) => name === row.pass);
  const savings: SavingsRow['savings'] = parse(row.savings);
  return pass === undefined ? [] : [{ runId, step: row.step, item: row.item < 0 ? null : row.item, pass, savings }];
}

export function toRequestKey(row: RawRequestKey): RequestKeyRow {
  return { key: row.key, method: row.method, paramsHash: row.params_hash, runId: row.run_id, answer: row.answer };
}

/** Only we write these texts, so one that is no JSON was changed behind our back. */
function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(error);
  }
}

function damaged(cause: unknown): CallsheetError {
  return new CallsheetError('STORAGE_CORRUPT', 'A stored text is damaged.', {
    hint: 'Check the disk. A copy of the database from `backups` in the data directory may still hold it.',
    cause,
  });
}

function toStatus(text: string): RunStatus {
  return RUN_STATUSES.find((status) => status === text) ?? 'lost';
}

function toError(text: string | null): ErrorData | null {
  if (text === null) return null;
  const value: unknown = parse(text);
  if (isErrorData(value)) return value;
  // A code that a newer release retired must not keep an old run from being read.
  return { code: 'INTERNAL', message: `Stored error of another release: ${text}`, retryable: false };
}
