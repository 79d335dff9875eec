/** Takes the folder of an attempt out of a graph again that ComfyUI wrote into a file as it was sent. Pure. */
import { type GraphEdit, parseGraph, printGraph } from '#graph/graph.ts';

/** As `ownPrefix` begins. */
const OWN = /^callsheet\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\//;

/** Everything else stays as it is, byte for byte; a text that is no graph as well. */
export function withoutOwnPlaces(text: string): string {
  if (!text.includes('callsheet/')) return text;
  const { graph } = parseGraph(text);
  if (graph === undefined) return text;
  const edits: GraphEdit[] = [];
  for (const { id, inputs } of graph.nodes.values()) {
    const prefix = inputs.get('filename_prefix')?.value;
    if (prefix?.kind !== 'string' || !OWN.test(prefix.value)) continue;
    edits.push({ node: id, input: 'filename_prefix', json: JSON.stringify(prefix.value.replace(OWN, '')) });
  }
  return edits.length === 0 ? text : printGraph(graph, edits);
}
