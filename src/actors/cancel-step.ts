/** Cancel-step: takes exactly our attempt off its backend and proves it. It ends only with proof; until then it says why there is none and tries on. */
import { setTimeout as pause } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { Attempt } from '#backends/contract.ts';
import type { ActorDeps } from './deps.ts';
import { isRefused } from './grace.ts';
import type { InFlight } from './in-flight.ts';
import type { CancelStep } from './logic.ts';

/** After so long without an end the cancel is said to hang: `unresponsive` shows within 6 s, and so does what waits for it. In milliseconds. */
const SLOW_MS = 5000;
/** A server that refuses this often, with a pause between, has lost its queue with its process: that is proof, silence is not. */
const PROOF = 2;

export function createCancelStep(deps: ActorDeps, inFlight: InFlight): CancelStep {
  return fromPromise(async ({ input, signal, emit }) => {
    await deps.committed(input.runId);
    await proveGone(deps, inFlight, input, signal, emit);
  });
}

/** Resolves once the attempt is proven to be off its backend; `emit` hears why there is no proof yet. */
export async function proveGone(
  deps: ActorDeps,
  inFlight: InFlight,
  input: Attempt,
  signal: AbortSignal,
  emit: (event: RunEventBody) => void,
): Promise<void> {
  await inFlight.settled(input.promptId);
  const memory = deps.memory(input.runId);
  const { runId, step, item, attempt, promptId, backendId } = input;
  const row = memory.attempts.get(promptId);
  let told = '';
  const onDoubt = (error: unknown): void => {
    const reason = `${toErrorData(error).message} The cancel is tried again until it is proven.`;
    if (reason === told) return;
    told = reason;
    emit({ type: 'step.status', step, item, attempt, status: 'cancelling', backend: backendId, promptId, reason });
  };
  // What this process has prepared and not sent is nowhere.
  if (!memory.fresh.delete(promptId)) {
    await takeOff(deps, { runId, step, item, attempt, promptId, backendId }, row?.address, signal, onDoubt);
  }
  const known = memory.attempts.get(promptId);
  if (known === undefined) return;
  const next = { ...known, status: 'cancelled', endedAt: deps.now() };
  memory.attempts.set(promptId, next);
  deps.stage(runId, { attempts: [next] });
}

/** Tries until there is proof, for as long as it takes. `onDoubt` hears of every try that proved nothing. */
async function takeOff(
  deps: ActorDeps,
  attempt: Attempt,
  address: string | undefined,
  signal: AbortSignal,
  onDoubt: (error: unknown) => void,
): Promise<void> {
  let isSlow = false;
  const say = (): void => {
    if (!isSlow) onDoubt(slow(attempt.backendId));
    isSlow = true;
  };
  for (let refusals = 0; refusals < PROOF;) {
    try {
      const backend = deps.backend(attempt.backendId);
      if (address !== undefined && address !== deps.addressOf(backend)) {
        // The embedded sandbox died with the daemon that had it, and its queue with it.
        if (backend.kind === 'sandbox') return;
        throw elsewhere(backend.id, address);
      }
      await saidWhenSlow(backend.cancel(attempt, signal), say);
      return;
    } catch (error) {
      signal.throwIfAborted();
      refusals = isRefused(error) ? refusals + 1 : 0;
      // Its worker died at this very prompt: it has it in its queue for ever, and nothing will come of it.
      if (refusals === 0 && (await isDead(deps, attempt, signal))) return;
      onDoubt(error);
      await pause(deps.retryMs, undefined, { signal });
    }
  }
}

/** What hangs is said once: the end of each try says more. */
async function saidWhenSlow<T>(work: Promise<T>, say: () => void): Promise<T> {
  const timer = setTimeout(say, SLOW_MS).unref();
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

function slow(id: string): CallsheetError {
  return new CallsheetError(
    'BACKEND_UNREACHABLE',
    `Backend '${id}' has not confirmed it yet: it does not answer, or the node at work does not stop.`,
  );
}

async function isDead(deps: ActorDeps, attempt: Attempt, signal: AbortSignal): Promise<boolean> {
  try {
    const backend = deps.backend(attempt.backendId);
    const { state } = await backend.attach(attempt, signal);
    // What is queued there can be taken off, and is.
    return state === 'running' && (await backend.diagnose?.(attempt, signal)) !== undefined;
  } catch {
    return false;
  }
}

/** What another server does not know was not taken off by it. */
function elsewhere(id: string, address: string): CallsheetError {
  return new CallsheetError('BACKEND_NOT_FOUND', `The attempt was sent to ${address}, and backend '${id}' is at another address now.`, {
    hint: `Start the daemon with --backend ${id}:comfyui=${address}.`,
  });
}
