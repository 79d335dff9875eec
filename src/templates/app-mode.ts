/**
 * The app mode of ComfyUI's front end: `extra.linearData` names the inputs that its simple form shows and the outputs.
 * An input is `[id, widget, {description?}?]`; ids are those of a node, `outer:inner` inside a subgraph, or
 * `graph:node:widget` with the parts percent-encoded (front ends of 2026). Widgets that a subgraph shows belong to an inner node.
 */
import { member } from '#graph/json.ts';
import type { JsonNode } from '#graph/types.ts';

export interface AppTarget {
  /** As in the graph in API format: `3`, or `12:3` inside a subgraph. */
  readonly node: string;
  readonly input: string;
}

export interface AppInput {
  /** As the form calls it. */
  readonly name: string;
  readonly description?: string;
  /** Several when a primitive feeds several inputs; none when it cannot be found. */
  readonly targets: readonly AppTarget[];
  /** A seed that the front end does not change between runs. */
  readonly fixed: boolean;
  /** Place in the file. */
  readonly at: JsonNode;
}

export interface AppMode {
  readonly inputs: readonly AppInput[];
  /** Ids as in API format. */
  readonly outputs: readonly string[];
}

const MAX_ENTRIES = 500;
const MAX_NESTING = 16;

/** Undefined when the workflow has no app mode. `root` is a workflow in UI format. */
export function readAppMode(root: JsonNode): AppMode | undefined {
  const data = member(member(root, 'extra'), 'linearData');
  if (data === undefined) return undefined;
  const graph = graphOf(root, definitionsOf(root));
  const inputs = itemsOf(member(data, 'inputs'))
    .slice(0, MAX_ENTRIES)
    .flatMap((entry) => readInput(entry, graph));
  const outputs = itemsOf(member(data, 'outputs'))
    .slice(0, MAX_ENTRIES)
    .flatMap((entry) => textOf(entry) ?? []);
  return inputs.length === 0 && outputs.length === 0 ? undefined : { inputs, outputs };
}

function readInput(entry: JsonNode, graph: UiGraph): AppInput[] {
  const [stored, widget, config] = itemsOf(entry);
  const id = textOf(stored);
  const name = textOf(widget);
  if (id === undefined || name === undefined) return [];
  const description = textOf(member(config, 'description'));
  const found = resolve(id, name, graph);
  return [
    {
      name,
      ...(description === undefined || description === '' ? {} : { description }),
      targets: found,
      fixed: found.some(({ node }) => isFixed(nodeAt(node.split(':'), graph))),
      at: entry,
    },
  ];
}

interface UiGraph {
  readonly nodes: ReadonlyMap<string, JsonNode>;
  readonly at: JsonNode;
  readonly definitions: ReadonlyMap<string, JsonNode>;
}

function graphOf(at: JsonNode, definitions: ReadonlyMap<string, JsonNode>): UiGraph {
  const nodes = new Map<string, JsonNode>();
  for (const node of itemsOf(member(at, 'nodes'))) {
    const id = textOf(member(node, 'id'));
    if (id !== undefined) nodes.set(id, node);
  }
  return { nodes, at, definitions };
}

function definitionsOf(root: JsonNode): ReadonlyMap<string, JsonNode> {
  const found = new Map<string, JsonNode>();
  const visit = (at: JsonNode, depth: number): void => {
    for (const definition of itemsOf(member(member(at, 'definitions'), 'subgraphs'))) {
      const id = textOf(member(definition, 'id'));
      if (id === undefined || found.has(id)) continue;
      found.set(id, definition);
      if (depth < MAX_NESTING) visit(definition, depth + 1);
    }
  };
  visit(root, 0);
  return found;
}

/** The graph inside a node that stands for a subgraph. */
function insideOf(node: JsonNode | undefined, { definitions }: UiGraph): UiGraph | undefined {
  const definition = definitions.get(textOf(member(node, 'type')) ?? '');
  return definition === undefined ? undefined : graphOf(definition, definitions);
}

const WIDGET_ID = /^[0-9a-f]{8}-[0-9a-f-]{27}:([^:]+):([^:]+)$/i;

