/** Cancel-step: takes exactly our attempt off its backend and proves it. It ends only with proof. */
import { setTimeout as pause } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import type { ActorDeps } from './deps.ts';
import { isRefused, isUnreachable } from './grace.ts';
import type { InFlight } from './in-flight.ts';
import type { CancelStep } from './logic.ts';

export function createCancelStep(deps: ActorDeps, inFlight: InFlight): CancelStep {
  return fromPromise(async ({ input, signal }) => {
    await deps.committed(input.runId);
    await inFlight.settled(input.promptId);
    const memory = deps.memory(input.runId);
    const { runId, step, item, attempt, promptId, backendId } = input;
    const isUnsent = memory.fresh.delete(promptId);
    // A server that refuses twice has lost its queue with its process: that is proof, silence is not.
    for (let refusals = 0; !isUnsent && refusals < 2;) {
      try {
        await deps.backend(backendId).cancel({ runId, step, item, attempt, promptId, backendId }, signal);
        break;
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        refusals = isRefused(error) ? refusals + 1 : 0;
        await pause(deps.retryMs, undefined, { signal });
      }
    }
    const row = memory.attempts.get(promptId);
    if (row === undefined) return;
    const next = { ...row, status: 'cancelled', endedAt: deps.now() };
    memory.attempts.set(promptId, next);
    deps.stage(runId, { attempts: [next] });
  });
}
