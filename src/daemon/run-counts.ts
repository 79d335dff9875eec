/** How many runs there are, for daemon/status and for the limit of the queue. */
import type { RunHost } from './run-host.ts';
import type { RunService } from './run-service.ts';
import type { Scheduler } from './scheduler/contract.ts';
import type { StoredRuns } from './stored-runs.ts';

export function countRuns(
  host: Pick<RunHost, 'open' | 'snapshot'>,
  scheduler: Pick<Scheduler, 'status'>,
  stored: Pick<StoredRuns, 'held' | 'recovering'>,
): ReturnType<RunService['counts']> {
  const booted = host.open();
  const queued = scheduler.status().waitingRuns;
  const held = stored.held.size;
  const recovering = stored.recovering();
  return {
    open: booted.length + held + queued + recovering,
    queued,
    active: booted.filter((runId) => host.snapshot(runId)?.value === 'executing').length,
    held,
    recovering,
  };
}
