/** Node classes that were renamed or merged: what a server says of them (`GET /node_replacements`), put together with what we know ourselves. */
import { member, parseJson } from './json.ts';
import { KNOWN_REPLACEMENTS } from './known-replacements.ts';
import type { ObjectInfo } from './node-classes.ts';
import type { JsonNode, InputMapping, NodeReplacement } from './types.ts';
import { toValue } from './values.ts';

const SERVER = 'the server';

/**
 * The answer of `GET /node_replacements` (ComfyUI ≥ 0.14): `{old: [{new_node_id, old_node_id, old_widget_ids, input_mapping,
 * output_mapping}]}`, of which the first of each class counts. What has another shape is left out: this is help, never a reason to fail.
 */
export function parseReplacements(text: string): readonly NodeReplacement[] {
  const { root } = parseJson(text);
  if (root?.kind !== 'object') return [];
  return root.members.flatMap(({ key, value }) => {
    const first = value.kind === 'array' ? value.items[0] : undefined;
    return first === undefined ? [] : (readReplacement(key.value, first) ?? []);
  });
}

function readReplacement(from: string, node: JsonNode): NodeReplacement | undefined {
  const to = textOf(member(node, 'new_node_id'));
  if (to === undefined || to === '' || to === from) return undefined;
  const inputs = listOf(member(node, 'input_mapping'))?.map(readInput);
  const outputs = listOf(member(node, 'output_mapping'))?.map(readOutput);
  if (inputs?.includes(undefined) === true || outputs?.includes(undefined) === true) return undefined;
  const widgets = listOf(member(node, 'old_widget_ids'))?.flatMap((item) => textOf(item) ?? []);
  return {
    from,
    to,
    ...(inputs === undefined ? {} : { inputs: inputs.filter((input) => input !== undefined) }),
    ...(outputs === undefined ? {} : { outputs: new Map(outputs.filter((output) => output !== undefined)) }),
    ...(widgets === undefined ? {} : { widgets }),
    source: SERVER,
  };
}

function readInput(node: JsonNode): InputMapping | undefined {
  const to = textOf(member(node, 'new_id'));
  const from = textOf(member(node, 'old_id'));
  const value = member(node, 'set_value');
  if (to === undefined) return undefined;
  if (value !== undefined) return { to, value: toValue(value) };
  return from === undefined ? undefined : { to, from };
}

function readOutput(node: JsonNode): readonly [number, number] | undefined {
  const [from, to] = [member(node, 'old_idx'), member(node, 'new_idx')].map((index) => (index?.kind === 'number' ? Number(index.raw) : -1));
  return from === undefined || to === undefined || !isSlot(from) || !isSlot(to) ? undefined : [from, to];
}

const isSlot = (slot: number): boolean => Number.isInteger(slot) && slot >= 0;

function listOf(node: JsonNode | undefined): readonly JsonNode[] | undefined {
  return node?.kind === 'array' ? node.items : undefined;
}

function textOf(node: JsonNode | undefined): string | undefined {
  return node?.kind === 'string' ? node.value : undefined;
}

/** True when the class has been renamed somewhere: worth a look at what the server has. */
export function isReplaceable(classType: string, ofServer: readonly NodeReplacement[]): boolean {
  return KNOWN.has(classType) || ofServer.some(({ from }) => from === classType);
}

/** Never while the server still has the old class, and only if it has the new one. The server's own word stands over ours. */
export function replacementOf(classType: string, info: ObjectInfo): NodeReplacement | undefined {
  if (info.classes.has(classType)) return undefined;
  const candidates = [...(info.replacements ?? []).filter(({ from }) => from === classType), ...(KNOWN.get(classType) ?? [])];
  return candidates.find(({ to }) => info.classes.has(to));
}

const KNOWN: ReadonlyMap<string, readonly NodeReplacement[]> = Map.groupBy(KNOWN_REPLACEMENTS, ({ from }) => from);

/** Old classes that the server or we know of. */
export function everyReplacement({ replacements = [] }: ObjectInfo): ReadonlySet<string> {
  return new Set([...replacements.map(({ from }) => from), ...KNOWN.keys()]);
}
