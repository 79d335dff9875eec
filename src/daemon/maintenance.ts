/** Housekeeping of the data directory: leftovers swept at start, a backup a day, the log of the database folded in while nothing runs, its length noted. */
import { sweepPartials } from '#results/sweep.ts';
import { backupDaily } from '#store/backups.ts';
import type { MarkKeeper } from '#store/mark.ts';
import type { Store } from '#store/types.ts';
import { isHeld } from './contention.ts';
import type { Logger } from './log.ts';
import type { RetentionPolicy } from './retention/policy.ts';
import type { Retention } from './retention/retention.ts';

/** How often it is looked whether a backup is due, and whether the daemon is idle, in milliseconds. */
const BACKUP_LOOK_MS = 60 * 60 * 1000;
const IDLE_LOOK_MS = 30 * 1000;
const CLEAN_LOOK_MS = 60 * 60 * 1000;
/** After a start, when the first runs are under way. */
const FIRST_CLEAN_MS = 60 * 1000;

export interface MaintenanceOptions {
  readonly store: Store;
  readonly mark: Pick<MarkKeeper, 'write'>;
  readonly dataDir: string;
  readonly outputDir: string;
  readonly isIdle: () => boolean;
  readonly retention: Pick<Retention, 'clean' | 'finish' | 'stop'>;
  readonly policies: readonly RetentionPolicy[];
  readonly log: Logger;
}

/** Resolves once leftovers are swept: before anything new is written. Work that fails is logged; the daemon goes on. */
export async function startMaintenance({
  store,
  mark,
  dataDir,
  outputDir,
  isIdle,
  retention,
  policies,
  log,
}: MaintenanceOptions): Promise<{ close(): Promise<void> }> {
  const removed = await sweepPartials(outputDir);
  if (removed.length > 0) log.info({ removed: removed.length }, 'half-written files of a killed daemon removed');

  let working: Promise<unknown> = Promise.resolve();
  const backUp = () => {
    working = backupDaily(store, dataDir, Date.now()).then(
      (path) => (path === null ? undefined : log.info({ path }, 'database backed up')),
      (error: unknown) => log.error({ err: error }, 'the daily backup failed'),
    );
  };
  backUp();
  let busySince = store.lastPosition();
  const fold = () => {
    try {
      const position = store.lastPosition();
      if (isIdle() && position === busySince) store.checkpoint();
      busySince = position;
      mark.write();
    } catch (error) {
      // Another program is at it: the next look will do.
      if (isHeld(error)) return;
      log.error({ err: error }, 'the log of the database could not be folded in');
    }
  };
  let cleaning: Promise<unknown> = retention.finish().catch((error: unknown) => {
    log.error({ err: error }, 'files of runs that were cleaned away could not be removed; it is tried again at the next start');
  });
  const clean = () => {
    cleaning = applyPolicies(retention, policies).catch((error: unknown) => log.error({ err: error }, 'runs could not be cleaned away'));
  };
  const timers = [setInterval(backUp, BACKUP_LOOK_MS), setInterval(fold, IDLE_LOOK_MS)];
  if (policies.length > 0) timers.push(setInterval(clean, CLEAN_LOOK_MS), setTimeout(clean, FIRST_CLEAN_MS));
  for (const timer of timers) timer.unref();
  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
      retention.stop();
      await Promise.all([working, cleaning]);
    },
  };
}

/** One after the other: what the first removed the second no longer counts. */
async function applyPolicies(retention: Pick<Retention, 'clean'>, policies: readonly RetentionPolicy[]): Promise<void> {
  for (const policy of policies) {
    for (let isMore = true; isMore;) {
      const { more, runs } = await retention.clean(policy);
      isMore = more && runs.length > 0;
    }
  }
}
