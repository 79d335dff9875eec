/** Brings home what the steps gave that shared a prompt: as their own files, under the ids that attempts of their own would have given. */
import type { RunEventBody } from '#protocol/events.ts';
import { toErrorData } from '#protocol/errors.ts';
import type { FusedStep } from '#protocol/views.ts';
import type { RemoteOutputs } from '#backends/contract.ts';
import type { SavingsRow } from '#store/types.ts';
import { nextInPrompt, type TakenOutput } from '#templates/fuse-steps.ts';
import type { ActorDeps, RunMemory } from '../deps.ts';
import { promptIdOf } from '../ids.ts';
import type { ParseInput } from '../logic.ts';
import { bringHomeAll, type Brought, type Fetching } from '../bring-home.ts';
import { partNode } from './part-nodes.ts';

export interface PartHome {
  readonly input: ParseInput;
  readonly brought: readonly Brought[];
  readonly saving: SavingsRow;
}

/** What nodes of the step itself gave; with `step`, what those of another one gave that shared its prompt, in its own words. */
export function outputsOf(outputs: RemoteOutputs, fused: readonly FusedStep[], step?: string): RemoteOutputs {
  if (fused.length === 0) return outputs;
  const ofStep = (node: string): readonly string[] => {
    const part = partNode(fused, node);
    if (part?.step !== step) return [];
    return [part?.node ?? node];
  };
  return {
    files: outputs.files.flatMap((file) => ofStep(file.node).map((node) => ({ ...file, node }))),
    texts: outputs.texts.flatMap((text) => ofStep(text.node).map((node) => ({ ...text, node }))),
    cachedNodes: outputs.cachedNodes.flatMap(ofStep),
  };
}

/** Up to the first that did not give everything: that one is done by itself, and fails by itself if it must. Throws the signal's reason. */
export async function partsHome(
  deps: ActorDeps,
  fetching: Fetching,
  fused: readonly FusedStep[],
  own: readonly Brought[],
  emit: (event: RunEventBody) => void,
): Promise<readonly PartHome[]> {
  const { memory, input, signal } = fetching;
  const { runId } = input;
  const chain = [input.step];
  const home = own.map(({ artifact }) => artifact);
  const parts: PartHome[] = [];
  for (const { step, rounds } of fused) {
    const takes = nextInPrompt(memory.template, chain, true)?.takes ?? [];
    const doubtful = takes.find((taken) => home.filter((one) => one.step === taken.step && one.output === taken.output).length !== 1);
    try {
      if (doubtful !== undefined) throw new TypeError(`output '${doubtful.output}' of step '${doubtful.step}' is not one picture`);
      const outputs = outputsOf(fetching.input.outputs, fused, step);
      const promptId = promptIdOf({ runId, step, item: 0, attempt: 1 });
      const partInput = { ...input, step, item: 0, attempt: 1, promptId, outputs };
      const brought = await bringHomeAll(deps, { ...fetching, input: partInput });
      home.push(...brought.map(({ artifact }) => artifact));
      parts.push({ input: partInput, brought, saving: savingOf(deps, memory, partInput, input.step, { takes, rounds }) });
      chain.push(step);
      emit({
        type: 'step.note',
        step,
        item: 0,
        attempt: 1,
        code: 'STEP_FUSED',
        message: `It was done in the prompt of step '${input.step}'.`,
      });
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof TypeError ? error.message : toErrorData(error).message;
      const message = `The prompt of step '${input.step}' was to do step '${step}' as well, and did not give all of it: ${why} It is done by itself.`;
      emit({ type: 'run.note', code: 'STEP_NOT_FUSED', message, step });
      return parts;
    }
  }
  return parts;
}

// --- helpers ---

interface How {
  readonly takes: readonly TakenOutput[];
  readonly rounds: boolean;
}

/** By what reading the picture took where the step was done by itself. */
function savingOf(
  { timings }: Pick<ActorDeps, 'timings'>,
  { template }: RunMemory,
  { runId, step, backendId }: ParseInput,
  first: string,
  { takes, rounds }: How,
): SavingsRow {
  const learned = timings.of(template.id, step, backendId);
  const measured = takes.flatMap(({ loader }) => learned.here(`node.${loader}`)?.mean ?? []);
  const graph = template.steps.find(({ id }) => id === step)?.graph;
  const nodes = takes.map(({ loader }) => {
    const { classType = 'LoadImage', title = '' } = graph?.nodes.get(loader) ?? {};
    return { id: loader, classType, ...(title === '' ? {} : { title }) };
  });
  const how = rounds
    ? 'It was rounded as a file rounds it, so that the result is the same.'
    : 'It was not rounded to 8 bits on the way, as "fuse" of the step allows.';
  const why = `Its picture was handed on within the prompt of step '${first}', not saved, fetched, sent and read again. ${how}`;
  const seconds = measured.length === 0 ? {} : { seconds: measured.reduce((sum, each) => sum + each, 0) };
  return { runId, step, item: 0, pass: 'fused-steps', savings: [{ nodes, why, ...seconds }] };
}
