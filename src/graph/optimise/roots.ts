/** Which nodes a graph is run for: they stay, and so does what feeds them. */
import type { ObjectInfo } from '../node-classes.ts';
import type { Graph, GraphNode } from '../types.ts';
import { isCore, MEDIA_SAVERS, PREVIEWS } from './known-classes.ts';

export interface Roots {
  /** Never removed by itself: what is wanted, and everything that may have an effect of its own. */
  readonly kept: ReadonlySet<string>;
  /** Previews that nobody looks at. */
  readonly previews: ReadonlySet<string>;
  /** Savers whose files no output names. */
  readonly savers: ReadonlySet<string>;
  /** How many output nodes the graph has. */
  readonly outputs: number;
  /** What the server would execute. */
  readonly used: ReadonlySet<string>;
}

/** `wanted` are the nodes whose files the step declares; empty means every file. */
export function findRoots(graph: Graph, info: ObjectInfo, wanted: ReadonlySet<string>): Roots {
  const outputs = [...graph.nodes.values()].filter(({ classType }) => info.classes.get(classType)?.outputNode !== false);
  const used = feedersOf(graph, outputs);
  const previews = new Set<string>();
  const savers = new Set<string>();
  for (const node of outputs) {
    if (wanted.has(node.id)) continue;
    if (isIdlePreview(node, info, wanted)) previews.add(node.id);
    else if (wanted.size > 0 && isOwnSaver(node, info)) savers.add(node.id);
  }
  const left = outputs.filter(({ id }) => !previews.has(id) && !savers.has(id));
  // A graph without any output is refused by the server: then it is sent as it is, and refused for what it is.
  if (left.length === 0) {
    const kept = new Set([...outputs.map(({ id }) => id), ...wanted]);
    return { kept, previews: new Set(), savers: new Set(), outputs: outputs.length, used };
  }
  const kept = new Set([...left.map(({ id }) => id), ...wanted]);
  // What nodes show in passing is a result too, where everything is wanted.
  if (wanted.size === 0) {
    for (const { id, classType } of graph.nodes.values())
      if (used.has(id) && info.classes.get(classType)?.intermediateOutput === true) kept.add(id);
  }
  return { kept, previews, savers, outputs: outputs.length, used };
}

// --- helpers ---

/** A temporary file counts only when an output names its node; a text counts as soon as everything is wanted. */
function isIdlePreview({ classType }: GraphNode, info: ObjectInfo, wanted: ReadonlySet<string>): boolean {
  const nodeClass = info.classes.get(classType);
  const shown = PREVIEWS.get(classType);
  if (nodeClass === undefined || shown === undefined || !isCore(nodeClass)) return false;
  return shown === 'picture' || wanted.size > 0;
}

/** Its prefix is in the graph, so that its files lie in the attempt's own folder; one that is made up while it runs may lead anywhere. */
function isOwnSaver({ classType, inputs }: GraphNode, info: ObjectInfo): boolean {
  const nodeClass = info.classes.get(classType);
  if (nodeClass === undefined || !MEDIA_SAVERS.has(classType) || !isCore(nodeClass)) return false;
  return inputs.get('filename_prefix')?.value.kind === 'string';
}

function feedersOf(graph: Graph, from: readonly GraphNode[]): Set<string> {
  const found = new Set<string>();
  const open = [...from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node.id)) continue;
    found.add(node.id);
    for (const { link } of node.inputs.values()) {
      const source = link === undefined ? undefined : graph.nodes.get(link.node);
      if (source !== undefined) open.push(source);
    }
  }
  return found;
}
