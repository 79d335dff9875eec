/** Which nodes a server would execute. */
import type { ObjectInfo } from './node-classes.ts';
import type { Graph, GraphNode } from './types.ts';

/** Outputs and what feeds them. Nodes of unknown class count as outputs, which they may be. */
export function usedNodes(graph: Graph, info: ObjectInfo): Set<string> {
  const used = new Set<string>();
  const open: GraphNode[] = [];
  const visit = (node: GraphNode | undefined): void => {
    if (node === undefined || used.has(node.id)) return;
    used.add(node.id);
    open.push(node);
  };
  for (const node of graph.nodes.values()) if (info.classes.get(node.classType)?.outputNode !== false) visit(node);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const { link } of node.inputs.values()) if (link !== undefined) visit(graph.nodes.get(link.node));
  }
  return used;
}
