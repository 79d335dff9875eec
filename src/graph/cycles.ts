/** Circles of links, found without recursion: a chain of 100,000 nodes must not overflow the stack. */
import type { Graph, GraphInput, GraphNode } from './types.ts';

export interface Cycle {
  /** In the direction of the data: each feeds the next, the last feeds the first. */
  readonly ids: readonly string[];
  /** The link that closes the circle: `input` of `node`. */
  readonly closing: { readonly node: GraphNode; readonly input: GraphInput };
}

/** Enough to see what is wrong; a graph in which everything feeds everything has more circles than anyone can read. */
const MAX_CYCLES = 20;

interface Frame {
  readonly node: GraphNode;
  readonly inputs: Iterator<GraphInput>;
}

/**
 * One cycle for every link that leads back into the path by which it was reached (depth first, in the order of the text):
 * none exactly when the graph has no circle, none twice, and cutting all reported closing links leaves no circle.
 */
export function findCycles(graph: Graph): Cycle[] {
  const cycles: Cycle[] = [];
  const done = new Set<string>();
  /** Two inputs fed by one node close the same circle. */
  const closed = new Set<string>();
  for (const root of graph.nodes.values()) {
    if (done.has(root.id)) continue;
    const path: Frame[] = [];
    /** Node id → its index in `path`. */
    const onPath = new Map<string, number>();
    const enter = (node: GraphNode): void => {
      onPath.set(node.id, path.length);
      path.push({ node, inputs: node.inputs.values() });
    };
    enter(root);
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const next = frame.inputs.next();
      if (next.done === true) {
        path.pop();
        onPath.delete(frame.node.id);
        done.add(frame.node.id);
        continue;
      }
      const input = next.value;
      const source = input.link === undefined ? undefined : graph.nodes.get(input.link.node);
      if (source === undefined || done.has(source.id)) continue;
      const index = onPath.get(source.id);
      if (index === undefined) {
        enter(source);
        continue;
      }
      const closing = JSON.stringify([source.id, frame.node.id]);
      if (closed.has(closing)) continue;
      closed.add(closing);
      // The path runs from consumers to sources; the data runs the other way.
      const ids = path.slice(index).map((entry) => entry.node.id);
      cycles.push({ ids: ids.toReversed(), closing: { node: frame.node, input } });
      if (cycles.length >= MAX_CYCLES) return cycles;
    }
  }
  return cycles;
}
