/** States and arrows of a chart: which are active, and on which way a machine went from one state to another. */
import type { PlacedChart, PlacedEdge } from './placed-chart.ts';

/** More silent states than these do not lie between two that are told. */
const FARTHEST = 4;

export const edgeKey = ({ source, target }: Pick<PlacedEdge, 'source' | 'target'>) => `${source}>${target}`;

/** Ids of the active states, outer ones first: `executing.queued` of `step` are `step.executing` and `step.executing.queued`. */
export function activeStates(chart: PlacedChart, value: string): readonly string[] {
  const names = value.split('.');
  return names.map((_, index) => [chart.id, ...names.slice(0, index + 1)].join('.'));
}

/** A machine's value as XState gives it, with dots: `{executing: 'queued'}` is `executing.queued`. */
export function dotted(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const [entry] = Object.entries(value);
  if (entry === undefined) return '';
  const inner = dotted(entry[1]);
  return inner === '' ? entry[0] : `${entry[0]}.${inner}`;
}

/** Arrows on the shortest way between two states, in order; none where there is no way, or no move. */
export function wayBetween(chart: PlacedChart, from: string, to: string): readonly string[] {
  const [start, end] = [`${chart.id}.${from}`, `${chart.id}.${to}`];
  if (start === end) return [];
  let ends: readonly { readonly leaf: string; readonly way: readonly string[] }[] = [{ leaf: start, way: [] }];
  const seen = new Set([start]);
  for (let steps = 0; steps < FARTHEST; steps += 1) {
    const next: { readonly leaf: string; readonly way: readonly string[] }[] = [];
    for (const { leaf, way } of ends) {
      for (const edge of chart.edges) {
        if (edge.source !== leaf && !leaf.startsWith(`${edge.source}.`)) continue;
        const reached = { leaf: leafOf(chart, edge.target), way: [...way, edgeKey(edge)] };
        if (reached.leaf === end) return reached.way;
        if (seen.has(reached.leaf)) continue;
        seen.add(reached.leaf);
        next.push(reached);
      }
    }
    ends = next;
  }
  return [];
}

/** The state in which a machine begins. */
export function initialState({ id, nodes }: PlacedChart): string {
  const first = nodes.find(({ parent, isInitial }) => parent === null && isInitial);
  return first === undefined ? '' : leafOf({ id, nodes }, first.id).slice(id.length + 1);
}

// --- helpers ---

/** Entering a state with states in it enters its initial one. */
function leafOf(chart: Pick<PlacedChart, 'id' | 'nodes'>, id: string): string {
  const initial = chart.nodes.find((node) => node.parent === id && node.isInitial);
  return initial === undefined ? id : leafOf(chart, initial.id);
}
