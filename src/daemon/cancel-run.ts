/** run/cancel: at once where nothing was sent, by its machine where something was, and without proof where a person insists. */
import type { RunStatus } from '#protocol/views.ts';
import type { RunRow, Store } from '#store/types.ts';
import { givenUp } from './held-runs.ts';
import type { RunHost } from './run-host.ts';
import type { Scheduler } from './scheduler/contract.ts';
import type { StoredRuns } from './stored-runs.ts';

export interface CancelOptions {
  readonly store: Pick<Store, 'attempts'>;
  readonly host: Pick<RunHost, 'refuse' | 'cancel' | 'stored' | 'snapshot' | 'stage' | 'append'>;
  readonly scheduler: Pick<Scheduler, 'withdraw'>;
  readonly storedRuns: Pick<StoredRuns, 'held' | 'takeUp' | 'hurry'>;
  /** Throws RUN_NOT_FOUND. */
  readonly rowOf: (runId: string) => RunRow;
}

/** `force` gives the proof up of a run that is being cancelled already. Throws RUN_NOT_FOUND and STORAGE_BUSY. */
export type CancelRun = (runId: string, force: boolean) => Promise<{ readonly status: RunStatus }>;

export function createCancel({ store, host, scheduler, storedRuns, rowOf }: CancelOptions): CancelRun {
  const isCancelling = (runId: string) => ['cancelling', 'releasing'].includes(String(host.snapshot(runId)?.value));

  /** A person ends a cancel that nobody can prove: the run is lost, and the doubt is written down with each of its attempts. */
  function giveUp(runId: string): void {
    const { error, attempts, events } = givenUp(store.attempts(runId), Date.now());
    host.stage(runId, { attempts });
    for (const event of events) host.append(runId, event);
    host.refuse(runId, error, 'lost');
  }

  return async (runId, force) => {
    // Nothing of it was ever sent.
    const isOver = scheduler.withdraw(runId);
    if (isOver) host.refuse(runId, null, 'cancelled');
    // Its machine says what it waits for: without the backend nobody can prove that its jobs are gone.
    if (rowOf(runId).endedAt === null && storedRuns.held.delete(runId)) storedRuns.takeUp(runId);
    else storedRuns.hurry(runId);
    if (force && isCancelling(runId)) giveUp(runId);
    else if (!isOver && !host.cancel(runId)) return { status: rowOf(runId).status };
    await host.stored(runId);
    return { status: rowOf(runId).status };
  };
}
