/** Renders one item of a step for one backend: files uploaded, parameters injected, the payload ready to send. */
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { sha256Hex } from '#graph/hash.ts';
import { workflowWith } from '#graph/convert/write-back.ts';
import { redactJson } from '#graph/secrets.ts';
import { isReplaceable, parseReplacements } from '#graph/replacements.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import type { InputUse } from '#protocol/provenance.ts';
import type { Backend, InputFile, Payload } from '#backends/contract.ts';
import type { PassSaving } from '#graph/optimise/optimise.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { mayBeOptimised, optimiseStep } from '#templates/optimise-step.ts';
import { currentTemplate } from '#templates/replace-in-template.ts';
import { planStep, renderStep, type RenderTools, stepMedia, usesObjectInfo } from '#templates/render.ts';
import type { MediaValue, Scope } from '#templates/types.ts';
import type { RunMemory } from './deps.ts';
import { isUnreachable } from './grace.ts';
import { asSent, type Sent } from './handed-on.ts';
import type { ItemInput, PrepareInput } from './logic.ts';
import { scopeOf } from './scope.ts';

/** Parsed object info by backend; the texts are the key, so that a refreshed answer is parsed again. */
interface Parsed {
  readonly text: string;
  readonly renames: string;
  readonly info: ObjectInfo | undefined;
  hash?: string;
}
const parsed = new WeakMap<object, Parsed>();

type Informant = Pick<Backend, 'objectInfo' | 'nodeReplacements'>;

/** With what the server says of renamed classes. */
export async function objectInfoOf(backend: Informant, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
  const text = await backend.objectInfo(signal === undefined ? {} : { signal });
  const renames = (await backend.nodeReplacements?.(signal)) ?? '{}';
  const known = parsed.get(backend);
  if (known?.text === text && known.renames === renames) return known.info;
  const { info } = parseObjectInfo(text);
  const replacements = parseReplacements(renames);
  const whole = info === undefined || replacements.length === 0 ? info : { ...info, replacements };
  parsed.set(backend, { text, renames, info: whole });
  return whole;
}

/** sha256 of the object info that this backend gave last; undefined where none was asked for. Asks nobody. */
export function knownInfoHash(backend: object): string | undefined {
  const known = parsed.get(backend);
  if (known === undefined) return undefined;
  known.hash ??= sha256Hex(known.text);
  return known.hash;
}

/** The template as this server runs it. The object info is asked for only where a class has been renamed somewhere. */
async function forServer(template: CompiledTemplate, stepId: string, backend: Backend, signal: AbortSignal): Promise<CompiledTemplate> {
  const step = template.steps.find(({ id }) => id === stepId);
  if (step === undefined || step.backend === 'wan2gp') return template;
  const renames = parseReplacements((await backend.nodeReplacements?.(signal)) ?? '{}');
  if (![...step.graph.nodes.values()].some(({ classType }) => isReplaceable(classType, renames))) return template;
  const info = await objectInfoOf(backend, signal);
  return info === undefined ? template : currentTemplate(template, info).template;
}

/** The payload, and what the optimiser took out of it. */
export interface RenderedItem extends Payload {
  readonly savings: readonly PassSaving[];
}

/** The scope of one item: the step's scope, its `each` value and its index. Throws STEP_INPUT_MISSING. */
export function itemScope(memory: RunMemory, input: ItemInput, backend: Backend): Scope {
  const scope = scopeOf(memory, input, backend);
  const plan = planStep(memory.template, input.step, scope);
  const planned = plan.value;
  if (planned === undefined || 'skip' in planned) throw refused(input.step, plan.problems);
  const each = planned.items[input.item]?.each;
  return { ...scope, index: input.item, ...(each === undefined ? {} : { each }) };
}

/**
 * Uploads what the item needs and injects its values. The same input always gives the same text:
 * values come from the run's own records, never from a clock or a dice.
 * `committed` is awaited before anything leaves this machine. Files without a size are not there yet and stand for themselves. Throws STEP_INPUT_MISSING, UPLOAD_FAILED, BACKEND_UNREACHABLE.
 */
