/** Renders an item, and with it the steps that may share its prompt: they take its picture without a file in between. */
import type { Backend } from '#backends/contract.ts';
import { fuseGraphs } from '#graph/fuse.ts';
import { parseGraph } from '#graph/graph.ts';
import { sha256Hex } from '#graph/hash.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Graph } from '#graph/types.ts';
import type { PassSaving } from '#graph/optimise/optimise.ts';
import type { FusedStep } from '#protocol/views.ts';
import { type NextStep, nextInPrompt, type TakenOutput } from '#templates/fuse-steps.ts';
import { planStep } from '#templates/render.ts';
import type { MediaValue, Scope, StepOutputs } from '#templates/types.ts';
import type { ActorDeps, RunMemory } from '../deps.ts';
import { isUnreachable } from '../grace.ts';
import { promptIdOf } from '../ids.ts';
import type { PrepareInput } from '../logic.ts';
import { objectInfoOf, type RenderedItem, renderItem } from '../render-item.ts';
import { scopeOf } from '../scope.ts';
import { prefixOf } from './part-nodes.ts';
import { mayShare, roundsAsFiles } from './worth-fusing.ts';

/** A step that shares the prompt. */
export interface FusedPart extends FusedStep {
  /** What it sees, with stand-ins for the pictures that are not there yet. */
  readonly scope: Scope;
  readonly savings: readonly PassSaving[];
}

export interface FusedItem extends RenderedItem {
  readonly parts: readonly FusedPart[];
}

/** More would keep the files of the first waiting for too long. */
const MOST_PARTS = 3;

/** An attempt that was prepared before is rendered with the steps that its row names. Throws as `renderItem` does. */
export async function renderFused(
  deps: ActorDeps,
  memory: RunMemory,
  input: PrepareInput,
  backend: Backend,
  signal: AbortSignal,
): Promise<FusedItem> {
  const work = { deps, memory, input, backend, signal };
  const own = await renderItem(memory, input, backend, signal, () => deps.committed(input.runId));
  const row = memory.attempts.get(promptIdOf(input));
  let item: FusedItem = { ...own, parts: [] };
  while (item.parts.length < MOST_PARTS) {
    const chain = [input.step, ...item.parts.map(({ step }) => step)];
    const next = row === undefined ? wantedNext(work, chain) : namedNext(memory, chain, row.fused?.[item.parts.length]);
    const more = next === undefined ? undefined : await withPart(work, item, next);
    if (more === undefined) return item;
    item = more;
  }
  return item;
}

// --- helpers ---

interface Work {
  readonly deps: ActorDeps;
  readonly memory: RunMemory;
  readonly input: PrepareInput;
  readonly backend: Backend;
  readonly signal: AbortSignal;
}

interface Next extends NextStep {
  /** As it was decided before; undefined while it is open. */
  readonly rounds?: boolean;
}

function wantedNext({ deps, memory, input, backend }: Work, chain: readonly string[]): Next | undefined {
  const isAlone = !deps.places.hasOther(memory, input.step, backend.id);
  const next = nextInPrompt(memory.template, chain, isAlone);
  return next !== undefined && mayShare(deps, memory, input, backend, next.id) ? next : undefined;
}

function namedNext({ template }: RunMemory, chain: readonly string[], wanted: FusedStep | undefined): Next | undefined {
  const next = wanted === undefined ? undefined : nextInPrompt(template, chain, true);
  return next === undefined || wanted === undefined || next.id !== wanted.step ? undefined : { ...next, rounds: wanted.rounds };
}

