/** Decides which patches of a step apply to the values of one item, and what each of them does to the graph. */
import type { GraphPatch, NewNode, Rewiring } from '#graph/patch-graph.ts';
import type { InputSpec, ObjectInfo } from '#graph/node-classes.ts';
import { nameNode } from '#graph/names.ts';
import type { GraphLink } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';
import { freshId } from './compile-swap.ts';
import { siteKey } from './compile-workflow.ts';
import type { CompiledPatch, CompiledStep, CompiledTemplate, Site } from './compiled.ts';
import type { Placeholder } from './grammar.ts';
import { healChoice } from './heal.ts';
import { conditionContext } from './plan.ts';
import { resolve } from './resolve.ts';
import { closest } from '#graph/suggest.ts';
import type { Scope, Value } from './types.ts';
import { parseWeighted, STRENGTH_LIMIT } from './weighted.ts';

/** What a stack is made of: for model and CLIP, for the model alone. */
export const LORA_LOADERS = ['LoraLoader', 'LoraLoaderModelOnly'] as const;

/** One change that is made. */
export interface PatchDecision {
  readonly patch: GraphPatch;
  /** Where it comes from, for problems. */
  readonly place: Site['place'];
  /** Inputs of the nodes that come in, to be filled. */
  readonly sites: readonly Site[];
  /** What it does, for people. */
  readonly text: string;
}

export interface Decided {
  readonly decisions: readonly PatchDecision[];
  readonly problems: readonly Problem[];
}

export interface Lora {
  readonly name: string;
  readonly model: number;
  readonly clip: number;
  /** Place in the list, from 1. */
  readonly number: number;
}

export function decidePatches(template: CompiledTemplate, step: CompiledStep, scope: Scope, info: ObjectInfo): Decided {
  const decisions: PatchDecision[] = [];
  const problems: Problem[] = [];
  for (const patch of step.patches) {
    const fail = (code: string, message: string, hint: string): void =>
      void problems.push({ code, severity: 'error', message, hint, ...patch.place, step: step.id });
    try {
      if (patch.when !== undefined && !patch.when.evaluate(conditionContext(template, step, scope))) continue;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      fail(
        'STEP_CONDITION',
        `The condition of a patch of step "${step.id}" cannot be decided: ${reason}.`,
        `It reads: ${patch.when?.text ?? ''}`,
      );
      continue;
    }
    if (patch.kind !== 'loras') {
      decisions.push(...plainDecisions(step, patch));
      continue;
    }
    const loras = lorasOf(template, patch, scope);
    if ('code' in loras) fail(loras.code, loras.message, loras.hint);
    else if (loras.length > 0) {
      decisions.push(stackDecision(step, patch, loras, info));
      problems.push(...unknownLoras(loras, info).map((problem) => ({ ...problem, ...patch.place, step: step.id })));
    }
  }
  for (const { site } of emptyModels(template, step, scope)) decisions.push(withoutModel(step, site));
  return { decisions, problems };
}

/** What needs no values: bypasses and swaps. */
export function plainDecisions(step: CompiledStep, patch: Exclude<CompiledPatch, { kind: 'loras' }>): readonly PatchDecision[] {
  const { place } = patch;
  if (patch.kind === 'bypass') {
    return patch.nodes.map((node) => ({ patch: { kind: 'bypass', node }, place, sites: [], text: `${called(step, node)} is bypassed` }));
  }
  const { node, nodes, rewire, sites } = patch;
  const by = nodes.map(({ id, classType }) => `${id} (${classType})`).join(', ');
  return [{ patch: { kind: 'swap', node, nodes, rewire }, place, sites, text: `${called(step, node)} is swapped for ${by}` }];
}

const called = (step: CompiledStep, id: string): string => {
  const node = step.graph.nodes.get(id);
  return node === undefined ? `Node ${id}` : nameNode(node);
};

export function withoutModel(step: CompiledStep, site: Site): PatchDecision {
  const text = `${called(step, site.node)} is bypassed, for input "${site.input}" has no model`;
  return { patch: { kind: 'bypass', node: site.node }, place: site.place, sites: [], text };
}

type Loras = Extract<CompiledPatch, { kind: 'loras' }>;
type Failed = { readonly code: string; readonly message: string; readonly hint: string };

function lorasOf(template: CompiledTemplate, patch: Loras, scope: Scope): readonly Lora[] | Failed {
  const given = resolve(patch.from, scope, template);
  if (given.kind === 'problem') return given;
  if (given.kind === 'null') return [];
  const strength = typeof patch.strength === 'number' ? patch.strength : strengthOf(template, patch.strength, scope);
  if (typeof strength === 'object') return strength;
  const items = Array.isArray(given.value) ? (given.value as readonly Value[]) : [given.value];
  return items.flatMap((item, index): readonly Lora[] => {
    const text = typeof item === 'string' ? item : '';
    const entry = patch.weighted ? parseWeighted(text) : { name: text, model: undefined, clip: undefined };
    const { name, model = strength, clip = model } = entry;
    return name === '' || (model === 0 && clip === 0) ? [] : [{ name, model, clip, number: index + 1 }];
  });
}

function strengthOf(template: CompiledTemplate, placeholder: Placeholder, scope: Scope): number | Failed {
  const given = resolve(placeholder, scope, template);
  if (given.kind === 'problem') return given;
  const value = given.kind === 'null' ? 1 : Number(given.value);
  if (Math.abs(value) <= STRENGTH_LIMIT) return value;
  const hint = `Strengths of LoRAs lie between −${STRENGTH_LIMIT} and ${STRENGTH_LIMIT}.`;
  return { code: 'STEP_PATCH', message: `${placeholder.text} is ${value}, which is no strength.`, hint };
}

