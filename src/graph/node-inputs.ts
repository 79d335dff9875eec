/** The inputs that a node has, dynamic ones resolved: which of them exist depends on the values that others have. */
import { isRecord, readSpec } from './node-classes.ts';
import type { InputSpec, NodeClass } from './node-classes.ts';
import type { GraphNode, JsonValue } from './types.ts';

/** Options of dynamic combos may hold dynamic combos; no real node goes deeper than three. */
const MAX_NESTING = 8;

/**
 * Inputs of a node by their names in the graph. V3 nodes flatten dynamic inputs with dots: a dynamic combo `mode` with the
 * key "crop" chosen adds `mode.width`; an autogrow input `images` is replaced by `images.image0`, `images.image1`, …
 */
export function inputsOf(nodeClass: NodeClass, node: GraphNode): ReadonlyMap<string, InputSpec> {
  let dynamic = false;
  for (const spec of nodeClass.inputs.values()) dynamic ||= spec.type.startsWith('COMFY_');
  if (!dynamic) return nodeClass.inputs;
  const inputs = new Map<string, InputSpec>();
  for (const spec of nodeClass.inputs.values()) expand(spec, node, inputs, 0);
  return inputs;
}

/** Keys that a dynamic combo offers. */
export function dynamicKeys(spec: InputSpec): string[] {
  return dynamicOptions(spec).map(({ key }) => key);
}

function expand(spec: InputSpec, node: GraphNode, into: Map<string, InputSpec>, nesting: number): void {
  if (nesting > MAX_NESTING) return;
  if (spec.type === 'COMFY_AUTOGROW_V3') {
    for (const slot of autogrown(spec)) expand(slot, node, into, nesting + 1);
    return;
  }
  into.set(spec.name, spec);
  if (spec.type !== 'COMFY_DYNAMICCOMBO_V3') return;
  const chosen = node.inputs.get(spec.name)?.value;
  if (chosen?.kind !== 'string') return;
  const option = dynamicOptions(spec).find(({ key }) => key === chosen.value);
  for (const inner of option === undefined ? [] : sectionsOf(option.inputs, spec.required)) {
    expand({ ...inner, name: `${spec.name}.${inner.name}` }, node, into, nesting + 1);
  }
}

function dynamicOptions(spec: InputSpec): { key: string; inputs: JsonValue | undefined }[] {
  const options = spec.options['options'];
  if (!Array.isArray(options)) return [];
  return (options as readonly JsonValue[]).flatMap((option) => {
    if (!isRecord(option) || typeof option['key'] !== 'string') return [];
    return [{ key: option['key'], inputs: option['inputs'] }];
  });
}

function sectionsOf(inputs: JsonValue | undefined, required: boolean): InputSpec[] {
  if (!isRecord(inputs)) return [];
  return (['required', 'optional'] as const).flatMap((section) => {
    const specs = inputs[section];
    if (!isRecord(specs)) return [];
    return Object.entries(specs).flatMap(([name, value]) => readSpec(name, value, required && section === 'required') ?? []);
  });
}

/** Slots of an autogrow input: `prefix` + number below `max`, or the given `names`; the first `min` are required. */
function autogrown(spec: InputSpec): InputSpec[] {
  const template = spec.options['template'];
  if (!isRecord(template)) return [];
  const [pattern] = sectionsOf(template['input'], spec.required);
  if (pattern === undefined) return [];
  const { prefix, names, min, max } = template;
  const count = typeof max === 'number' && max >= 0 ? Math.min(max, 1000) : 100;
  const slots = Array.isArray(names)
    ? (names as readonly JsonValue[]).filter((name) => typeof name === 'string')
    : Array.from({ length: count }, (_, index) => `${typeof prefix === 'string' ? prefix : pattern.name}${index}`);
  const needed = typeof min === 'number' ? min : 0;
  return slots.map((slot, index) => ({ ...pattern, name: `${spec.name}.${slot}`, required: pattern.required && index < needed }));
}
