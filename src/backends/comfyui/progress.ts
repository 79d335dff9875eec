/** Progress of one prompt over its whole graph: counts nodes, never falls, and reaches 1 only by finishing. */
import type { ProgressFrame } from './frames.ts';
import { finite, isFields, text } from './replies.ts';

export interface Progress {
  /** Ids of the graph's nodes; later calls win only while nothing was known. */
  know(nodes: readonly string[]): void;
  cached(nodes: readonly string[]): void;
  done(node: string): void;
  /** Takes a frame in; false when it says nothing new. */
  take(frame: ProgressFrame): boolean;
  at(node: string): void;
  readonly node: string | undefined;
  /** 0..0.999. */
  value(): number;
}

export function createProgress(): Progress {
  const done = new Set<string>();
  const partial = new Map<string, number>();
  let known: ReadonlySet<string> | undefined;
  let highest = 0;
  let current: string | undefined;

  // Nodes of an expansion count through their parent, which is in the graph.
  const counts = (id: string): boolean => known === undefined || known.has(id);
  const finish = (id: string): void => {
    partial.delete(id);
    if (counts(id)) done.add(id);
  };

  return {
    know(nodes) {
      if (known !== undefined || nodes.length === 0) return;
      known = new Set(nodes);
      for (const id of done) if (!known.has(id)) done.delete(id);
    },
    cached(nodes) {
      for (const id of nodes) finish(id);
    },
    done: finish,
    at(node) {
      // A node at work means that the one before it is done, except where nodes run side by side: there progress_state says more.
      if (current !== undefined && current !== node && !partial.has(current)) finish(current);
      current = node;
    },
    take(frame) {
      const before = this.value();
      if (frame.kind === 'node') {
        current = frame.node;
        partial.set(frame.node, ratio(frame.value, frame.max));
      } else {
        for (const [id, state] of Object.entries(frame.nodes)) {
          if (!isFields(state)) continue;
          if (state['state'] === 'finished') finish(id);
          else if (state['state'] === 'running') {
            done.delete(id);
            partial.set(id, ratio(finite(state['value']) ?? 0, finite(state['max']) ?? 0));
            current = text(state['display_node_id']) ?? id;
          }
        }
      }
      return this.value() > before;
    },
    get node() {
      return current;
    },
    value() {
      let sum = done.size;
      for (const [id, part] of partial) if (counts(id) && !done.has(id)) sum += part;
      // Without the graph at hand (a prompt found again after a crash) the nodes seen so far, and one more, stand for it.
      const total = known?.size ?? new Set([...done, ...partial.keys()]).size + 1;
      highest = Math.max(highest, Math.min(0.999, total === 0 ? 0 : sum / total));
      return highest;
    },
  };
}

function ratio(value: number, max: number): number {
  return max > 0 && Number.isFinite(value) ? Math.min(1, Math.max(0, value / max)) : 0;
}