/** As of other model names, a list that is a while old may not know the newest file. */
function unknownLoras(loras: readonly Lora[], info: ObjectInfo): readonly Problem[] {
  const spec = loraNames(info);
  return loras.flatMap(({ name }): readonly Problem[] => {
    const healed = spec === undefined ? { value: name } : healChoice(spec, name);
    if ('value' in healed) return [];
    const near = closest(name, healed.unknown) ?? healed.unknown.find((choice) => choice.includes(name));
    const hint = near === undefined ? `It has ${healed.unknown.slice(0, 8).join(', ')}.` : `Did you mean "${near}"?`;
    return [{ code: 'STEP_MODEL_UNKNOWN', severity: 'warning', message: `The backend does not list the LoRA "${name}".`, hint }];
  });
}

/** Both loaders list the same files. */
export function loraNames(info: ObjectInfo): InputSpec | undefined {
  for (const loader of LORA_LOADERS) {
    const spec = info.classes.get(loader)?.inputs.get('lora_name');
    if (spec !== undefined) return spec;
  }
  return undefined;
}

/** The first output of each of the two types, in the order of `after`. */
export function stackDecision(step: CompiledStep, patch: Loras, loras: readonly Lora[], info: ObjectInfo): PatchDecision {
  const [owner = ''] = patch.after;
  const model = outputOf(step, patch.after, 'MODEL', info);
  const clip = outputOf(step, patch.after, 'CLIP', info);
  const [withClip, modelOnly] = LORA_LOADERS;
  const classType = clip === undefined ? modelOnly : withClip;
  const spec = loraNames(info);
  const nodes: NewNode[] = [];
  const sites: Site[] = [];
  let [lastModel, lastClip] = [model ?? { node: owner, slot: 0 }, clip];
  for (const { name, model: strength, clip: clipStrength, number } of loras) {
    const id = freshId(step, `${owner}:patch${patch.at + 1}-lora${number}`);
    const healed = spec === undefined ? undefined : healChoice(spec, name);
    const spelled = healed !== undefined && 'value' in healed ? healed.value : name;
    const json = JSON.stringify(spelled);
    sites.push({ node: id, input: 'lora_name', classType, pieces: [json], from: 'set', current: undefined, place: patch.place });
    nodes.push({
      id,
      classType,
      title: `LoRA ${name}`,
      inputs: [
        ['model', lastModel],
        ...(lastClip === undefined ? [] : [['clip', lastClip] as const]),
        ['lora_name', { json }],
        ['strength_model', { json: String(strength) }],
        ...(lastClip === undefined ? [] : [['strength_clip', { json: String(clipStrength) }] as const]),
      ],
    });
    lastModel = { node: id, slot: 0 };
    if (lastClip !== undefined) lastClip = { node: id, slot: 1 };
  }
  const rewire: Rewiring[] = [{ from: model ?? { node: owner, slot: 0 }, to: lastModel }];
  if (clip !== undefined && lastClip !== undefined) rewire.push({ from: clip, to: lastClip });
  const list = loras.map(
    ({ name, model: one, clip: two }) => `${name} (${clip === undefined || one === two ? one : `${one}, CLIP ${two}`})`,
  );
  const text = `${loras.length === 1 ? 'One LoRA goes' : `${loras.length} LoRAs go`} behind ${called(step, owner).replace('Node', 'node')}: ${list.join(', ')}`;
  return { patch: { kind: 'insert', after: owner, nodes, rewire }, place: patch.place, sites, text };
}

export function outputOf(step: CompiledStep, nodes: readonly string[], type: string, info: ObjectInfo): GraphLink | undefined {
  for (const node of nodes) {
    const classType = step.graph.nodes.get(node)?.classType ?? '';
    const slot = info.classes.get(classType)?.outputs.findIndex((output) => output.type === type) ?? -1;
    if (slot >= 0) return { node, slot };
  }
  return undefined;
}

export interface ModelSite {
  readonly site: Site;
  readonly placeholder: Placeholder;
}

/** Inputs that an optional parameter of type model fills as a whole, in nodes that are linked to something: these can be led around. */
export function modelSites(template: Pick<CompiledTemplate, 'parameters'>, step: CompiledStep): readonly ModelSite[] {
  if (step.backend === 'wan2gp') return [];
  return step.sites.flatMap((site) => {
    const [only] = site.pieces;
    const whole = site.pieces.length === 1 && typeof only === 'object' ? only.whole : undefined;
    if (whole === undefined || whole.filters.length > 0) return [];
    const models = whole.alternatives.every(({ path, at }) => {
      const definition = path.length === 1 && at === undefined ? template.parameters.get(path[0] ?? '') : undefined;
      return definition?.type === 'model' && definition.default === null;
    });
    const node = step.graph.nodes.get(site.node);
    const linked = node !== undefined && [...node.inputs.values()].some(({ link }) => link !== undefined);
    return models && linked ? [{ site, placeholder: whole }] : [];
  });
}

/** Those that are null now; what `set` leaves alone counts only where the workflow has a value of its own for it. */
export function emptyModels(template: CompiledTemplate, step: CompiledStep, scope: Scope): readonly ModelSite[] {
  const sites = modelSites(template, step);
  const isNull = ({ placeholder }: ModelSite): boolean => resolve(placeholder, scope, template).kind === 'null';
  return sites.filter((each) => {
    if (!isNull(each)) return false;
    const others = step.sites.filter(({ node, input }) => siteKey(node, input) === siteKey(each.site.node, each.site.input));
    const [set] = others.filter(({ from }) => from === 'set');
    if (set !== undefined && each.site !== set) return false;
    return others.every((other) => other === each.site || sites.some((one) => one.site === other && isNull(one)));
  });
}
