/** Ids of nodes inside subgraphs, made unique over the whole file as the front end does on loading. */
import { member } from '../json.ts';
import type { Report } from './report.ts';
import type { UiGraph, UiNode, UiWorkflow } from './shapes.ts';

/** New ids of a definition's nodes by their old ones; legacy proxy widgets still name the old. */
export type RenamedNodes = ReadonlyMap<UiGraph, ReadonlyMap<string, string>>;

/**
 * Front ends up to 1.4x wrote definitions whose inner ids collide with ids outside; the current one counts on from the last
 * id that the file says was used or that it has met in a definition. Ids that are texts are left alone. Two nodes of one graph with the same id are an error here: which of them a link means cannot be known.
 */
export function makeIdsUnique(workflow: UiWorkflow, report: Report): RenamedNodes {
  const used = new Set(workflow.root.nodes.filter(isNumbered).map((node) => node.id));
  reportTwins(workflow.root, report);
  let last = Number.isSafeInteger(workflow.lastNodeId) && workflow.lastNodeId < MAX_ID ? workflow.lastNodeId : highest(used);
  const renamed = new Map<UiGraph, Map<string, string>>();
  for (const graph of workflow.subgraphs.values()) {
    reportTwins(graph, report);
    const names = new Map<string, string>();
    for (const node of graph.nodes) {
      if (!isNumbered(node)) continue;
      if (!used.has(node.id)) {
        used.add(node.id);
        const id = Number(node.id);
        if (Number.isSafeInteger(id) && id < MAX_ID) last = Math.max(last, id);
        continue;
      }
      do last += 1;
      while (used.has(String(last)));
      names.set(node.id, String(last));
      used.add(String(last));
      node.id = String(last);
    }
    if (names.size === 0) continue;
    renamed.set(graph, names);
    for (const link of graph.links.values()) {
      link.origin = names.get(link.origin) ?? link.origin;
      link.target = names.get(link.target) ?? link.target;
    }
  }
  return renamed;
}

const MAX_ID = 100_000_000;

const isNumbered = ({ at }: UiNode): boolean => member(at, 'id')?.kind === 'number';

function highest(ids: ReadonlySet<string>): number {
  let top = 0;
  for (const id of ids) {
    const value = Number(id);
    if (Number.isSafeInteger(value) && value > top && value < MAX_ID) top = value;
  }
  return top;
}

function reportTwins(graph: UiGraph, report: Report): void {
  const seen = new Map<string, UiNode>();
  for (const node of graph.nodes) {
    const first = seen.get(node.id);
    if (first === undefined) {
      seen.set(node.id, node);
      continue;
    }
    report.add({
      code: 'CONVERT_NODE_DUPLICATE',
      severity: 'error',
      message: `Two nodes have the id ${node.id}: "${first.type}" and "${node.type}".`,
      hint: 'Open the workflow in ComfyUI and save it again, or give one of them another id.',
      at: node.at,
      node: node.id,
    });
  }
  graph.nodes.splice(0, graph.nodes.length, ...seen.values());
}
