/**
 * Makes runs again that a damaged database took with it, of the records and notes beside their files: once, before any client is let in. What is
 * in the database stays; what a killed rebuild left out comes with the next start. Ids are kept, so that nothing is made a second time.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toErrorData } from '#protocol/errors.ts';
import { isCode } from '#results/durable.ts';
import { NOTES_FOLDER } from '#results/sidecar.ts';
import type { Batch, Store } from '#store/types.ts';
import type { Logger } from '../log.ts';
import { type Budget, type FoundRun, lookInto } from './found.ts';
import { rowsOfNotes } from './from-notes.ts';
import { rowsOfRecord } from './from-record.ts';
import { withProgress } from './how-far.ts';
import { readTemplate, recordPath } from './record.ts';
import type { Rebuilt } from './row-parts.ts';
import { standIn } from './stand-in.ts';

/** Read at the start to see whether files are what they were; the rest is read afterwards, file by file (check-later.ts). */
const READ_AT_START = 1024 ** 3;
const FOLDERS_AT_ONCE = 16;
/** Runs in one transaction. */
const AT_ONCE = 50;
/** Files are younger than the backup by the clock of another file system, or of a copy: so much is allowed for, in milliseconds. */
const CLOCK_DOUBT_MS = 86_400_000;

export interface RebuildOptions {
  readonly store: Store;
  readonly outputDir: string;
  readonly storeId: string;
  /** The output directory is this data directory's own, so that all that lies there is its. */
  readonly isOwn: boolean;
  /** Since when changes are lost, in milliseconds since 1970; undefined: all are. */
  readonly lostSince: number | undefined;
  /** Content of a template as it is stored, where it is still known under this hash. */
  readonly templateOf: (id: string, version: string, hash: string) => string | undefined;
  readonly now: () => number;
  readonly log: Pick<Logger, 'warn'>;
  /** Bytes of files that are read before clients are let in; the usual number when absent. */
  readonly readAtStart?: number;
}

export interface Rebuild {
  readonly runs: readonly Rebuilt[];
  /** Runs whose files lie here, and that are not ours or of which nothing whole is left: they are not in the database. */
  readonly leftOut: readonly { readonly runId: string; readonly files: readonly string[]; readonly why: string }[];
  /** Of files of rebuilt runs, those whose content was not looked at. */
  readonly unread: readonly Unread[];
}

