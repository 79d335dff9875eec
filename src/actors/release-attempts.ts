/** Release-attempts: the last act of a cancelled run. What was sent in an earlier try and was not taken up again may still run on its backend. */
import { fromPromise } from 'xstate';
import { proveGone } from './cancel-step.ts';
import type { ActorDeps } from './deps.ts';
import type { InFlight } from './in-flight.ts';
import type { ReleaseAttempts } from './logic.ts';

export function createReleaseAttempts(deps: ActorDeps, inFlight: InFlight): ReleaseAttempts {
  return fromPromise(async ({ input: { runId }, signal, emit }) => {
    await deps.committed(runId);
    const open = [...deps.memory(runId).attempts.values()].filter(({ endedAt }) => endedAt === null);
    await Promise.all(
      open.map(({ step, item, attempt, promptId, backend: backendId }) =>
        proveGone(deps, inFlight, { runId, step, item, attempt, promptId, backendId }, signal, emit),
      ),
    );
  });
}
