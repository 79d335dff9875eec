/**
 * The record of an ended run, beside its files: its rows as they stand in the database, so that a database that is lost is made again as it was.
 * Owed from the outbox with the commit that ended the run. The template it pinned lies once for all runs in the output directory.
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isCode, writeWhole } from '#results/durable.ts';
import { NOTES_FOLDER } from '#results/sidecar.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import type { AttemptRow, NewEvent, NewRun, ProvenanceRow, RequestKeyRow, RunState, SavingsRow, Store } from '#store/types.ts';
import { sourceOf } from '#templates/load.ts';
import type { TemplateSource } from '#templates/types.ts';
import { allEvents } from '../run-view.ts';

/** Kind of the outbox item. */
export const RUN_RECORD = 'run.record';
export const RECORD_FORMAT = 1;
/** A log of a hundred thousand lines. */
const LARGEST_RECORD = 64 * 1024 * 1024;
/** What users asked for is nobody else's business, whoever may read the folder. */
const PRIVATE = 0o600;

export interface RunRecord {
  readonly format: typeof RECORD_FORMAT;
  /** Of the data directory. */
  readonly store: string;
  readonly run: NewRun;
  readonly state: RunState;
  readonly attempts: readonly AttemptRow[];
  readonly artifacts: readonly ArtifactView[];
  readonly events: readonly Pick<NewEvent, 'at' | 'body'>[];
  readonly requestKeys: readonly RequestKeyRow[];
  readonly savings: readonly SavingsRow[];
  /** Their graphs lie beside the notes. */
  readonly provenance: readonly ProvenanceRow[];
  readonly pinned?: true;
}

export interface RecordPlaces {
  readonly outputDir: string;
  /** Of the data directory. */
  readonly storeId: string;
}

export function recordPath(folder: string): string {
  return join(folder, NOTES_FOLDER, 'run.json');
}

export function templatePath(outputDir: string, hash: string): string {
  return join(outputDir, NOTES_FOLDER, `template-${hash}.json`);
}

/** Nothing is written of a run that has no folder, or goes on. Throws what the disk does. */
export async function writeRecord(store: Store, { outputDir, storeId }: RecordPlaces, runId: string): Promise<void> {
  const folder = join(outputDir, runId);
  const row = store.run(runId);
  if (row === undefined || row.endedAt === null || !(await isFolder(join(folder, NOTES_FOLDER)))) return;
  const { template, version, templateHash, backend, parameters, createdAt, priority, client, options, models, pinned, ...state } = row;
  const record: RunRecord = {
    format: RECORD_FORMAT,
    store: storeId,
    run: {
      runId,
      template,
      version,
      templateHash,
      backend,
      parameters,
      createdAt,
      ...(priority === undefined ? {} : { priority }),
      ...(client === undefined ? {} : { client }),
      ...(options === undefined ? {} : { options }),
      ...(models === undefined ? {} : { models }),
    },
    state,
    attempts: store.attempts(runId),
    artifacts: store.artifacts(runId),
    events: allEvents(store, runId).map(({ at, event }) => ({ at, body: event })),
    requestKeys: store.requestKeysOf(runId),
    savings: store.savings(runId),
    provenance: store.provenance(runId),
    ...(pinned ? { pinned } : {}),
  };
  const content = store.template(templateHash);
  if (content !== undefined) await writeTemplate(templatePath(outputDir, templateHash), content);
  await writeWhole(recordPath(folder), JSON.stringify(record), PRIVATE);
}

/** Undefined where there is none; throws a sentence where there is one that cannot be used. Files are where the record is. */
export async function readRecord(folder: string): Promise<RunRecord | undefined> {
  const path = recordPath(folder);
  let text: string;
  try {
    if ((await stat(path)).size > LARGEST_RECORD) throw new Error('it is too large');
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new Error('it is not a record of this release');
  return { ...value, artifacts: value.artifacts.map((artifact) => ({ ...artifact, path: placeIn(folder, artifact) })) };
}

/** The content under which a template is stored. What lies there under another name than its own is not taken. */
export async function readTemplate(outputDir: string, hash: string): Promise<string | undefined> {
  if (!/^[0-9a-f]{64}$/.test(hash)) return undefined;
  try {
    const { manifest, workflows } = JSON.parse(await readFile(templatePath(outputDir, hash), 'utf8')) as Partial<TemplateSource>;
    if (typeof manifest !== 'string' || typeof workflows !== 'object') return undefined;
    const source = sourceOf(manifest, workflows);
    return source.hash === hash ? JSON.stringify(source) : undefined;
  } catch {
    return undefined;
  }
}

// --- helpers ---

/** Pictures of a sequence lie in a folder of their own. */
function placeIn(folder: string, { runId, path }: ArtifactView): string {
  const parts = path.split(/[\\/]/);
  const own = parts.slice(parts.lastIndexOf(runId) + 1);
  return join(folder, ...(own.length === 0 || own.length === parts.length ? [basename(path)] : own));
}

/** Its name is its content: one that lies there whole is left alone. */
async function writeTemplate(path: string, content: string): Promise<void> {
  try {
    if ((await stat(path)).size === Buffer.byteLength(content)) return;
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
    await mkdir(join(path, '..'), { recursive: true });
  }
  await writeWhole(path, content, PRIVATE);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** The parts that rows are made of; what is inside them is judged by the tables. */
function isRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { format, store, run, state, attempts, artifacts, events, requestKeys, savings, provenance } = value as Partial<RunRecord>;
  if (format !== RECORD_FORMAT || typeof store !== 'string') return false;
  const lists = [attempts, artifacts, events, requestKeys, savings, provenance];
  if (!lists.every(Array.isArray) || typeof run !== 'object' || typeof state !== 'object') return false;
  return typeof run.runId === 'string' && state.runId === run.runId && RUN_ENDS.includes(state.status) && typeof state.endedAt === 'number';
}
