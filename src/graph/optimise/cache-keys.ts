/** What ComfyUI's own cache compares: two nodes of one prompt with equal keys are executed once, optimised or not. */
import { canonicalJson, sha256Hex } from '../hash.ts';
import type { Graph, JsonNode } from '../types.ts';
import { sourcesFirst } from './order.ts';

/** Of the graph as it is. */
export function cacheKeys(graph: Graph): (id: string) => string {
  const keys = new Map<string, string>();
  const keyOf = (id: string): string => keys.get(id) ?? id;
  for (const { id, classType, inputs } of sourcesFirst(graph.nodes)) {
    const all = [...inputs.values()].map(({ name, link, value }): [string, string] => [
      name,
      link === undefined ? constantKey(value) : `${keyOf(link.node)} ${link.slot}`,
    ]);
    keys.set(id, sha256Hex(JSON.stringify([classType, all.toSorted(([a], [b]) => (a < b ? -1 : 1))])));
  }
  return keyOf;
}

// --- helpers ---

/** In Python 1, 1.0 and True are equal. */
function constantKey(value: JsonNode): string {
  return value.kind === 'boolean' ? String(Number(value.value)) : canonicalJson(value);
}
