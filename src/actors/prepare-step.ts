/** Prepare-step: chooses the backend, renders the item and writes down the intent, all before anything is sent. */
import { fromPromise } from 'xstate';
import { toErrorData } from '#protocol/errors.ts';
import { sha256Hex } from '#graph/hash.ts';
import type { ActorDeps } from './deps.ts';
import { withGrace } from './grace.ts';
import { promptIdOf } from './ids.ts';
import type { InFlight } from './in-flight.ts';
import type { PrepareStep } from './logic.ts';
import { renderItem } from './render-item.ts';

export function createPrepareStep(deps: ActorDeps, inFlight: InFlight): PrepareStep {
  return fromPromise(async ({ input, signal, emit }) => {
    const memory = deps.memory(input.runId);
    const promptId = promptIdOf(input);
    // Prepared before a crash: its backend is settled, and execute-step looks there before it sends anything.
    const known = memory.attempts.get(promptId);
    if (known !== undefined) return { promptId, backendId: known.backend };
    const backend = deps.chooseBackend(memory, memory.template.steps.find((step) => step.id === input.step)?.backend ?? 'comfyui');
    const onWait = (error: unknown) => {
      const message = `${toErrorData(error).message} Waiting for up to ${String(Math.round(deps.graceMs / 1000))} s.`;
      emit({ type: 'run.note', code: 'BACKEND_WAITED_FOR', message, step: input.step });
    };
    const payload = await withGrace(
      deps,
      signal,
      () => renderItem(memory, input, backend, signal, () => deps.committed(input.runId)),
      onWait,
    );
    // Cancelled meanwhile: nobody would ever take what is kept from here on.
    signal.throwIfAborted();
    const { runId, step, item, attempt, profile } = input;
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
    deps.stage(runId, { attempts: [row] });
    return { promptId, backendId: backend.id };
  });
}
