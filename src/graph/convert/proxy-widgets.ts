/** Legacy `properties.proxyWidgets`: widgets shown on an instance before inputs of the subgraph stood for them. */
import { member, parseJson } from '../json.ts';
import type { JsonNode } from '../types.ts';
import { boundaryTarget } from './boundary.ts';
import { nodeById } from './index-nodes.ts';
import { PRIMITIVE } from './names.ts';
import { idOf, itemsOf, textOf } from './read.ts';
import { INPUT_NODE, type UiBoundary, type UiGraph, type UiInput, type UiNode } from './shapes.ts';
import type { Value } from './value.ts';

/** Real files have some dozens. */
const MAX_ENTRIES = 1000;
const MAX_NAME = 1000;

interface Entry {
  readonly source: string;
  readonly name: string;
  /** The node deeper down that is meant where a nested subgraph shows two widgets of one name. */
  readonly deeper: string | undefined;
  readonly value: Value | undefined;
}

/**
 * Gives each entry an input of the subgraph, as the front end does on loading: an entry that is one already takes the saved
 * value; a widget that is none gets a new input, on every instance; a primitive inside hands its targets over. The n-th saved
 * value belongs to the n-th entry. Entries that lead nowhere are dropped, previews (`$$…`) too.
 */
export function migrateProxyWidgets(
  host: UiNode,
  graph: UiGraph,
  instances: readonly UiNode[],
  renamed: ReadonlyMap<string, string>,
): void {
  const entries = proxyEntries(host, graph, renamed);
  const primitives = new Map<UiNode, Entry[]>();
  for (const entry of entries) {
    const linked = linkedInput(host, graph, entry);
    if (linked !== undefined) {
      assign(linked, entry.value);
      continue;
    }
    const source = nodeById(graph, entry.source);
    if (source === undefined) {
      if (entry.source === '-1')
        assign(
          host.inputs.find(({ name }) => name === entry.name),
          entry.value,
        );
    } else if (source.type === PRIMITIVE) {
      primitives.set(source, [...(primitives.get(source) ?? []), entry]);
    } else if (!entry.name.startsWith('$$')) {
      const input = source.subgraph === undefined ? source.inputs.find(({ widget }) => widget === entry.name) : nestedInput(source, entry);
      const isWidget = input?.promoted !== undefined || source.widgets.some(({ name }) => name === entry.name);
      if (input !== undefined && isWidget) expose(host, graph, instances, entry.name, input.type, [[source, input]], entry.value);
    }
  }
  for (const [primitive, cohort] of primitives) handOver(host, graph, instances, primitive, cohort);
}

/** The property is a list, or a text that holds one. */
function proxyEntries(host: UiNode, graph: UiGraph, renamed: ReadonlyMap<string, string>): Entry[] {
  const property = member(host.properties, 'proxyWidgets');
  const list: JsonNode | undefined = property?.kind === 'string' ? parseJson(property.value).root : property;
  return itemsOf(list)
    .slice(0, MAX_ENTRIES)
    .flatMap((item, index) => {
      const [first, second, third] = itemsOf(item);
      const id = idOf(first);
      const name = textOf(second);
      if (id === undefined || name === undefined || name.length > MAX_NAME) return [];
      const source = renamed.get(id) ?? id;
      const value = host.saved.list?.[index];
      if (canResolve(graph, source, name)) return [{ source, name, deeper: idOf(third), value }];
      const { rest, deepest } = stripPrefixes(name);
      return [{ source, name: rest, deeper: deepest ?? idOf(third), value }];
    });
}

function canResolve(graph: UiGraph, source: string, name: string): boolean {
  const node = nodeById(graph, source);
  if (node === undefined) return false;
  return node.subgraph === undefined
    ? node.widgets.some((widget) => widget.name === name)
    : node.inputs.some((input) => input.promoted !== undefined && input.name === name);
}

