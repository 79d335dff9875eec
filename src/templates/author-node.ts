/** Whose node is whose: what a patch put in is shown under the node of the workflow that it stands for. */
import type { Graph } from '#graph/types.ts';

/** The author's node behind a node of a patched graph: ids of nodes that were put in begin with the id of the node they stand for. */
export function authorNode(graph: Graph, id: string): string {
  for (let name = id; name.includes(':'); name = name.slice(0, name.lastIndexOf(':'))) if (graph.nodes.has(name)) return name;
  const [root = id] = id.split(':');
  return graph.nodes.has(root) ? root : id;
}
