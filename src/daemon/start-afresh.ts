/** What a subscriber is told who can not go on from where it was: the state, as the log has it at this moment. */
import type { SubscribeResult } from '#protocol/methods/event.ts';
import type { RunService } from './run-service.ts';

/** Runs in one snapshot, so that its frame stays small; the rest is a matter of run/list. */
const MOST_RUNS = 500;

/** Nothing is awaited here: what is read belongs to one place in the log. Throws RUN_NOT_FOUND, SNAPSHOT_REFUSED. */
export function startAfresh(
  { get, list, queue }: Pick<RunService, 'get' | 'list' | 'queue'>,
  runId: string | undefined,
  why: 'asked' | 'gap',
): Pick<SubscribeResult, 'gap' | 'snapshot'> {
  const gap = why === 'gap' ? { gap: true } : {};
  if (runId !== undefined) return { ...gap, snapshot: { run: get(runId) } };
  const runs = list({ limit: MOST_RUNS + 1 });
  return {
    ...gap,
    snapshot: { runs: runs.slice(0, MOST_RUNS), more: runs.length > MOST_RUNS, backends: queue.backends(), queue: queue.status() },
  };
}
