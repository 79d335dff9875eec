/** Cancel-step: takes exactly our attempt off its backend and proves it. It ends only with proof. */
import { setTimeout as pause } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import type { Attempt } from '#backends/contract.ts';
import type { ActorDeps } from './deps.ts';
import { isRefused, isUnreachable } from './grace.ts';
import type { InFlight } from './in-flight.ts';
import type { CancelStep } from './logic.ts';

/** A server that refuses this often, with a pause between, has lost its queue with its process: that is proof, silence is not. */
const PROOF = 2;

export function createCancelStep(deps: ActorDeps, inFlight: InFlight): CancelStep {
  return fromPromise(async ({ input, signal }) => {
    await deps.committed(input.runId);
    await inFlight.settled(input.promptId);
    const memory = deps.memory(input.runId);
    const { runId, step, item, attempt, promptId, backendId } = input;
    // What this process has prepared and not sent is nowhere.
    if (!memory.fresh.delete(promptId)) await takeOff(deps, { runId, step, item, attempt, promptId, backendId }, signal);
    const row = memory.attempts.get(promptId);
    if (row === undefined) return;
    const next = { ...row, status: 'cancelled', endedAt: deps.now() };
    memory.attempts.set(promptId, next);
    deps.stage(runId, { attempts: [next] });
  });
}

async function takeOff(deps: ActorDeps, attempt: Attempt, signal: AbortSignal): Promise<void> {
  for (let refusals = 0; refusals < PROOF;) {
    try {
      await deps.backend(attempt.backendId).cancel(attempt, signal);
      return;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      refusals = isRefused(error) ? refusals + 1 : 0;
      await pause(deps.retryMs, undefined, { signal });
    }
  }
}
