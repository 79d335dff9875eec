/** Housekeeping of the data directory: leftovers swept at start, a backup a day, the log of the database folded in while nothing runs, its length noted. */
import { sweepPartials } from '#results/sweep.ts';
import { backupDaily } from '#store/backups.ts';
import type { MarkKeeper } from '#store/mark.ts';
import type { Store } from '#store/types.ts';
import { isHeld } from './contention.ts';
import type { Logger } from './log.ts';

/** How often it is looked whether a backup is due, and whether the daemon is idle, in milliseconds. */
const BACKUP_LOOK_MS = 60 * 60 * 1000;
const IDLE_LOOK_MS = 30 * 1000;

export interface MaintenanceOptions {
  readonly store: Store;
  readonly mark: Pick<MarkKeeper, 'write'>;
  readonly dataDir: string;
  readonly outputDir: string;
  readonly isIdle: () => boolean;
  readonly log: Logger;
}

/** Resolves once leftovers are swept: before anything new is written. Work that fails is logged; the daemon goes on. */
export async function startMaintenance({
  store,
  mark,
  dataDir,
  outputDir,
  isIdle,
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
  const timers = [setInterval(backUp, BACKUP_LOOK_MS), setInterval(fold, IDLE_LOOK_MS)];
  for (const timer of timers) timer.unref();
  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
      await working;
    },
  };
}
