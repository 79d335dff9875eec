/** Whether a graph, computed twice, gives the same: decided by its classes, so that nothing random is ever taken for a result. Pure. */
import { isCustom } from '../links.ts';
import type { NodeClass, ObjectInfo } from '../node-classes.ts';
import { nameNode } from '../names.ts';
import type { Graph, GraphNode } from '../types.ts';
import { ancestorsOf } from './ancestors.ts';
import { REPEATING_CLASSES, SANDBOX_CLASSES, SAVER_CLASSES } from './core-classes.ts';

/** Why a graph does not repeat itself, as a sentence for people. */
export interface Obstacle {
  readonly node: string;
  readonly classType: string;
  readonly why: string;
}

export interface RepeatOptions {
  /** Nodes whose files are wanted; empty: all. */
  readonly outputNodes: readonly string[];
  /** The author of the template vouches for classes that nobody here knows (`"cache": true`). */
  readonly vouched: boolean;
}

/**
 * Undefined when the wanted nodes and everything they depend on give the same for the same inputs.
 *
 * The rule: classes of ComfyUI's own count when their source was read (core-classes.ts). Object info says neither `IS_CHANGED` nor
 * `NOT_IDEMPOTENT`, and a custom node without a single suspicious input may roll dice, read a clock or a file, or ask the network: nothing
 * that a server says of it tells. So a class that is not known does not repeat itself, until the author of the template says that it does.
 * What is paid for elsewhere (API nodes) and what is never saved (SaveImageWebsocket) stays out even then.
 */
export function obstacleTo(graph: Graph, info: ObjectInfo, { outputNodes, vouched }: RepeatOptions): Obstacle | undefined {
  const wanted = new Set(outputNodes.length === 0 ? graph.nodes.keys() : outputNodes);
  const needed = ancestorsOf(graph, wanted);
  for (const node of graph.nodes.values()) {
    const nodeClass = info.classes.get(node.classType);
    const why = needed.has(node.id) ? obstacleIn(node, nodeClass, vouched) : sideEffect(node, nodeClass, vouched);
    if (why !== undefined) return { node: node.id, classType: node.classType, why: `${nameNode(node)} ${why}` };
  }
  return undefined;
}

/** True for a class of the server's own that is known to repeat itself. */
export function repeats({ name, pythonModule }: Pick<NodeClass, 'name' | 'pythonModule'>): boolean {
  if (SANDBOX_CLASSES.has(name)) return pythonModule === 'custom_nodes.callsheet_sandbox';
  return REPEATING_CLASSES.has(name) && !isOfOthers(pythonModule);
}

// --- helpers ---

/** These give no file that could be kept, whoever vouches for them. */
const NEVER_KEPT = new Set(['SaveImageWebsocket']);

function obstacleIn({ classType }: GraphNode, nodeClass: NodeClass | undefined, vouched: boolean): string | undefined {
  if (nodeClass === undefined) return 'is of a class that the server does not describe.';
  if (NEVER_KEPT.has(classType)) return 'gives its result to the socket alone.';
  if (isRemote(nodeClass)) return 'has its work done elsewhere, where nobody can say that it is the same again.';
  if (repeats(nodeClass) || vouched) return undefined;
  return isCustom(nodeClass)
    ? 'is of a custom class, which may give something else each time.'
    : 'is of a class that is not known to give the same each time.';
}

/** What is executed besides, for something else than the wanted files. */
function sideEffect({ classType }: GraphNode, nodeClass: NodeClass | undefined, vouched: boolean): string | undefined {
  if (nodeClass?.outputNode === false || (SAVER_CLASSES.has(classType) && !isOfOthers(nodeClass?.pythonModule))) return undefined;
  if (vouched && nodeClass !== undefined && !isRemote(nodeClass)) return undefined;
  return 'is an output that may do more than give a file.';
}

function isRemote({ pythonModule, apiNode = false }: NodeClass): boolean {
  return apiNode || (pythonModule?.startsWith('comfy_api_nodes') ?? false);
}

/** A pack may bring a class of its own under a name of ComfyUI's. */
function isOfOthers(pythonModule: string | undefined): boolean {
  return pythonModule !== undefined && pythonModule !== 'nodes' && !pythonModule.startsWith('comfy_extras');
}
