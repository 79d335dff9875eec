/** Progress of one prompt over its whole graph: counts nodes by what they usually take, never falls, and reaches 1 only by finishing. */
import type { FollowOptions } from '../contract.ts';
import type { ProgressFrame } from './frames.ts';
import { finite, isFields, text } from './replies.ts';

export interface Progress {
  /** Class of each of the graph's nodes, by id; later calls win only while nothing was known. */
  know(nodes: ReadonlyMap<string, string>): void;
  /** What nodes weigh from now on. */
  weigh(weightOf: WeightOf): void;
  classOf(node: string): string | undefined;
  cached(nodes: readonly string[]): void;
  done(node: string): void;
  /** Takes a frame in; false when it says nothing new. */
  take(frame: ProgressFrame): boolean;
  at(node: string): void;
  readonly node: string | undefined;
  /** How far the node at work is by its own count, 0..1; undefined when it does not count. */
  readonly within: number | undefined;
  /** 0..0.999. */
  value(): number;
}

type WeightOf = NonNullable<FollowOptions['weightOf']>;

export function createProgress(): Progress {
  const done = new Set<string>();
  const partial = new Map<string, number>();
  let known: ReadonlyMap<string, string> | undefined;
  let weightOf: WeightOf = () => undefined;
  const weights = new Map<string, number>();
  let highest = 0;
  let current: string | undefined;

  // Nodes of an expansion count through their parent, which is in the graph.
  const counts = (id: string): boolean => known === undefined || known.has(id);
  const weight = (id: string): number => {
    const before = weights.get(id);
    if (before !== undefined) return before;
    const learned = weightOf(id, known?.get(id) ?? '');
    const value = learned !== undefined && Number.isFinite(learned) && learned > 0 ? learned : 1;
    weights.set(id, value);
    return value;
  };
  const sum = (ids: Iterable<string>): number => {
    let total = 0;
    for (const id of ids) total += weight(id);
    return total;
  };
  const finish = (id: string): void => {
    partial.delete(id);
    if (counts(id)) done.add(id);
  };

  return {
    know(nodes) {
      if (known !== undefined || nodes.size === 0) return;
      known = nodes;
      weights.clear();
      for (const id of done) if (!known.has(id)) done.delete(id);
    },
    weigh(next) {
      weightOf = next;
      weights.clear();
    },
    classOf: (node) => known?.get(node),
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
    get within() {
      return current === undefined ? undefined : partial.get(current);
    },
    value() {
      let finished = sum(done);
      for (const [id, part] of partial) if (counts(id) && !done.has(id)) finished += part * weight(id);
      // Without the graph at hand (a prompt found again after a crash) the nodes seen so far, and one more, stand for it.
      const total = known === undefined ? sum(new Set([...done, ...partial.keys()])) + 1 : sum(known.keys());
      highest = Math.max(highest, Math.min(0.999, total === 0 ? 0 : finished / total));
      return highest;
    },
  };
}

function ratio(value: number, max: number): number {
  return max > 0 && Number.isFinite(value) ? Math.min(1, Math.max(0, value / max)) : 0;
}
