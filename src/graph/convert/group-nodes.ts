/** Legacy group nodes (`extra.groupNodes`): each is read as a subgraph of its own, with the inner ids that old front ends gave, `37:1`. */
import { isRecord, type ObjectInfo } from '../node-classes.ts';
import { member } from '../json.ts';
import type { JsonNode, JsonValue } from '../types.ts';
import { toValue } from '../values.ts';
import { nodeById } from './index-nodes.ts';
import { PRIMITIVE } from './names.ts';
import { idOf, itemsOf, numberOf, readNode } from './read.ts';
import type { Report } from './report.ts';
import { INPUT_NODE, OUTPUT_NODE, type UiBoundary, type UiGraph, type UiInput, type UiLink, type UiNode, type UiOutput } from './shapes.ts';
import type { Value } from './value.ts';
import { fillWidgets } from './widgets.ts';

/** `workflow>Name`, in files of 2023 `workflow/Name`. */
export function groupNodeName(type: string): string | undefined {
  return /^workflow[>/]/.test(type) ? type.slice('workflow>'.length) : undefined;
}

interface Group {
  readonly graph: UiGraph;
  readonly config: JsonValue;
  /** How often a name was given to an input, an output. */
  readonly names: { readonly inputs: Map<string, number>; readonly outputs: Map<string, number> };
}

/**
 * The inside of one group node. Its inputs and outputs are named as the front end named them: by the author's own name, else by
 * the slot's, with the inner node's title or type before it where the name was taken. The group's saved values follow one another
 * node by node, hidden widgets included.
 */
export function expandGroupNode(host: UiNode, definition: JsonNode, info: ObjectInfo, text: string, report: Report): UiGraph {
  const nodes: UiNode[] = [];
  for (const [index, item] of itemsOf(member(definition, 'nodes')).entries()) {
    const node = readNode(item, { text, report, id: String(index) });
    if (node !== undefined) nodes.push(node);
  }
  const graph: UiGraph = { id: `${host.id} group`, name: host.type, nodes, links: new Map(), inputs: [], outputs: [], at: definition };
  const group: Group = { graph, config: toConfig(definition), names: { inputs: new Map(), outputs: new Map() } };
  for (const node of nodes) for (const input of node.inputs) input.link = undefined;
  addLinks(group, itemsOf(member(definition, 'links')));
  const values = [...(host.saved.list ?? [])];
  for (const node of nodes) {
    takeWidgets(node, values, info, report);
    addInputs(group, node, info);
  }
  const external = new Set(
    itemsOf(member(definition, 'external')).map(
      (item) => `${idOf(member(itemsOf(item)[0], 'index')) ?? ''} ${numberOf(itemsOf(item)[1]) ?? 0}`,
    ),
  );
  const linked = new Set([...graph.links.values()].map(({ origin, originSlot }) => `${origin} ${originSlot}`));
  for (const node of nodes) addOutputs(group, node, { external, linked }, info);
  return graph;
}

function toConfig(definition: JsonNode): JsonValue {
  const config = member(definition, 'config');
  return config === undefined ? {} : toValue(config);
}

/** `[from, slot, to, slot, …]` by index; from null is an input of the group, which is found out by what is left unlinked. */
function addLinks({ graph }: Group, links: readonly JsonNode[]): void {
  for (const [index, item] of links.entries()) {
    const [from, fromSlot, to, toSlot] = itemsOf(item);
    const origin = idOf(from);
    const target = idOf(to);
    const node = nodeById(graph, target);
    const input = node?.inputs[numberOf(toSlot) ?? -1];
    if (origin === undefined || target === undefined || input === undefined) continue;
    const link: UiLink = { id: String(index), origin, originSlot: numberOf(fromSlot) ?? 0, target, targetSlot: numberOf(toSlot) ?? 0 };
    graph.links.set(link.id, link);
    input.link = link.id;
  }
}

/** An inner node's share of the group's values; where the group saved none, the inner node's own stay. */
function takeWidgets(node: UiNode, values: Value[], info: ObjectInfo, report: Report): void {
  const nodeClass = info.classes.get(node.type);
  if (values.length === 0) return;
  if (nodeClass === undefined) {
    const own = node.saved.list?.length ?? 0;
    if (own > 0) replaceSaved(node, values.splice(0, own));
    return;
  }
  const places = fillWidgets({ ...node, saved: { list: values } }, nodeClass, report).filter(
    ({ saved, name }) => saved && name !== 'upload',
  ).length;
  replaceSaved(node, values.splice(0, places));
}

