/** Whether a step should share the prompt of the one before, as far as the run and its backend say. */
import type { Backend } from '#backends/contract.ts';
import { mayBeOptimised } from '#templates/optimise-step.ts';
import { modelsOf } from '#templates/step-models.ts';
import type { ActorDeps, RunMemory } from '../deps.ts';
import type { PrepareInput } from '../logic.ts';

/** A step that usually takes longer has a prompt of its own: the files of the first would wait for it, and a restart would cost both. Seconds. */
const LONGEST = 60;

/**
 * Only the first attempt of a step's one item: whatever went wrong, the next one is sent by itself. Unless the template asks for it, a step
 * shares a prompt only where that can save the loading of models: the first has loaded all of them, and something else that waits could put its
 * own in their place in between. Pixels alone are not worth that files come later. What loads models of its own is left to the queue, which
 * brings runs with the same models together, and so is what nobody has timed yet.
 */
export function mayShare(deps: ActorDeps, memory: RunMemory, input: PrepareInput, backend: Backend, next: string): boolean {
  const { template, options, params } = memory;
  const [first, step] = [input.step, next].map((id) => template.steps.find((one) => one.id === id));
  if (first === undefined || step === undefined || !options.optimize) return false;
  if (input.attempt !== 1 || input.profile !== undefined || first.each !== undefined) return false;
  if (!mayBeOptimised(first) || !mayBeOptimised(step)) return false;
  const rows = [...memory.attempts.values(), ...memory.artifacts];
  if (rows.some((one) => one.step === next) || !takes(deps, memory, next, backend)) return false;
  if (step.fuse === true) return true;
  const models = modelsOf(template, [next], params);
  const loaded = modelsOf(template, [input.step], params);
  const mean = deps.timings.of(template.id, next, backend.id).here('item')?.mean;
  if (models.length === 0 || mean === undefined || mean > LONGEST) return false;
  return models.every((model) => loaded.includes(model)) && deps.places.mayLose(memory.runId, backend.id, models);
}

/** Pictures lie in main memory, in full precision, unless a server was started otherwise; then a file would be something else. */
export async function roundsAsFiles(backend: Backend, signal: AbortSignal): Promise<boolean> {
  try {
    const { engine } = await backend.describe(signal);
    return engine !== undefined && !/--gpu-only|intermediate/.test(engine['switches'] ?? '');
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

// --- helpers ---

function takes({ places }: ActorDeps, memory: RunMemory, step: string, backend: Backend): boolean {
  try {
    return places.takers(memory, step).some(({ id }) => id === backend.id);
  } catch {
    return false;
  }
}