function resolve(id: string, widget: string, graph: UiGraph): readonly AppTarget[] {
  const [, nodeId, widgetName] = WIDGET_ID.exec(id) ?? [];
  if (nodeId !== undefined && widgetName !== undefined) return targetsOf([decoded(nodeId)], decoded(widgetName), graph);
  if (graph.nodes.has(id) || id.includes(':')) return targetsOf(id.split(':'), widget, graph);
  // Older files name the inner node alone, which is clear as long as one subgraph has it.
  const outer = [...graph.nodes].filter(([, node]) => insideOf(node, graph)?.nodes.has(id) === true);
  const [only] = outer;
  return only !== undefined && outer.length === 1 ? targetsOf([only[0], id], widget, graph) : [];
}

/** The inputs in the graph as it is sent: through subgraphs and primitives. */
function targetsOf(path: readonly string[], widget: string, root: UiGraph): readonly AppTarget[] {
  let graph = root;
  for (const id of path.slice(0, -1)) {
    const inside = insideOf(graph.nodes.get(id), graph);
    if (inside === undefined) return [];
    graph = inside;
  }
  return targetsIn(graph, path, widget, 0);
}

function targetsIn(graph: UiGraph, path: readonly string[], widget: string, depth: number): readonly AppTarget[] {
  const node = graph.nodes.get(path.at(-1) ?? '');
  if (node === undefined || depth > MAX_NESTING) return [];
  const inside = insideOf(node, graph);
  const before = path.slice(0, -1);
  if (inside !== undefined) return promoted(node, inside, path, widget, depth);
  if (textOf(member(node, 'type')) !== 'PrimitiveNode') return [{ node: path.join(':'), input: widget }];
  return linksFrom(graph, path.at(-1) ?? '', 0).flatMap(({ to, slot }) => {
    const input = inputAt(graph.nodes.get(to), slot);
    return input === undefined ? [] : targetsIn(graph, [...before, to], input, depth + 1);
  });
}

/** A widget that a subgraph shows: by the link from its own input (today), or by its list of promoted widgets (before). */
function promoted(node: JsonNode, inside: UiGraph, path: readonly string[], widget: string, depth: number): readonly AppTarget[] {
  const names = itemsOf(member(inside.at, 'inputs')).map((input) => textOf(member(input, 'name')));
  const slot = names.indexOf(widget);
  const linked = slot < 0 ? [] : linksFrom(inside, INPUT_NODE, slot);
  const found = linked.flatMap(({ to, slot: target }) => {
    const input = inputAt(inside.nodes.get(to), target);
    return input === undefined ? [] : targetsIn(inside, [...path, to], input, depth + 1);
  });
  if (found.length > 0) return found;
  const proxies = itemsOf(member(member(node, 'properties'), 'proxyWidgets')).map((pair) => itemsOf(pair).map(textOf));
  const [inner, name] = proxies.find(([, proxied]) => proxied === widget) ?? [];
  return inner === undefined || name === undefined ? [] : targetsIn(inside, [...path, inner], name, depth + 1);
}

/** The id that stands for a subgraph's own inputs in its links. */
const INPUT_NODE = '-10';

function linksFrom(graph: UiGraph, node: string, slot: number): readonly { readonly to: string; readonly slot: number }[] {
  return itemsOf(member(graph.at, 'links')).flatMap((link) => {
    const [, from, fromSlot, to, toSlot] =
      link.kind === 'array'
        ? link.items.map(textOf)
        : [undefined, ...['origin_id', 'origin_slot', 'target_id', 'target_slot'].map((name) => textOf(member(link, name)))];
    return from === node && Number(fromSlot) === slot && to !== undefined ? [{ to, slot: Number(toSlot) }] : [];
  });
}

function inputAt(node: JsonNode | undefined, slot: number): string | undefined {
  const input = itemsOf(member(node, 'inputs'))[slot];
  return textOf(member(member(input, 'widget'), 'name')) ?? textOf(member(input, 'name'));
}

function nodeAt(path: readonly string[], root: UiGraph): JsonNode | undefined {
  let graph: UiGraph | undefined = root;
  for (const id of path.slice(0, -1)) graph = graph === undefined ? undefined : insideOf(graph.nodes.get(id), graph);
  return graph?.nodes.get(path.at(-1) ?? '');
}

/** What the front end does with the seed after a run stands among the node's values. */
function isFixed(node: JsonNode | undefined): boolean {
  const values = itemsOf(member(node, 'widgets_values')).map(textOf);
  return values.find((value) => /^(?:fixed|increment|decrement|randomize)$/.test(value ?? '')) === 'fixed';
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Ids are written as numbers and as texts. */
function textOf(node: JsonNode | undefined): string | undefined {
  return node?.kind === 'string' ? node.value : node?.kind === 'number' ? node.raw : undefined;
}

function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : [];
}
