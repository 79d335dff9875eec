/** ComfyUI's object info: which node classes a server has, with their inputs and outputs. */
import type { Problem } from '#protocol/problem.ts';
import { createLineIndex, member, parseJson, pointerOf } from './json.ts';
import type { JsonNode, JsonValue, NodeReplacement } from './types.ts';
import { toValue } from './values.ts';

export interface InputSpec {
  /** Dotted for inputs inside dynamic ones: `mode.width`. */
  readonly name: string;
  readonly required: boolean;
  /** `INT`, `MODEL`, `A,B`, `*`; `COMBO` for both spellings of a combo. */
  readonly type: string;
  /** Of a combo; absent when the server fetches them elsewhere. */
  readonly choices?: readonly JsonValue[];
  /** The second part of the spec: `default`, `min`, `max`, `image_upload`, … */
  readonly options: Readonly<Record<string, JsonValue>>;
}

export interface OutputSpec {
  /** `COMBO` where the server gives a list of choices. */
  readonly type: string;
  readonly name?: string;
  /** Of a matched type: the template of the inputs whose type it takes. */
  readonly match?: string;
  /** It gives a list, for each part of which the next node is called. */
  readonly isList?: boolean;
}

export interface NodeClass {
  readonly name: string;
  readonly displayName?: string;
  /** `nodes`, `comfy_extras.…`, `comfy_api_nodes.…` or `custom_nodes.…`. */
  readonly pythonModule?: string;
  readonly outputNode: boolean;
  /** Shows something without being an output (≥ 0.20). */
  readonly intermediateOutput: boolean;
  /** Its work is done by a service elsewhere. */
  readonly apiNode?: boolean;
  /** Required ones first, each part in the server's order. Hidden inputs are not among them. */
  readonly inputs: ReadonlyMap<string, InputSpec>;
  readonly outputs: readonly OutputSpec[];
  /** What the server hands in besides: `PROMPT`, `DYNPROMPT`, `UNIQUE_ID`, … Absent when there is nothing. */
  readonly hidden?: readonly string[];
  /** It takes whole lists instead of being called for each part. */
  readonly inputIsList?: boolean;
}

export interface ObjectInfo {
  readonly classes: ReadonlyMap<string, NodeClass>;
  /** What the server itself says of renamed classes; it is no part of its `/object_info`. */
  readonly replacements?: readonly NodeReplacement[];
}

export interface ParsedObjectInfo {
  readonly info: ObjectInfo | undefined;
  readonly problems: Problem[];
}

/**
 * Reads the answer of `GET /object_info`, or a saved one. A class whose shape is unknown is left out with a warning and does
 * not harm the others; a single input of unknown shape is left out in silence, as the server ignores what it does not know.
 */
export function parseObjectInfo(text: string, options: { readonly file?: string } = {}): ParsedObjectInfo {
  const where = options.file === undefined ? {} : { file: options.file };
  const { root, problems } = parseJson(text, where);
  if (root === undefined) return { info: undefined, problems };
  const lines = createLineIndex(text);
  const classes = new Map<string, NodeClass>();
  const strange: { name: string; at: number }[] = [];
  if (root.kind === 'object') {
    for (const { key, value } of root.members) {
      const nodeClass = readClass(key.value, value);
      if (nodeClass === undefined) strange.push({ name: key.value, at: value.start });
      else classes.set(key.value, nodeClass);
    }
  }
  if (classes.size === 0) {
    const message = 'This is not an object info: it describes no node class.';
    const hint = 'Save the answer of http://ADDRESS:8188/object_info of your ComfyUI server.';
    problems.push({
      code: 'OBJECT_INFO_INVALID',
      severity: 'error',
      message,
      hint,
      ...where,
      ...lines.positionOf(root.start),
      pointer: '',
    });
    return { info: undefined, problems };
  }
  for (const { name, at } of strange) {
    const message = `The description of node class "${name}" has an unknown shape and is left out.`;
    const hint = 'Update Callsheet, or report the class to the author of its node pack.';
    const place = { ...lines.positionOf(at), pointer: pointerOf([name]) };
    problems.push({ code: 'OBJECT_INFO_CLASS', severity: 'warning', message, hint, ...where, ...place });
  }
  return { info: { classes }, problems };
}