function replaceSaved(node: UiNode, list: readonly Value[]): void {
  Object.assign(node, { saved: { list } });
}

function addInputs(group: Group, node: UiNode, info: ObjectInfo): void {
  const nodeClass = info.classes.get(node.type);
  const reroute = node.type === 'Reroute';
  for (const input of node.inputs) {
    if (input.link !== undefined) continue;
    const inner = reroute ? rerouteName(group, node) : input.name;
    const setting = settingOf(group.config, node.id, 'input', inner);
    if (setting.hidden) continue;
    const name = uniqueName(group.names.inputs, setting.name ?? input.label ?? inner, inner, node);
    const type = nodeClass?.inputs.get(input.name)?.type ?? input.type;
    connectInput(group.graph, node, input, { id: name, name, type, links: [] });
  }
}

/** A reroute's slots have no name of their own; the type of what it is connected to serves. */
function rerouteName({ graph }: Pick<Group, 'graph'>, node: UiNode, left = 100): string {
  if (left === 0) return '*';
  for (const link of graph.links.values()) {
    if (link.origin !== node.id) continue;
    const target = nodeById(graph, link.target);
    const type = target?.inputs[link.targetSlot]?.type;
    if (target !== undefined && type === '*') return rerouteName({ graph }, target, left - 1);
    if (type !== undefined) return type;
  }
  return '*';
}

function connectInput(graph: UiGraph, node: UiNode, input: UiInput, boundary: UiBoundary): void {
  const slot = graph.inputs.push(boundary) - 1;
  const id = `in ${slot}`;
  graph.links.set(id, { id, origin: INPUT_NODE, originSlot: slot, target: node.id, targetSlot: node.inputs.indexOf(input) });
  boundary.links.push(id);
  input.link = id;
}

interface OutputSets {
  /** `index slot` of outputs that the group shows although they are used inside. */
  readonly external: ReadonlySet<string>;
  readonly linked: ReadonlySet<string>;
}

function addOutputs(group: Group, node: UiNode, sets: OutputSets, info: ObjectInfo): void {
  const { graph } = group;
  const known = info.classes.get(node.type)?.outputs;
  for (const [slot, output] of node.outputs.entries()) {
    const linked = sets.linked.has(`${node.id} ${slot}`);
    if (linked && !sets.external.has(`${node.id} ${slot}`)) continue;
    const setting = settingOf(group.config, node.id, 'output', String(slot));
    if (setting.hidden || (node.type === PRIMITIVE && linked)) continue;
    const plain = known?.[slot]?.name ?? output.name;
    const name = uniqueName(group.names.outputs, setting.name ?? plain, plain, node);
    addOutput(graph, node, slot, output, name);
  }
}

function addOutput(graph: UiGraph, node: UiNode, slot: number, output: UiOutput, name: string): void {
  const index = graph.outputs.length;
  const id = `out ${index}`;
  graph.links.set(id, { id, origin: node.id, originSlot: slot, target: OUTPUT_NODE, targetSlot: index });
  graph.outputs.push({ id, name, type: output.type, links: [id] });
}

function settingOf(config: JsonValue, node: string, side: 'input' | 'output', slot: string): { name?: string; hidden: boolean } {
  const ofNode = isRecord(config) ? config[node] : undefined;
  const ofSide = isRecord(ofNode) ? ofNode[side] : undefined;
  const setting = isRecord(ofSide) ? ofSide[slot] : undefined;
  if (!isRecord(setting)) return { hidden: false };
  const { name, visible } = setting;
  return { hidden: visible === false, ...(typeof name === 'string' && name !== '' ? { name } : {}) };
}

function uniqueName(seen: Map<string, number>, wanted: string, slot: string, node: UiNode): string {
  let key = wanted;
  let name = wanted;
  if (seen.has(wanted)) {
    const prefix = `${node.title ?? node.type} `;
    key = `${prefix}${slot}`;
    name = key;
    if (seen.has(name)) name = `${prefix}${seen.get(name) ?? 1} ${slot}`;
  }
  seen.set(key, (seen.get(key) ?? 1) + 1);
  return name;
}
