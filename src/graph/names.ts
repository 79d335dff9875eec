/** How messages call nodes and inputs: id, title and class, so that they are found in the file and on the screen. */
import type { Graph, GraphNode } from './types.ts';

/** `Node 6 "Positive prompt" (CLIPTextEncode)`. A title that only repeats the class is left out. */
export function nameNode(node: GraphNode): string {
  const title = node.title === undefined || node.title === '' || node.title === node.classType ? '' : ` "${node.title}"`;
  return `Node ${node.id}${title} (${node.classType})`;
}

/** `Node 6 "Positive prompt" (CLIPTextEncode): input "clip"`. */
export function nameInput(node: GraphNode, input: { readonly name: string }): string {
  return `${nameNode(node)}: input "${input.name}"`;
}

/** `6 (Positive prompt)`, for lists of nodes. */
export function nameId(graph: Graph, id: string): string {
  const node = graph.nodes.get(id);
  return node === undefined ? id : `${id} (${node.title ?? node.classType})`;
}
