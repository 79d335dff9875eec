/** A good graph taken apart for breaking: its nodes, links and values with what the object info says of them. */
import { parseGraph } from '#graph/graph.ts';
import { typesFit } from '#graph/link-types.ts';
import type { InputSpec, NodeClass, ObjectInfo } from '#graph/node-classes.ts';
import { inputsOf } from '#graph/node-inputs.ts';
import type { Graph, GraphInput, JsonValue } from '#graph/types.ts';
import { printJson, toValue } from '#graph/values.ts';

export interface Place {
  readonly id: string;
  readonly input: string;
  readonly spec: InputSpec;
  readonly given: GraphInput;
  readonly nodeClass: NodeClass;
}

export interface Target {
  readonly text: string;
  readonly graph: Graph;
  readonly info: ObjectInfo;
  /** Declared inputs that hold a link, and those that hold a value. */
  readonly links: readonly Place[];
  readonly values: readonly Place[];
}

export interface Mutant {
  /** What was broken, for people. */
  readonly where: string;
  readonly text: string;
  /** The node whose input was changed. */
  readonly node?: string;
}

type NodeRecord = Record<string, JsonValue> & { inputs: Record<string, JsonValue> };

/** Undefined unless the text is a graph whose classes are all in the object info. */
export function targetOf(text: string, info: ObjectInfo): Target | undefined {
  const { graph, problems } = parseGraph(text);
  if (graph === undefined || problems.length > 0 || graph.nodes.size === 0) return undefined;
  const places: Place[] = [];
  for (const node of graph.nodes.values()) {
    const nodeClass = info.classes.get(node.classType);
    if (nodeClass === undefined) return undefined;
    for (const spec of inputsOf(nodeClass, node).values()) {
      const given = node.inputs.get(spec.name);
      if (given !== undefined) places.push({ id: node.id, input: spec.name, spec, given, nodeClass });
    }
  }
  const links = places.filter(({ given }) => given.link !== undefined);
  return { text, graph, info, links, values: places.filter(({ given }) => given.link === undefined) };
}

/** The graph as data of its own, changed and printed again. */
export function edited({ graph }: Target, change: (nodes: Record<string, NodeRecord>) => void): string {
  // The graph was parsed without problems: every entry is an object with `inputs`.
  const nodes = structuredClone(toValue(graph.root)) as Record<string, NodeRecord>;
  change(nodes);
  return printJson(nodes);
}

export function withInput(target: Target, { id, input }: { id: string; input: string }, value: JsonValue | undefined): Mutant {
  const text = edited(target, (nodes) => {
    const inputs = nodes[id]?.inputs ?? {};
    if (value === undefined) delete inputs[input];
    else inputs[input] = value;
  });
  return { where: `${id}.${input} ${value === undefined ? 'removed' : printJson(value)}`, text, node: id };
}

/** Nodes that feed `id`, directly or not, and itself. */
export function ancestors(graph: Graph, id: string): Set<string> {
  const found = new Set<string>([id]);
  const open = [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { link } of graph.nodes.get(next)?.inputs.values() ?? []) {
      if (link === undefined || found.has(link.node) || !graph.nodes.has(link.node)) continue;
      found.add(link.node);
      open.push(link.node);
    }
  }
  return found;
}

/** An output of the node that fits the input, else its first. */
export function fittingSlot({ graph, info }: Target, id: string, wanted: string): number {
  const outputs = info.classes.get(graph.nodes.get(id)?.classType ?? '')?.outputs ?? [];
  return Math.max(
    0,
    outputs.findIndex(({ type }) => typesFit(type, wanted)),
  );
}
