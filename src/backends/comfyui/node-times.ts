/** How long each node of a prompt was at work, by the moments at which the next one began. */
import type { NodeTime } from '../contract.ts';

export interface NodeTimes {
  /** This node is at work from now on, and whichever was before is not. */
  at(node: string): void;
  /** What was measured so far; the node at work counts until now. */
  take(classOf: (node: string) => string | undefined): readonly NodeTime[];
}

/** `now` is monotonic, in milliseconds. */
export function createNodeTimes(now: () => number): NodeTimes {
  const spent = new Map<string, number>();
  let current: { readonly node: string; readonly since: number } | undefined;
  const close = (): void => {
    if (current !== undefined) spent.set(current.node, (spent.get(current.node) ?? 0) + now() - current.since);
    current = undefined;
  };
  return {
    at(node) {
      if (current?.node === node) return;
      close();
      current = { node, since: now() };
    },
    take(classOf) {
      close();
      return [...spent].flatMap(([node, ms]) => {
        const className = classOf(node);
        // Nodes of an expansion are told under their parent, which is in the graph.
        return className === undefined ? [] : [{ node, className, seconds: ms / 1000 }];
      });
    },
  };
}
