/** Free-backend: asks a backend that ran out of memory to let go of what it keeps. Says whether the step can do with less. */
import { fromPromise } from 'xstate';
import { toErrorData } from '#protocol/errors.ts';
import type { ActorDeps } from './deps.ts';
import type { FreeBackend } from './logic.ts';

export function createFreeBackend(deps: ActorDeps): FreeBackend {
  return fromPromise(async ({ input, signal, emit }) => {
    await deps.committed(input.runId);
    signal.throwIfAborted();
    try {
      await deps.backend(input.backendId).free();
      deps.places.freed(input.backendId);
    } catch (error) {
      signal.throwIfAborted();
      // Worth a line, and no reason to give up: ComfyUI itself unloads its models when a node runs out of memory.
      const message = `The backend could not be asked to free its memory: ${toErrorData(error).message}`;
      emit({ type: 'run.note', code: 'BACKEND_NOT_FREED', message, step: input.step });
    }
    const step = deps.memory(input.runId).template.steps.find(({ id }) => id === input.step);
    return { lower: input.profile === undefined && step?.lowMemory !== undefined };
  });
}
