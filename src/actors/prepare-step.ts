/** Prepare-step: waits for a place on a backend, renders the item and writes down the intent, all before anything is sent. */
import { fromPromise } from 'xstate';
import { toErrorData } from '#protocol/errors.ts';
import { sha256Hex } from '#graph/hash.ts';
import type { Backend, Payload } from '#backends/contract.ts';
import { keepFacts } from './attempt-facts.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { isRefused, withGrace } from './grace.ts';
import { promptIdOf } from './ids.ts';
import type { InFlight } from './in-flight.ts';
import type { PrepareInput, PrepareStep } from './logic.ts';
import { renderItem } from './render-item.ts';

export function createPrepareStep(deps: ActorDeps, inFlight: InFlight): PrepareStep {
  return fromPromise(async ({ input, signal, emit }) => {
    const memory = deps.memory(input.runId);
    const promptId = promptIdOf(input);
    // Prepared before a crash: its backend is settled, and execute-step looks there before it sends anything.
    const known = memory.attempts.get(promptId);
    if (known !== undefined) return { promptId, backendId: known.backend };
    const onWait = (error: unknown) => {
      const message = `${toErrorData(error).message} Waiting for up to ${String(Math.round(deps.graceMs / 1000))} s.`;
      emit({ type: 'run.note', code: 'BACKEND_WAITED_FOR', message, step: input.step });
    };
    const { runId, step, item, attempt, profile } = input;
    const { backend, payload } = await placed(deps, memory, input, signal, {
      onWait,
      onQueued: (reason) => emit({ type: 'step.status', step, item, attempt, status: 'waiting', reason }),
    });
    const row = {
      promptId,
      runId,
      step,
      item,
      attempt,
      backend: backend.id,
      address: deps.addressOf(backend),
      payloadHash: sha256Hex(payload.text),
      status: 'prepared',
      acknowledged: false,
      number: null,
      createdAt: deps.now(),
      endedAt: null,
      error: null,
      ...(profile === undefined ? {} : { profile }),
    };
    memory.attempts.set(promptId, row);
    memory.fresh.add(promptId);
    inFlight.keepPayload(promptId, payload);
    const facts = keepFacts(deps, memory, promptId, backend, payload);
    memory.provenance.set(promptId, facts.row);
    deps.stage(runId, { attempts: [row], graphs: facts.graphs, provenance: [facts.row] });
    return { promptId, backendId: backend.id };
  });
}

interface Told {
  readonly onWait: (error: unknown) => void;
  readonly onQueued: (reason: string) => void;
}

/** A place, and the payload for it. A backend that refuses connections is left when another one is up; else it is waited for. */
async function placed(
  deps: ActorDeps,
  memory: RunMemory,
  input: PrepareInput,
  signal: AbortSignal,
  { onWait, onQueued }: Told,
): Promise<{ readonly backend: Backend; readonly payload: Payload }> {
  const { places } = deps;
  for (;;) {
    const backend = await places.acquire(memory, input, signal, onQueued);
    const leaves = (error: unknown) => isRefused(error) && places.leave(memory, input.step, backend.id);
    try {
      const work = () => renderItem(memory, input, backend, signal, () => deps.committed(input.runId));
      const payload = await withGrace({ ...deps, leaves }, signal, work, onWait);
      // Cancelled meanwhile: nobody would ever take what is kept from here on.
      signal.throwIfAborted();
      return { backend, payload };
    } catch (error) {
      places.release(promptIdOf(input));
      if (signal.aborted || !leaves(error)) throw error;
    }
  }
}