/** `5: 12: seed` names the widget `seed` of node 12 in node 5. */
function stripPrefixes(name: string): { rest: string; deepest: string | undefined } {
  let rest = name;
  let deepest: string | undefined;
  for (let match = /^\s*(\d+)\s*:\s*(.+)$/.exec(rest); match !== null; match = /^\s*(\d+)\s*:\s*(.+)$/.exec(rest)) {
    deepest = match[1];
    rest = match[2] ?? '';
  }
  return { rest, deepest };
}

function linkedInput(host: UiNode, graph: UiGraph, entry: Entry): UiInput | undefined {
  const index = graph.inputs.findIndex((boundary) => {
    const target = boundaryTarget(graph, boundary);
    return target?.node.id === entry.source && target.widgetName === entry.name;
  });
  return index === -1 ? undefined : host.inputs[index];
}

function nestedInput(source: UiNode, { name, deeper }: Entry): UiInput | undefined {
  const inner = source.subgraph;
  if (inner === undefined) return undefined;
  const exact = source.inputs.find((input, index) => {
    const boundary = inner.inputs[index];
    const target = boundary === undefined || input.promoted === undefined ? undefined : boundaryTarget(inner, boundary);
    if (target === undefined) return false;
    if (deeper !== undefined) return target.widgetName === name && target.node.id === deeper;
    return input.name === name || target.widgetName === name;
  });
  return exact ?? source.inputs.find((input) => input.promoted !== undefined && input.name === name);
}

function assign(input: UiInput | undefined, value: Value | undefined): void {
  // Null is a hole here: the front end saved it where it had nothing to save.
  if (input?.promoted !== undefined && value !== undefined && value.kind !== 'null') input.promoted.value = value;
}

/** A new input of the subgraph that leads to `targets`; every instance gets it, with the value found inside. */
function expose(
  host: UiNode,
  graph: UiGraph,
  instances: readonly UiNode[],
  base: string,
  type: string,
  targets: readonly (readonly [UiNode, UiInput])[],
  value: Value | undefined,
): void {
  const taken = new Set(graph.inputs.map(({ name }) => name));
  let name = base;
  for (let count = 1; taken.has(name); count += 1) name = `${base}_${count}`;
  const boundary: UiBoundary = { id: name, name, type, links: [] };
  const slot = graph.inputs.push(boundary) - 1;
  for (const [node, input] of targets) {
    if (input.link !== undefined) graph.links.delete(input.link);
    const id = `exposed ${slot} ${boundary.links.length}`;
    graph.links.set(id, { id, origin: INPUT_NODE, originSlot: slot, target: node.id, targetSlot: node.inputs.indexOf(input) });
    boundary.links.push(id);
    input.link = id;
  }
  const target = boundaryTarget(graph, boundary);
  for (const instance of instances) {
    const promoted = target === undefined ? {} : { promoted: { value: target.value, controlled: target.controlled } };
    instance.inputs.push({ name, type, link: undefined, widget: name, ...promoted });
  }
  assign(host.inputs[slot], value);
}

function handOver(host: UiNode, graph: UiGraph, instances: readonly UiNode[], primitive: UiNode, cohort: readonly Entry[]): void {
  const targets: [UiNode, UiInput][] = [];
  for (const link of graph.links.values()) {
    if (link.origin !== primitive.id) continue;
    const node = nodeById(graph, link.target);
    const input = node?.inputs.find((each) => each.link === link.id);
    if (node !== undefined && input !== undefined) targets.push([node, input]);
  }
  const [first] = cohort;
  if (targets.length === 0 || first === undefined || cohort.some(({ name }) => name !== first.name)) return;
  const type = primitive.outputs[0]?.type ?? '*';
  if (targets.some(([, input]) => input.type !== type && input.type !== '*' && type !== '*')) return;
  const { title } = primitive;
  const base = title !== undefined && title !== '' && title !== PRIMITIVE ? title : first.name;
  const value = cohort.find((entry) => entry.value !== undefined)?.value ?? primitive.saved.list?.[0];
  expose(host, graph, instances, base, type, targets, value);
}