export interface Unread {
  readonly runId: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export async function rebuildRuns(options: RebuildOptions): Promise<Rebuild> {
  const { store, outputDir, now, log } = options;
  const budget: Budget = { bytes: options.readAtStart ?? READ_AT_START };
  const plans: Rebuilt[] = [];
  const leftOut: Rebuild['leftOut'][number][] = [];
  const unread: Unread[] = [];
  /** For records that turn out to fit no table. */
  const fromNotes = new Map<string, () => Rebuilt | undefined>();
  const folders = await foldersOf(outputDir);
  for (let at = 0; at < folders.length; at += FOLDERS_AT_ONCE) {
    await Promise.all(folders.slice(at, at + FOLDERS_AT_ONCE).map(consider));
  }

  async function consider(runId: string): Promise<void> {
    const folder = join(outputDir, runId);
    try {
      if (!(await mayBeNews(options, runId, folder))) return;
      const found = await lookInto(folder, runId, budget);
      const leave = (why: string) => leftOut.push({ runId, files: found.notes.map(({ path }) => path).toSorted(), why });
      if (found.record === undefined && found.notes.length === 0) return;
      if (!isOurs(found, options)) leave('another data directory made them');
      else {
        const plan = planOf(found, store, now());
        if (plan === 'known') return;
        if (plan === undefined) leave('none of them is whole');
        else {
          plans.push(plan);
          const doubts = [...found.doubts, `The record of the run in ${folder} does not fit the database.`];
          fromNotes.set(runId, () => rowsOfNotes({ ...found, doubts }, now()));
          unread.push(...unreadOf(found));
        }
      }
    } catch (error) {
      log.warn({ runId, err: error }, 'what lies of a run could not be read');
      leftOut.push({ runId, files: [], why: toErrorData(error).message });
    }
  }

  const made: Rebuilt[] = [];
  // Lists go by the order in which runs were stored.
  const ordered = plans.toSorted((a, b) => createdAt(a) - createdAt(b) || (a.runId < b.runId ? -1 : 1));
  for (let at = 0; at < ordered.length; at += AT_ONCE) {
    const group = await Promise.all(ordered.slice(at, at + AT_ONCE).map((plan) => withTemplate(plan, options)));
    for (const { plan, failure } of commitAll(store, group)) {
      const other = failure === undefined || store.run(plan.runId) !== undefined ? undefined : fromNotes.get(plan.runId)?.();
      const last = other === undefined ? { plan, failure } : commitAll(store, [await withTemplate(other, options)])[0];
      if (last === undefined || last.failure === undefined) made.push(last?.plan ?? plan);
      else leftOut.push({ runId: plan.runId, files: plan.files, why: last.failure });
    }
  }
  for (const { runId, why } of leftOut) log.warn({ runId, why }, 'files of a run that is not in the database');
  return { runs: made, leftOut, unread };
}

// --- helpers ---

async function foldersOf(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() && entry.name !== NOTES_FOLDER ? [entry.name] : [])).toSorted();
  } catch (error) {
    if (isCode(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}

/** Of a run that had ended before the backup nothing is lost, unless it was tried again since: then its record is younger. */
async function mayBeNews({ store, lostSince = 0 }: RebuildOptions, runId: string, folder: string): Promise<boolean> {
  const row = store.run(runId);
  if (row === undefined || row.endedAt === null) return true;
  try {
    return (await stat(recordPath(folder))).mtimeMs > lostSince - CLOCK_DOUBT_MS;
  } catch {
    return false;
  }
}

/** Notes of releases before this one do not say whose they are. */
function isOurs({ record, notes }: FoundRun, { storeId, isOwn }: RebuildOptions): boolean {
  const stores = new Set([...(record === undefined ? [] : [record.store]), ...notes.flatMap(({ store }) => store ?? [])]);
  return stores.size === 0 ? isOwn : stores.has(storeId);
}

/** `known`: there is nothing in it that the database does not have. Undefined: nothing can be made of it. */
function planOf(found: FoundRun, store: Store, now: number): Rebuilt | 'known' | undefined {
  const { record, runId } = found;
  const row = store.run(runId);
  if (row === undefined) return record === undefined ? rowsOfNotes(found, now) : rowsOfRecord(found, record, undefined, now);
  // One that was open goes on from the backup; looks are taken before anything is sent for it (RunMemory.restored).
  const known = store.events({ runId, after: 0, limit: Number.MAX_SAFE_INTEGER }).length;
  if (record === undefined || known >= record.events.length) return 'known';
  return rowsOfRecord(found, record, known, now);
}

function unreadOf({ runId, files, notes, record }: FoundRun): readonly Unread[] {
  const named = [...notes, ...(record?.artifacts ?? [])];
  return [...files.values()].flatMap(({ path, lying, isUnread }) => {
    const facts = named.find((one) => one.path === path);
    return isUnread && lying === 'whole' && facts !== undefined ? [{ runId, path, bytes: facts.bytes, sha256: facts.sha256 }] : [];
  });
}

function createdAt({ batch, runId }: Rebuilt): number {
  return batch.newRuns?.find((run) => run.runId === runId)?.createdAt ?? 0;
}

/** Its own where it is in the database, beside the results or in the library still; else one that stands for it. */
async function withTemplate(plan: Rebuilt, { store, outputDir, templateOf }: RebuildOptions): Promise<Rebuilt> {
  const [run] = plan.batch.newRuns ?? [];
  if (run === undefined) return plan;
  const stored = store.template(run.templateHash);
  if (stored !== undefined) return withProgress(plan, stored);
  const { template: id, version, templateHash: hash } = run;
  const content = (await readTemplate(outputDir, hash)) ?? templateOf(id, version, hash);
  if (content !== undefined) return withProgress({ ...plan, batch: { ...plan.batch, templates: [{ hash, content }] } }, content);
  const steps = [...new Set((plan.batch.artifacts ?? []).map(({ step }) => step))];
  const stand = standIn({ id, version, hash }, steps);
  return withProgress(
    { ...plan, batch: { ...plan.batch, templates: [stand], newRuns: [{ ...run, templateHash: stand.hash }] } },
    stand.content,
  );
}

interface Committed {
  readonly plan: Rebuilt;
  /** Why it is not in the database. */
  readonly failure?: string;
}

/** In one transaction; one by one where that fails, so that a record that does not fit keeps nobody else out. */
function commitAll(store: Store, plans: readonly Rebuilt[]): readonly Committed[] {
  try {
    store.commit(joined(plans.map(({ batch }) => withoutTakenKeys(batch, store))));
    for (const { runId, pinned } of plans) if (pinned) store.pin(runId, true);
    return plans.map((plan) => ({ plan }));
  } catch (error) {
    const [only, ...others] = plans;
    if (only === undefined) return [];
    if (others.length === 0) return [{ plan: only, failure: toErrorData(error).message }];
    return plans.flatMap((plan) => commitAll(store, [plan]));
  }
}

/** A key that was used for something else since keeps that. */
function withoutTakenKeys(batch: Batch, store: Store): Batch {
  return { ...batch, requestKeys: (batch.requestKeys ?? []).filter(({ key }) => store.requestKey(key) === undefined) };
}

function joined(batches: readonly Batch[]): Batch {
  return {
    templates: batches.flatMap(({ templates = [] }) => templates),
    newRuns: batches.flatMap(({ newRuns = [] }) => newRuns),
    requestKeys: batches.flatMap(({ requestKeys = [] }) => requestKeys),
    attempts: batches.flatMap(({ attempts = [] }) => attempts),
    artifacts: batches.flatMap(({ artifacts = [] }) => artifacts),
    states: batches.flatMap(({ states = [] }) => states),
    events: batches.flatMap(({ events = [] }) => events),
    savings: batches.flatMap(({ savings = [] }) => savings),
    graphs: batches.flatMap(({ graphs = [] }) => graphs),
    provenance: batches.flatMap(({ provenance = [] }) => provenance),
  };
}
