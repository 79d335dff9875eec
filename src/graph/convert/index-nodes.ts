/** Nodes of a graph by id, and Set nodes by name: built once for each graph, so that files of 100,000 nodes stay quick. */
import { SETTERS } from './names.ts';
import type { UiGraph, UiNode } from './shapes.ts';

interface Index {
  readonly byId: ReadonlyMap<string, UiNode>;
  readonly setters: ReadonlyMap<string, UiNode>;
}

const indices = new WeakMap<UiGraph, Index>();

/** Ids must not change any more once this was asked. */
export function nodeById(graph: UiGraph, id: string | undefined): UiNode | undefined {
  return id === undefined ? undefined : indexOf(graph).byId.get(id);
}

/** The first Set node of that name. */
export function setterOf(graph: UiGraph, name: string | undefined): UiNode | undefined {
  return name === undefined ? undefined : indexOf(graph).setters.get(name);
}

function indexOf(graph: UiGraph): Index {
  const known = indices.get(graph);
  if (known !== undefined) return known;
  const setters = new Map<string, UiNode>();
  for (const node of graph.nodes) {
    const name = SETTERS.has(node.type) ? node.saved.list?.[0]?.text : undefined;
    if (name !== undefined && !setters.has(name)) setters.set(name, node);
  }
  const index = { byId: new Map(graph.nodes.map((node) => [node.id, node])), setters };
  indices.set(graph, index);
  return index;
}