function readClass(name: string, node: JsonNode): NodeClass | undefined {
  const input = member(node, 'input');
  const output = member(node, 'output');
  if (node.kind !== 'object' || input?.kind !== 'object') return undefined;
  if (output !== undefined && output.kind !== 'array' && output.kind !== 'null') return undefined;
  const order = member(node, 'input_order');
  const inputs = new Map<string, InputSpec>();
  for (const section of ['required', 'optional'] as const) {
    for (const spec of readSection(member(input, section), section === 'required', member(order, section))) inputs.set(spec.name, spec);
  }
  const hidden = readHidden(member(input, 'hidden'));
  const displayName = textOf(member(node, 'display_name'));
  const pythonModule = textOf(member(node, 'python_module'));
  return {
    name,
    ...(displayName === undefined ? {} : { displayName }),
    ...(pythonModule === undefined ? {} : { pythonModule }),
    outputNode: isTrue(member(node, 'output_node')),
    intermediateOutput: isTrue(member(node, 'has_intermediate_output')),
    inputs,
    outputs: readOutputs(output, node),
    ...(hidden.length === 0 ? {} : { hidden }),
    ...(isTrue(member(node, 'api_node')) ? { apiNode: true } : {}),
    ...(isTrue(member(node, 'is_input_list')) ? { inputIsList: true } : {}),
  };
}

function readSection(section: JsonNode | undefined, required: boolean, order: JsonNode | undefined): InputSpec[] {
  if (section?.kind !== 'object') return [];
  const specs = new Map<string, InputSpec>();
  for (const { key, value } of section.members) {
    const spec = readSpec(key.value, toValue(value), required);
    if (spec !== undefined) specs.set(spec.name, spec);
  }
  const ordered = order?.kind === 'array' ? order.items.map(textOf) : [];
  const first = ordered.flatMap((name) => (name === undefined ? [] : (specs.get(name) ?? [])));
  return [...new Set([...first, ...specs.values()])];
}

/** One input: `[type, options?]`, `[[choice, …], options?]`, or the bare type that some saved files abbreviate it to. */
export function readSpec(name: string, value: JsonValue | undefined, required: boolean): InputSpec | undefined {
  if (typeof value === 'string') return { name, required, type: value, options: {} };
  if (!Array.isArray(value)) return undefined;
  const [type, second] = value as readonly (JsonValue | undefined)[];
  const options = isRecord(second) ? second : {};
  if (Array.isArray(type)) return { name, required, type: 'COMBO', choices: type as readonly JsonValue[], options };
  if (typeof type !== 'string') return undefined;
  const choices = options['options'];
  if (type === 'COMBO' && Array.isArray(choices)) return { name, required, type, choices: choices as readonly JsonValue[], options };
  return { name, required, type, options };
}

/** `{"prompt": "PROMPT"}` in V1, `{"prompt": ["PROMPT"]}` in V3. */
function readHidden(section: JsonNode | undefined): string[] {
  if (section?.kind !== 'object') return [];
  return section.members.flatMap(({ value }) => textOf(value.kind === 'array' ? value.items[0] : value) ?? []);
}

function readOutputs(types: JsonNode | undefined, node: JsonNode): OutputSpec[] {
  if (types?.kind !== 'array') return [];
  const [names, matches, lists] = ['output_name', 'output_matchtypes', 'output_is_list'].map((key) => member(node, key));
  const isList = (index: number): boolean => lists?.kind === 'array' && isTrue(lists.items[index]);
  const at = (list: JsonNode | undefined, index: number) => (list?.kind === 'array' ? textOf(list.items[index]) : undefined);
  return types.items.map((item, index) => {
    const [name, match] = [at(names, index), at(matches, index)];
    const type = item.kind === 'string' ? item.value : 'COMBO';
    return {
      type,
      ...(name === undefined ? {} : { name }),
      ...(match === undefined ? {} : { match }),
      ...(isList(index) ? { isList: true } : {}),
    };
  });
}

function isTrue(node: JsonNode | undefined): boolean {
  return node?.kind === 'boolean' && node.value;
}

function textOf(node: JsonNode | undefined): string | undefined {
  return node?.kind === 'string' ? node.value : undefined;
}

export function isRecord(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
