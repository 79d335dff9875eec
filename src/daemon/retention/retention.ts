/**
 * Cleans runs away: their rows first, in one transaction that remembers their files, then the files. Killed in between, the next start goes on
 * with the files. What is removed is gone from lists, events and request keys too.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { CallsheetError } from '#protocol/errors.ts';
import type { CleanResult } from '#protocol/methods/clean.ts';
import type { CallProgress } from '#protocol/notifications.ts';
import type { RunSize, Store } from '#store/types.ts';
import { planRetention, type RetentionPolicy } from './policy.ts';
import { filesOfRun, type RunFiles, type Taken, takeAway, withPictures } from './run-files.ts';

export interface Retention {
  /** Stops between two runs when its signal says so, and answers with what is gone by then. Throws STORAGE_FAILED. */
  clean(policy: RetentionPolicy, options?: CleanOptions): Promise<CleanResult>;
  /** Throws RUN_NOT_FOUND. */
  pin(runId: string, pinned: boolean): void;
  /** Finishes what a killed daemon began. */
  finish(): Promise<void>;
  /** Begins with no further run; what is left is finished by the next start. */
  stop(): void;
}

export interface CleanOptions {
  readonly dryRun?: boolean;
  readonly limit?: number;
  readonly signal?: AbortSignal;
  /** Told before each run, and once all are gone. */
  readonly report?: (value: CallProgress) => void;
}

export interface RetentionOptions {
  readonly store: Pick<
    Store,
    'runSizes' | 'run' | 'runs' | 'openRuns' | 'artifacts' | 'pin' | 'removeRuns' | 'runsOfTemplate' | 'pendingRemovals' | 'removalDone'
  >;
  readonly outputDir: string;
  /** Something is being done with the run at this moment. */
  readonly isBusy: (runId: string) => boolean;
  /** Hashes of templates that this process counts on being stored. */
  readonly keepTemplates: () => ReadonlySet<string>;
  readonly onRemoved: (runIds: readonly string[]) => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now: () => number;
}

/** Runs in one clean-up, so that its answer stays readable; the next one goes on. */
const MOST_RUNS = 1000;

export function createRetention(options: RetentionOptions): Retention {
  const { store, outputDir, isBusy, keepTemplates, onRemoved, log, now } = options;
  let working: Promise<unknown> = Promise.resolve();
  let stopped = false;

  const directoryOf = (runId: string): string => join(outputDir, runId);

  /** One at a time: two would take the same files. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = working.then(work);
    working = result.catch(() => undefined);
    return result;
  }

  /** Why a run that may go by its own standing must stay. `look` takes in the runs that were begun, or tried again, since it looked last. */
  function createHolder(): { look(): void; reason(runId: string): string | undefined } {
    const parametersOf = new Map<string, string>();
    const look = (): void => {
      const open = new Set(store.openRuns());
      for (const runId of parametersOf.keys()) if (!open.has(runId)) parametersOf.delete(runId);
      for (const runId of open) if (!parametersOf.has(runId)) parametersOf.set(runId, store.run(runId)?.parameters ?? '');
    };
    look();
    return {
      look,
      reason(runId) {
        if (isBusy(runId)) return 'something is being done with it';
        const user = [...parametersOf].find(([, parameters]) => parameters.includes(runId))?.[0];
        return user === undefined ? undefined : `run ${user}, which has not ended, uses a file of it`;
      },
    };
  }

  const ownFiles = (runId: string): Promise<RunFiles> =>
    filesOfRun(runId, store.artifacts(runId), directoryOf(runId), store.run(runId)?.templateHash);

  async function lookAt(runId: string, gone: Set<string>): Promise<Taken> {
    gone.add(runId);
    return takeAway(await ownFiles(runId), { store, outputDir, gone }, directoryOf(runId), true);
  }

  async function remove(run: RunSize, gone: Set<string>, holder: ReturnType<typeof createHolder>): Promise<Taken | undefined> {
    const { runId } = run;
    const files = await withPictures(await ownFiles(runId), outputDir);
    // Looked at again: it may have been tried again while its files were read, or been given to another run.
    const row = store.run(runId);
    holder.look();
    if (row === undefined || row.endedAt === null || row.pinned === true || holder.reason(runId) !== undefined) return undefined;
    store.removeRuns([{ runId, body: JSON.stringify(files) }], keepTemplates());
    gone.add(runId);
    onRemoved([runId]);
    return takeFiles(files, gone);
  }

  async function takeFiles(files: RunFiles, gone: ReadonlySet<string>): Promise<Taken> {
    const taken = await takeAway(files, { store, outputDir, gone }, directoryOf(files.runId), false);
    store.removalDone(files.runId);
    return taken;
  }

  return {
    clean: (policy, { dryRun = false, limit = MOST_RUNS, signal, report } = {}) =>
      inTurn(async () => {
        const holder = createHolder();
        const plan = planRetention(store.runSizes(), policy, now(), ({ runId }) => holder.reason(runId));
        const runs: CleanResult['runs'][number][] = [];
        const gone = new Set<string>();
        const going = plan.remove.slice(0, limit);
        let seen = 0;
        for (const run of going) {
          if (stopped || signal?.aborted === true) break;
          report?.({ done: seen, total: going.length });
          seen += 1;
          const { runId, template, status } = run;
          const taken = dryRun ? await lookAt(runId, gone) : await remove(run, gone, holder);
          if (taken === undefined) continue;
          runs.push({ runId, template, status, endedAt: run.endedAt ?? run.createdAt, ...taken });
        }
        report?.({ done: seen, total: going.length });
        const bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
        if (!dryRun && runs.length > 0) log.info({ runs: runs.length, bytes }, 'runs cleaned away');
        return { dryRun, runs, bytes, kept: plan.kept, more: plan.remove.length > seen };
      }),
    pin(runId, pinned) {
      if (store.run(runId) === undefined) {
        throw new CallsheetError('RUN_NOT_FOUND', `No run has the id '${runId}'.`, { hint: 'See `callsheet runs`.' });
      }
      store.pin(runId, pinned);
    },
    stop() {
      stopped = true;
    },
    finish: () =>
      inTurn(async () => {
        const pending = store.pendingRemovals();
        const gone = new Set(pending.map(({ runId }) => runId));
        for (const { runId, body } of pending) {
          if (stopped) break;
          const taken = await takeFiles(JSON.parse(body) as RunFiles, gone);
          log.info({ runId, files: taken.files.length }, 'the files of a run that was cleaned away are removed');
        }
      }),
  };
}
