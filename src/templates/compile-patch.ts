/** Compiles `patch` of one step: which change each entry means, and whether nodes, names and lists are what it needs. */
import type { Graph } from '#graph/types.ts';
import { findNode, parseNodeName } from './addresses.ts';
import { type CompileContext, manifestText, report } from './compile-context.ts';
import { compileCondition } from './compile-condition.ts';
import { compileSwap } from './compile-swap.ts';
import type { WorkflowPlace } from './compile-workflow.ts';
import type { CompiledPatch } from './compiled.ts';
import { kindOf } from './environment.ts';
import type { Placeholder } from './grammar.ts';
import { nodeAt, type Path, type ProblemDetails, problemAt } from './locate.ts';
import { compileReference } from './references.ts';
import type { ParameterDefinition, ParameterType, PatchDefinition, StepDefinition } from './types.ts';

const KINDS = ['bypass', 'loras', 'swap'] as const;
type Kind = (typeof KINDS)[number];

const BELONGS: readonly (readonly [keyof PatchDefinition, Kind])[] = [
  ['after', 'loras'],
  ['strength', 'loras'],
  ['nodes', 'swap'],
  ['outputs', 'swap'],
];

/** What the compiling of one entry needs. */
export interface PatchPlace {
  readonly context: CompileContext;
  readonly step: StepDefinition;
  readonly graph: Graph;
  readonly workflow: WorkflowPlace;
  /** Of the entry in the manifest. */
  readonly path: Path;
  readonly report: (at: Path, code: string, message: string, details: ProblemDetails) => void;
  /** The node at an address; reports one that does not exist. */
  readonly find: (address: string, at: Path) => string | undefined;
}

export function compilePatches(
  context: CompileContext,
  step: StepDefinition,
  stepPath: Path,
  graph: Graph,
  workflow: WorkflowPlace,
): CompiledPatch[] {
  const { patch: patches } = step;
  if (patches === undefined) return [];
  if (workflow.kind === 'wan2gp') {
    const hint = 'Use "set" to change settings, or "when" to choose between two steps.';
    const message = `Step "${step.id}" has a "patch", but settings of Wan2GP are no graph that could be changed.`;
    report(context, [...stepPath, 'patch'], 'TEMPLATE_PATCH_SETTINGS', message, { step: step.id, hint, key: true });
    return [];
  }
  return patches.flatMap((patch: PatchDefinition | undefined, at) => {
    // What the schema objected to is not there any more.
    if (patch === undefined) return [];
    const path: Path = [...stepPath, 'patch', at];
    const tell = (where: Path, code: string, message: string, details: ProblemDetails): void =>
      report(context, [...path, ...where], code, message, { step: step.id, ...details });
    const find = (address: string, where: Path): string | undefined => {
      const name = parseNodeName(address);
      const found = findNode(graph, name);
      if ('node' in found) return found.node.id;
      tell(where, found.code, `Patch of step "${step.id}": ${found.message}`, { hint: found.hint, node: name.name });
      return undefined;
    };
    return compileOne({ context, step, graph, workflow, path, report: tell, find }, patch, at) ?? [];
  });
}

function compileOne(place: PatchPlace, patch: PatchDefinition, at: number): CompiledPatch | undefined {
  const { context, step, path, workflow } = place;
  const when = patch.when === undefined ? undefined : compileCondition(context, patch.when, [...path, 'when'], step.id, workflow.uses);
  const kinds = KINDS.filter((kind) => patch[kind] !== undefined);
  const [kind, second] = kinds;
  if (kind === undefined && isReported(place, patch)) return undefined;
  if (kind === undefined || second !== undefined) {
    const message = kind === undefined ? 'This patch changes nothing.' : `This patch is ${kinds.join(' and ')} at once.`;
    const hint = 'Write exactly one of "bypass", "loras" and "swap"; further changes are entries of their own.';
    place.report([], 'TEMPLATE_PATCH_KIND', message, { hint });
    return undefined;
  }
  for (const [field, owner] of BELONGS) {
    if (patch[field] === undefined || owner === kind) continue;
    const hint = `Remove "${field}", which belongs to "${owner}".`;
    place.report([field], 'TEMPLATE_PATCH_KIND', `A patch with "${kind}" has no "${field}".`, { hint, key: true });
  }
  const base = { at, when, place: placeOf(place) };
  if (kind === 'bypass') {
    const nodes = addresses(place, patch.bypass, 'bypass');
    for (const node of nodes) reportOutput(place, node);
    return { ...base, kind, nodes };
  }
  if (kind === 'swap') {
    const swap = compileSwap(place, patch, at);
    return swap === undefined ? undefined : { ...base, kind, ...swap };
  }
  const after = addresses(place, patch.after, 'after');
  if (patch.after === undefined) {
    const hint = 'Name the loader, e.g. "after": "4", or both of them: ["4", "11"] where MODEL and CLIP come from two nodes.';
    place.report([], 'TEMPLATE_PATCH_AFTER', 'It is not said behind which loader the LoRAs go.', { hint });
  }
  const from = lorasOf(place, patch.loras ?? '');
  const strength = strengthOf(place, patch.strength ?? 1);
  return from === undefined || strength === undefined || after.length === 0 ? undefined : { ...base, kind, ...from, after, strength };
}

