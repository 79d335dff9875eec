/** Parameters for inputs that hold plain values: those that the app mode names, and those that a new template offers. */
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Graph, GraphInput, JsonNode } from '#graph/types.ts';
import { toValue } from '#graph/values.ts';
import { addressOf } from './addresses.ts';
import type { AppTarget } from './app-mode.ts';
import { parameterName, suffixOf, identifier, titleOf } from './identifier.ts';
import { inferInput } from './infer-input.ts';
import { mergeDefinitions, withDefault } from './merge-definitions.ts';
import { MEDIA_TYPES, type ParameterDefinition } from './types.ts';

export interface WantedInput {
  readonly name: string;
  readonly description?: string;
  readonly targets: readonly AppTarget[];
  /** Of a seed: whether the workflow's own stands as default, or one is drawn. */
  readonly fixed: boolean;
  readonly origin: string;
  readonly group?: string;
  readonly advanced?: boolean;
}

export interface AdoptedInputs {
  readonly parameters: ReadonlyMap<string, ParameterDefinition>;
  readonly set: Readonly<Record<string, string>>;
  /** Those that cannot be parameters, with the reason. */
  readonly refused: readonly { readonly input: WantedInput; readonly reason: string }[];
}

/** `taken` are names that have a meaning already. */
export function inputParameters(
  graph: Graph,
  info: ObjectInfo | undefined,
  wanted: readonly WantedInput[],
  taken: ReadonlySet<string>,
): AdoptedInputs {
  const parameters = new Map<string, ParameterDefinition>();
  const set: Record<string, string> = {};
  const refused: { input: WantedInput; reason: string }[] = [];
  const usable: { input: WantedInput; definition: ParameterDefinition; addresses: readonly string[] }[] = [];
  const written = new Set<string>();
  for (const input of wanted) {
    const found = definitionOf(graph, info, input, written);
    if ('reason' in found) refused.push({ input, reason: found.reason });
    else usable.push({ input, ...found });
  }
  const names = namesFor(
    graph,
    usable.map(({ input }) => input),
    taken,
  );
  for (const [index, { input, definition, addresses }] of usable.entries()) {
    const name = names[index] ?? '';
    parameters.set(name, { title: titleOf(name), ...definition, origin: input.origin });
    for (const address of addresses) set[address] = `{${name}}`;
  }
  return { parameters, set, refused };
}

function definitionOf(
  graph: Graph,
  info: ObjectInfo | undefined,
  { targets, fixed, description, group, advanced }: WantedInput,
  written: Set<string>,
): { readonly definition: ParameterDefinition; readonly addresses: readonly string[] } | { readonly reason: string } {
  let definition: ParameterDefinition | undefined;
  let current: JsonNode | undefined;
  const addresses: string[] = [];
  let reason = 'the file has no such input';
  for (const { node, input } of targets) {
    const found = graph.nodes.get(node)?.inputs.get(input);
    if (found === undefined) continue;
    const address = addressOf(node, input);
    const refusal = address === undefined ? 'its node or name cannot be addressed' : refusalOf(found, address, written);
    if (address === undefined || refusal !== undefined) {
      reason = refusal ?? reason;
      continue;
    }
    const inferred = inferInput({ graph, node, input, info }, found.value).definition;
    definition = definition === undefined ? inferred : mergeDefinitions(definition, inferred);
    current ??= found.value;
    written.add(address);
    addresses.push(address);
  }
  if (definition === undefined || current === undefined) return { reason };
  const worded: ParameterDefinition = {
    ...definition,
    ...(description === undefined ? {} : { description: description.slice(0, 4000) }),
    ...(group === undefined ? {} : { group }),
    ...(advanced === undefined ? {} : { advanced }),
  };
  const finished = begun(worded, current, fixed);
  return finished === undefined ? { reason: 'its value is none that such an input takes' } : { definition: finished, addresses };
}

function refusalOf({ link, value }: GraphInput, address: string, written: ReadonlySet<string>): string | undefined {
  if (link !== undefined) return 'it is linked to another node';
  if (written.has(address)) return 'another parameter writes it already';
  return value.kind === 'string' && value.value.includes('{') ? 'its text has braces, which may be placeholders' : undefined;
}

/** With the workflow's own value as default. A file of the server's is none: null leaves it as it is. A number is no file's name. */
function begun(definition: ParameterDefinition, current: JsonNode, fixed: boolean): ParameterDefinition | undefined {
  const { default: _replaced, ...rest } = definition;
  if (MEDIA_TYPES.some((media) => media === definition.type)) {
    return current.kind === 'number' || current.kind === 'boolean' ? undefined : { ...rest, default: null };
  }
  if (definition.type === 'seed' && !fixed) return rest;
  return withDefault(rest, toValue(current));
}

/** Stable whatever else the file holds: the input's name, else with the node's title, else with the node's id. */
function namesFor(graph: Graph, inputs: readonly WantedInput[], taken: ReadonlySet<string>): readonly string[] {
  const plain = inputs.map(({ name }) => parameterName(name) || 'value');
  const names: string[] = [];
  const used = new Set(taken);
  for (const [index, { targets }] of inputs.entries()) {
    const base = plain[index] ?? 'value';
    const [first] = targets;
    const node = graph.nodes.get(first?.node ?? '');
    const title = node?.title === undefined || node.title === node.classType ? '' : identifier(node.title);
    const suffix = suffixOf(first?.node ?? String(index));
    const alone = plain.filter((other) => other === base).length === 1;
    const titled = title === '' ? [] : [parameterName(/^(?:text|prompt|image|value)$/.test(base) ? title : `${title}_${base}`)];
    const choices = [...(alone ? [base] : []), ...titled, `${base}_${suffix}`, `${base}_${suffix}_${index}`];
    const name = choices.find((choice) => !used.has(choice)) ?? `value_${index}`;
    used.add(name);
    names.push(name);
  }
  return names;
}
