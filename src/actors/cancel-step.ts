/** Cancel-step: takes exactly our attempt off its backend and proves it. It ends only with proof. */
import { setTimeout as pause } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import { toErrorData } from '#protocol/errors.ts';
import type { Attempt } from '#backends/contract.ts';
import type { ActorDeps } from './deps.ts';
import { isRefused, mayPass } from './grace.ts';
import type { InFlight } from './in-flight.ts';
import type { CancelStep } from './logic.ts';

/** A server that refuses this often, with a pause between, has lost its queue with its process: that is proof, silence is not. */
const PROOF = 2;

export function createCancelStep(deps: ActorDeps, inFlight: InFlight): CancelStep {
  return fromPromise(async ({ input, signal, emit }) => {
    await deps.committed(input.runId);
    await inFlight.settled(input.promptId);
    const memory = deps.memory(input.runId);
    const { runId, step, item, attempt, promptId, backendId } = input;
    // What this process has prepared and not sent is nowhere.
    if (!memory.fresh.delete(promptId)) {
      await takeOff(deps, { runId, step, item, attempt, promptId, backendId }, signal, (error) => {
        const message = `${toErrorData(error).message} The cancel is tried again until it is proven.`;
        emit({ type: 'run.note', code: 'CANCEL_UNPROVEN', message, step });
      });
    }
    const row = memory.attempts.get(promptId);
    if (row === undefined) return;
    const next = { ...row, status: 'cancelled', endedAt: deps.now() };
    memory.attempts.set(promptId, next);
    deps.stage(runId, { attempts: [next] });
  });
}

/** Tries until there is proof; throws what no waiting can mend. `onWait` is told once. */
async function takeOff(deps: ActorDeps, attempt: Attempt, signal: AbortSignal, onWait: (error: unknown) => void): Promise<void> {
  let isTold = false;
  for (let refusals = 0; refusals < PROOF;) {
    try {
      await deps.backend(attempt.backendId).cancel(attempt, signal);
      return;
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (!isTold) onWait(error);
      isTold = true;
      refusals = isRefused(error) ? refusals + 1 : 0;
      await pause(deps.retryMs, undefined, { signal });
    }
  }
}