/** A field that the schema objected to was reported, and left out of `patch`. */
function isReported({ context: { where }, path }: PatchPlace, patch: PatchDefinition): boolean {
  const written = nodeAt(where.root, path);
  return written.kind === 'object' && written.members.some(({ key }) => !Object.hasOwn(patch, key.value));
}

function placeOf({ context: { where }, path }: PatchPlace): CompiledPatch['place'] {
  const { line = 1, column = 1, pointer = '' } = problemAt(where, path, '', '');
  return { file: where.file, line, column, pointer };
}

function addresses(place: PatchPlace, given: string | readonly string[] | undefined, field: string): readonly string[] {
  if (given === undefined) return [];
  const list = typeof given === 'string' ? [given] : given;
  const found = list.flatMap((address: string | undefined, index) =>
    address === undefined ? [] : (place.find(address, typeof given === 'string' ? [field] : [field, index]) ?? []),
  );
  return [...new Set(found)];
}

/** A step promises the files of its outputs: a node that is not there gives none. */
function reportOutput(place: PatchPlace, node: string): void {
  for (const [name, address] of Object.entries(place.step.outputs ?? {})) {
    if (address === '*') continue;
    const found = findNode(place.graph, parseNodeName(address));
    if (!('node' in found) || found.node.id !== node) continue;
    const message = `Node ${node} gives output "${name}" of step "${place.step.id}" and cannot be bypassed: there would be no file.`;
    const hint = `Bypass what feeds it, or give the step a condition with "when".`;
    place.report(['bypass'], 'TEMPLATE_PATCH_OUTPUT', message, { hint, node });
  }
}

const NAMES = new Set<ParameterType>(['model', 'string', 'choice']);

function lorasOf(place: PatchPlace, text: string): { readonly from: Placeholder; readonly weighted: boolean } | undefined {
  const { context, step, workflow } = place;
  const at = [...place.path, 'loras'];
  const from = compileReference(text, 'loras', manifestText(context, at, workflow.environment, { step: step.id, uses: workflow.uses }));
  if (from === undefined) return undefined;
  const definitions = from.alternatives.map(({ path }) => definitionOf(place, path));
  let fits = from.filters.length === 0;
  for (const [index, definition] of definitions.entries()) {
    const name = from.alternatives[index]?.path[0] ?? '';
    // A definition that is broken itself was reported there.
    if (definition === undefined && context.names.parameters.has(name)) return undefined;
    const type = definition?.type === 'list' ? definition.of : definition?.type;
    fits &&= type !== undefined && NAMES.has(type);
  }
  const [first] = definitions;
  if (fits && first !== undefined) return { from, weighted: definitions.every((definition) => definition?.weighted === true) };
  const what = first === undefined ? 'no parameter' : first.type === 'list' ? `a list of ${first.of ?? 'string'}` : first.type;
  const hint = 'Give the parameter "type": "list", "of": "model", "folder": "loras", "weighted": true, and write {name} alone.';
  place.report(['loras'], 'TEMPLATE_PATCH_LORAS', `${text} is ${what}; LoRAs are names of models, one or a list of them.`, { hint });
  return undefined;
}

/** Of a parameter, or of the items of a list over which the step fans out. */
function definitionOf({ context, step }: PatchPlace, path: readonly string[]): ParameterDefinition | undefined {
  const [root = ''] = path;
  if (path.length !== 1) return undefined;
  const name = root === 'each' ? /^\{([A-Za-z_]\w*)\}$/.exec(step.each ?? '')?.[1] : root;
  return name === undefined ? undefined : context.names.parameters.get(name);
}

function strengthOf(place: PatchPlace, given: number | string): number | Placeholder | undefined {
  if (typeof given === 'number') return given;
  const { context, step, workflow, path } = place;
  const text = manifestText(context, [...path, 'strength'], workflow.environment, { step: step.id, uses: workflow.uses });
  const placeholder = compileReference(given, 'strength', text);
  if (placeholder === undefined) return undefined;
  const kinds = placeholder.alternatives.map((reference) => kindOf(reference, workflow.environment));
  if (
    placeholder.filters.length === 0 &&
    kinds.every((kind) => kind?.list !== 'yes' && (kind?.type === 'number' || kind?.type === 'unknown'))
  ) {
    return placeholder;
  }
  const hint = 'Name a parameter of type number. Strengths of single LoRAs stand in the list: "style.safetensors:0.8".';
  place.report(['strength'], 'TEMPLATE_PATCH_LORAS', `${given} is no number, which the strength of a LoRA is.`, { hint });
  return undefined;
}
