/** The optimiser: passes over one graph until none finds anything more. Pure: the same graph, object info and wishes give the same text. */
import { PASSES } from '#protocol/views.ts';
import { findCycles } from '../cycles.ts';
import { nameNode } from '../names.ts';
import type { ObjectInfo } from '../node-classes.ts';
import type { Graph } from '../types.ts';
import { Draft } from './draft.ts';
import { seesGraph } from './known-classes.ts';
import { GRAPH_PASSES } from './passes.ts';
import { findRoots, type Roots } from './roots.ts';
import type { Optimised, OptimiseOptions, Pass, PassSaving } from './types.ts';

export type { Optimised, OptimiseOptions, PassSaving } from './types.ts';

/** `passes` for tests: some of them alone. */
export function optimise(graph: Graph, options: OptimiseOptions, passes: readonly Pass[] = GRAPH_PASSES): Optimised {
  const wanted = new Set(options.outputNodes);
  const untouched: Optimised = { text: graph.text, outputNodes: options.outputNodes, savings: [] };
  const roots = findRoots(graph, options.info, wanted);
  const leftAlone = reasonToLeave(graph, options.info, roots);
  if (leftAlone !== undefined) return { ...untouched, leftAlone };
  const draft = new Draft(graph, options.info, roots);
  const savings: PassSaving[] = [];
  for (let before = -1; before !== draft.changes;) {
    before = draft.changes;
    for (const pass of passes) savings.push(...pass.run(draft).map((found) => ({ pass: pass.name, ...found })));
  }
  if (draft.changes === 0) return untouched;
  const merged = mergeSavings(savings);
  const gives = standIns(merged);
  return { text: draft.print(), outputNodes: [...new Set(options.outputNodes.map((id) => gives(id)))], savings: merged };
}

// --- helpers ---

function reasonToLeave(graph: Graph, info: ObjectInfo, { outputs, used }: Roots): string | undefined {
  if (graph.nodes.size < graph.root.members.length) return 'Some entries of the graph cannot be read.';
  if (outputs === 0) return 'No node of the graph is an output.';
  if (findCycles(graph).length > 0) return 'The graph has a circle.';
  for (const node of graph.nodes.values()) {
    if (!used.has(node.id)) continue;
    const nodeClass = info.classes.get(node.classType);
    if (nodeClass !== undefined && seesGraph(nodeClass)) return `${nameNode(node)} is handed the whole graph and may read any of it.`;
  }
  return undefined;
}

/** What one pass found for one reason is one saving, in whatever round. */
function mergeSavings(savings: readonly PassSaving[]): readonly PassSaving[] {
  const merged = new Map<string, PassSaving>();
  for (const saving of savings) {
    const key = JSON.stringify([saving.pass, saving.why]);
    const before = merged.get(key);
    merged.set(key, before === undefined ? saving : { ...before, nodes: [...before.nodes, ...saving.nodes] });
  }
  return [...merged.values()].toSorted((a, b) => PASSES.indexOf(a.pass) - PASSES.indexOf(b.pass));
}

/** Who gives the result of a node now, also where one stand-in was merged into another later. */
function standIns(savings: readonly PassSaving[]): (id: string) => string {
  const into = new Map(savings.flatMap(({ nodes }) => nodes.flatMap(({ id, into: to }) => (to === undefined ? [] : [[id, to] as const]))));
  return (id) => {
    let at = id;
    for (let next = into.get(at); next !== undefined; next = into.get(at)) at = next;
    return at;
  };
}