export async function renderItem(
  memory: RunMemory,
  input: ItemInput & Pick<PrepareInput, 'profile'>,
  backend: Backend,
  signal: AbortSignal,
  committed: () => Promise<void>,
  scope = itemScope(memory, input, backend),
): Promise<RenderedItem> {
  const wanted = stepMedia(memory.template, input.step, scope, input.profile).filter(({ bytes }) => bytes > 0);
  const template = await forServer(memory.template, input.step, backend, signal);
  const info = usesObjectInfo(template, input.step) ? await objectInfoOf(backend, signal) : undefined;
  const sent = await asSent(memory, wanted, async () => info ?? objectInfoForOptimiser(backend, signal));
  const render = (mediaName: RenderTools['mediaName']) => {
    const { value, problems } = renderStep(template, input.step, scope, {
      mediaName,
      ...(info === undefined ? {} : { objectInfo: info }),
      ...(input.profile === undefined ? {} : { profile: input.profile }),
    });
    if (value === undefined || problems.some((problem) => isBlocking(problem))) throw refused(input.step, problems);
    return value;
  };
  const names = wanted.length === 0 ? NOTHING_SENT : await upload(render, sent, backend, signal, committed);
  const value = render((media, place) => names.get(sent(media, place).sha256) ?? media.path);
  const workflow = await workflowOf(memory.template, input.step, value.text, backend, signal);
  const inputs = wanted.map((media) => useOf(memory, media));
  const known = isOptimised(memory, input.step) ? (info ?? (await objectInfoForOptimiser(backend, signal))) : undefined;
  const { text, outputNodes } = value;
  const made = known === undefined ? { text, outputNodes, savings: [] } : optimiseStep({ text, outputNodes }, known);
  return { ...made, inputs, ...(workflow === undefined ? {} : { workflow }) };
}

const NOTHING_SENT: ReadonlyMap<string, string> = new Map();

/** What the graph names, by the hash of what is sent of it: where patches leave a node out, or put another one in, is known once it is rendered. */
async function upload(
  render: (mediaName: RenderTools['mediaName']) => unknown,
  sent: Sent,
  backend: Backend,
  signal: AbortSignal,
  committed: () => Promise<void>,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, InputFile>();
  render((media, place) => {
    const file = sent(media, place);
    if (media.bytes > 0) files.set(file.sha256, file);
    return media.path;
  });
  if (files.size > 0) await committed();
  const names = new Map<string, string>();
  for (const [sha256, file] of files) names.set(sha256, await backend.upload(file, signal));
  return names;
}

function isOptimised({ options, template }: RunMemory, stepId: string): boolean {
  const step = template.steps.find(({ id }) => id === stepId);
  return options.optimize && step !== undefined && mayBeOptimised(step);
}

/** Saving work is never worth a failure: a server that cannot say what its nodes are is sent the graph as it is. Throws BACKEND_UNREACHABLE, CANCELLED. */
async function objectInfoForOptimiser(backend: Backend, signal: AbortSignal): Promise<ObjectInfo | undefined> {
  try {
    return await objectInfoOf(backend, signal);
  } catch (error) {
    if (signal.aborted || isUnreachable(error)) throw error;
    return undefined;
  }
}

/** The author's file with the values of this graph, without its secrets, where the server's classes are known already: it is not worth a question. */
async function workflowOf(
  template: CompiledTemplate,
  stepId: string,
  graph: string,
  backend: Backend,
  signal: AbortSignal,
): Promise<string | undefined> {
  const step = template.steps.find(({ id }) => id === stepId);
  const original = step === undefined ? undefined : template.source.originals?.[step.workflow];
  if (original === undefined || !parsed.has(backend)) return undefined;
  try {
    const info = await objectInfoOf(backend, signal);
    const workflow = info === undefined ? undefined : workflowWith(original, graph, info);
    return workflow === undefined ? undefined : redactJson(workflow, redactJson(graph).values).text;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function useOf({ artifacts }: RunMemory, { name, sha256, bytes, mediaType, path }: MediaValue): InputUse {
  const own = artifacts.find((artifact) => artifact.path === path);
  return { name, sha256, bytes, mediaType, ...(own === undefined ? {} : { artifactId: own.artifactId }) };
}

export function refused(step: string, problems: readonly Problem[]): CallsheetError {
  const first = problems.find((problem) => isBlocking(problem));
  return new CallsheetError('STEP_INPUT_MISSING', first?.message ?? `Step '${step}' has nothing to run on.`, {
    step,
    problems,
    hint: first?.hint ?? 'Look at what the steps before it gave, with `callsheet runs show`.',
  });
}
