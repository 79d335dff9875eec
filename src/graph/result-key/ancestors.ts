/** What nodes depend on. Pure. */
import type { Graph, GraphNode } from '../types.ts';

/** The nodes themselves, as far as they exist, and everything that they are linked to, in whatever steps. */
export function ancestorsOf(graph: Graph, ids: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const open: GraphNode[] = [];
  const visit = (id: string): void => {
    const node = graph.nodes.get(id);
    if (node === undefined || found.has(id)) return;
    found.add(id);
    open.push(node);
  };
  for (const id of ids) visit(id);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const { link } of node.inputs.values()) if (link !== undefined) visit(link.node);
  }
  return found;
}
