/** Nodes in an order in which sources come before those that take from them, without recursion: a chain may be very long. */
import type { GraphLink } from '../types.ts';

export interface Linked {
  readonly id: string;
  readonly inputs: ReadonlyMap<string, { readonly link?: GraphLink }>;
}

/** Depth first, in the order of the map and of the inputs; nodes in a circle come where they are met. */
export function sourcesFirst<T extends Linked>(nodes: ReadonlyMap<string, T>): readonly T[] {
  const order: T[] = [];
  const seen = new Set<string>();
  for (const root of nodes.values()) {
    const open: { readonly node: T; readonly inputs: Iterator<{ readonly link?: GraphLink }> }[] = [];
    const enter = (node: T): void => {
      seen.add(node.id);
      open.push({ node, inputs: node.inputs.values() });
    };
    if (!seen.has(root.id)) enter(root);
    for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
      const next = at.inputs.next();
      if (next.done === true) {
        order.push(at.node);
        open.pop();
        continue;
      }
      const source = next.value.link === undefined ? undefined : nodes.get(next.value.link.node);
      if (source !== undefined && !seen.has(source.id)) enter(source);
    }
  }
  return order;
}