/** Undefined when the step cannot go with it; what is wrong with the step is told once it is prepared by itself. */
async function withPart(work: Work, item: FusedItem, next: Next): Promise<FusedItem | undefined> {
  const { deps, memory, input, backend, signal } = work;
  const { runId, skipped, picks } = input;
  const scope = withStandIns(scopeOf(memory, input, backend), [input.step, ...item.parts.map(({ step }) => step)], next.takes);
  const plan = planStep(memory.template, next.id, scope).value;
  if (plan === undefined || 'skip' in plan || plan.items.length !== 1) return undefined;
  try {
    const partInput = { runId, skipped, step: next.id, item: 0, ...(picks === undefined ? {} : { picks }) };
    const part = await renderItem(memory, partInput, backend, signal, () => deps.committed(runId), { ...scope, index: 0 });
    const info = await objectInfoOf(backend, signal);
    const joined = info === undefined ? undefined : await join(work, item, part, next, info);
    if (joined === undefined) return undefined;
    const wanted = part.outputNodes.map((node) => prefixOf(next.id) + node);
    // What is sent is the author's workflow of neither step.
    const { workflow: _, ...first } = item;
    return {
      ...first,
      inputs: [...(item.inputs ?? []), ...(part.inputs ?? [])],
      text: joined.text,
      outputNodes: item.outputNodes.length === 0 || wanted.length === 0 ? [] : [...item.outputNodes, ...wanted],
      parts: [...item.parts, { step: next.id, scope, savings: part.savings, rounds: joined.rounds }],
    };
  } catch (error) {
    if (signal.aborted || isUnreachable(error)) throw error;
    return undefined;
  }
}

async function join(
  { memory, input, backend, signal }: Work,
  { text }: FusedItem,
  part: RenderedItem,
  { id, takes, rounds: known }: Next,
  info: ObjectInfo,
): Promise<{ readonly text: string; readonly rounds: boolean } | undefined> {
  const [first, second] = [text, part.text].map((one) => parseGraph(one).graph);
  if (first === undefined || second === undefined) return undefined;
  const savers = new Map(
    takes.map((taken) => {
      const giver = memory.template.steps.find((step) => step.id === taken.step);
      const node = giver?.outputs[taken.output] ?? '';
      return [standInOf(taken).path, taken.step === input.step ? node : prefixOf(taken.step) + node];
    }),
  );
  const taken = [...savers].flatMap(([name, saver]) => loadersOf(second, name).map((loader) => ({ loader, saver })));
  // They stand nowhere but in their loaders.
  if (taken.length === 0 || part.text.split(STAND_IN).length - 1 !== taken.length) return undefined;
  const mayDiffer = memory.template.steps.find((step) => step.id === id)?.fuse === true;
  const open = async () => [...((await roundsAsFiles(backend, signal)) ? [true] : []), ...(mayDiffer ? [false] : [])];
  const ways = known === undefined ? await open() : [known];
  for (const rounds of ways) {
    const fused = fuseGraphs(first, second, { info, prefix: prefixOf(id), taken, rounds });
    if ('text' in fused) return { text: fused.text, rounds };
  }
  return undefined;
}

const STAND_IN = 'callsheet-in-this-prompt/';

function standInOf({ step, output }: Pick<TakenOutput, 'step' | 'output'>): MediaValue {
  const path = `${STAND_IN}${step}/${output}.png`;
  return { $media: 'media', path, name: path, sha256: sha256Hex(path), bytes: 0, mediaType: 'image/png' };
}

function loadersOf({ nodes }: Graph, name: string): readonly string[] {
  const found = [...nodes.values()].filter(({ classType, inputs }) => {
    const value = inputs.get('image')?.value;
    return classType === 'LoadImage' && value?.kind === 'string' && value.value === name;
  });
  return found.map(({ id }) => id);
}

/** The pictures of steps in the prompt, as far as the next one takes them. */
function withStandIns(scope: Scope, chain: readonly string[], takes: readonly TakenOutput[]): Scope {
  const steps: Record<string, StepOutputs> = { ...scope.steps };
  for (const id of chain)
    steps[id] = Object.fromEntries(takes.filter(({ step }) => step === id).map((taken) => [taken.output, [standInOf(taken)]]));
  return { ...scope, steps };
}
