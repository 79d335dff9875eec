/** The parameters that placeholders in a workflow ask for: each takes its type from the inputs that it fills as a whole. */
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Graph, JsonNode } from '#graph/types.ts';
import { RESERVED_NAMES } from './environment.ts';
import { placeholdersIn } from './grammar.ts';
import { titleOf } from './identifier.ts';
import { inferInput } from './infer-input.ts';
import { PARAMETER_NAME_PATTERN } from './manifest-schema.ts';
import { mergeDefinitions } from './merge-definitions.ts';
import { MEDIA_TYPES, type ParameterDefinition } from './types.ts';

/** As many as a manifest may declare. */
export const MAX_PARAMETERS = 500;
const NAME = new RegExp(PARAMETER_NAME_PATTERN);
/** Inputs in which Wan2GP and ComfyUI have braces of their own are not looked at. */
const OTHERS_BRACES = new Set(['output_filename']);

interface Found {
  readonly definition: ParameterDefinition;
  readonly places: readonly string[];
  /** Where the type comes from; undefined while nothing but longer texts is known. */
  readonly by: string | undefined;
}

/** `nameOf` says how a node and its input are called in `origin`. */
export function placeholderParameters(
  graph: Graph,
  info: ObjectInfo | undefined,
  nameOf: (node: string, input: string) => string,
): ReadonlyMap<string, ParameterDefinition> {
  const found = new Map<string, Found>();
  for (const node of graph.nodes.values()) {
    for (const input of node.inputs.values()) {
      if (input.link !== undefined || (node.classType === '' && OTHERS_BRACES.has(input.name))) continue;
      collect(input.value, { graph, node: node.id, input: input.name, info }, nameOf(node.id, input.name), true, found);
    }
  }
  const parameters = new Map<string, ParameterDefinition>();
  for (const [name, { definition, places, by }] of found) {
    const shown = places.slice(0, 5).join(', ') + (places.length > 5 ? ` and ${places.length - 5} more` : '');
    const origin = `{${name}} in ${shown}; type by ${by ?? 'its place within longer texts'}`;
    parameters.set(name, { title: titleOf(name), ...definition, origin });
  }
  return parameters;
}

interface Place {
  readonly graph: Graph;
  readonly node: string;
  readonly input: string;
  readonly info: ObjectInfo | undefined;
}

/** `direct`: the value is the input itself and not a part of it. */
function collect(value: JsonNode, place: Place, called: string, direct: boolean, found: Map<string, Found>): void {
  if (value.kind === 'array') for (const item of value.items) collect(item, place, called, false, found);
  if (value.kind === 'object') {
    for (const { key, value: inner } of value.members) collect(inner, { ...place, input: key.value }, called, false, found);
  }
  if (value.kind !== 'string') return;
  for (const placeholder of placeholdersIn(value.value)) {
    const whole = placeholder.text === value.value && placeholder.filters.length === 0;
    const inferred = whole ? typed(place, direct) : undefined;
    for (const [index, { path, at }] of placeholder.alternatives.entries()) {
      const [name = ''] = path;
      if (path.length !== 1 || RESERVED_NAMES.includes(name) || !NAME.test(name) || name === '__proto__') continue;
      if (!found.has(name) && found.size >= MAX_PARAMETERS) return;
      // What has something to fall back on need not be given.
      const optional = index < placeholder.alternatives.length - 1;
      const single: ParameterDefinition = inferred?.definition ?? { type: 'string' };
      const { type } = single;
      const own: ParameterDefinition =
        at === undefined ? single : { type: 'list', of: type === 'choice' || type === 'list' ? 'string' : type };
      const by = at === undefined ? inferred?.by : (inferred?.by ?? 'the item that is taken from it');
      add(found, name, { definition: optional ? { ...own, default: null } : own, places: [called], by });
    }
  }
}

function typed(place: Place, direct: boolean): { definition: ParameterDefinition; by: string } {
  const { definition, by } = inferInput(place, undefined);
  const media = MEDIA_TYPES.some((each) => each === definition.type);
  // The settings that take several pictures do so by their name.
  if (direct && place.input === 'image_refs') return { definition: { type: 'list', of: 'image' }, by };
  if (place.input === 'image_refs') return { definition: { type: 'image' }, by };
  return media || direct ? { definition, by } : { definition: { type: definition.type === 'text' ? 'text' : 'string' }, by };
}

function add(found: Map<string, Found>, name: string, next: Found): void {
  const known = found.get(name);
  if (known === undefined) {
    found.set(name, next);
    return;
  }
  const places = [...new Set([...known.places, ...next.places])];
  if (next.by === undefined) found.set(name, { ...known, places });
  else if (known.by === undefined) found.set(name, { ...next, places });
  else {
    const definition = mergeDefinitions(known.definition, next.definition);
    found.set(name, { definition, places, by: known.by === next.by ? known.by : `${known.by} and ${next.by}` });
  }
}
