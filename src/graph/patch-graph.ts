/** Changes the structure of a graph: nodes put between others, replaced, bypassed. The graph itself stays; a new text comes out. */
import { passedOn } from './bypass.ts';
import { nameNode } from './names.ts';
import type { ObjectInfo } from './node-classes.ts';
import { inputsOf } from './node-inputs.ts';
import { type AddedNode, type GraphEdit, printStructure } from './print-graph.ts';
import type { Graph, GraphLink, GraphNode } from './types.ts';

/** A node that is put in. */
export interface NewNode {
  readonly id: string;
  readonly classType: string;
  readonly title: string;
  readonly inputs: readonly (readonly [name: string, value: GraphLink | { readonly json: string }])[];
}

/** Whoever takes the first output takes the second one instead. */
export interface Rewiring {
  readonly from: GraphLink;
  readonly to: GraphLink;
}

export type GraphPatch =
  /** New nodes behind `after`; their own links are left as they are given. */
  | { readonly kind: 'insert'; readonly after: string; readonly nodes: readonly NewNode[]; readonly rewire: readonly Rewiring[] }
  /** New nodes in place of `node`. */
  | { readonly kind: 'swap'; readonly node: string; readonly nodes: readonly NewNode[]; readonly rewire: readonly Rewiring[] }
  | { readonly kind: 'bypass'; readonly node: string };

/** Why a patch cannot be made as it was asked for. */
export interface PatchFinding {
  readonly patch: GraphPatch;
  readonly node: string;
  readonly message: string;
  readonly hint: string;
}

export interface PatchedGraph {
  readonly text: string;
  /** Nodes that are gone because nothing takes what they give any more. */
  readonly idle: readonly string[];
  readonly findings: readonly PatchFinding[];
}

interface Draft {
  readonly original: GraphNode | undefined;
  readonly classType: string;
  readonly links: Map<string, GraphLink>;
}

/**
 * Insertions come first, the one written first nearest to its loader; then what is swapped; then all bypasses at once. So a
 * stack behind a loader stays behind whatever is swapped in for it, and the order of the list never decides about anything else.
 * A node that is bypassed is not swapped as well, and of several swaps of one node the first counts. A node that fed only what
 * was taken out is left out too, unless it is an output itself or in `keep`.
 */
export function patchGraph(graph: Graph, patches: readonly GraphPatch[], info: ObjectInfo, keep: ReadonlySet<string>): PatchedGraph {
  if (patches.length === 0) return { text: graph.text, idle: [], findings: [] };
  const nodes = new Map<string, Draft>();
  for (const node of graph.nodes.values()) nodes.set(node.id, draftOf(node));
  const added = new Map<string, AddedDraft[]>();
  const put = (at: string, news: readonly NewNode[], first: boolean): void => {
    const drafts = news.map((node): AddedDraft => ({ node, draft: newDraft(node) }));
    for (const { node, draft } of drafts) nodes.set(node.id, draft);
    const others = added.get(at) ?? [];
    added.set(at, first ? [...drafts, ...others] : [...others, ...drafts]);
  };
  for (const patch of patches.toReversed()) {
    if (patch.kind !== 'insert') continue;
    rewire(nodes, patch.rewire);
    put(patch.after, patch.nodes, true);
  }
  const bypassed = new Map(patches.flatMap((patch) => (patch.kind === 'bypass' ? [[patch.node, patch] as const] : [])));
  const swapped = new Map<string, Swap>();
  for (const patch of patches) {
    if (patch.kind !== 'swap' || bypassed.has(patch.node) || swapped.has(patch.node)) continue;
    swapped.set(patch.node, patch);
    put(patch.node, patch.nodes, true);
  }
  // What comes in may be linked to what another swap takes out.
  for (const patch of swapped.values()) rewire(nodes, patch.rewire);
  const findings: PatchFinding[] = [];
  const gone = new Set([...swapped.keys(), ...bypassed.keys()]);
  const before = sourcesOf(graph.nodes.values());
  for (const [id, draft] of nodes) {
    if (gone.has(id)) continue;
    lead(graph, nodes, info, id, draft, bypassed, findings);
    cutLoose(id, draft, swapped, findings);
  }
  for (const id of gone) nodes.delete(id);
  const idle = removeIdle(nodes, before, info, keep);
  return { text: print(graph, nodes, added), idle, findings };
}

interface AddedDraft {
  readonly node: NewNode;
  readonly draft: Draft;
}

function draftOf(node: GraphNode): Draft {
  const links = new Map<string, GraphLink>();
  for (const { name, link } of node.inputs.values()) if (link !== undefined) links.set(name, link);
  return { original: node, classType: node.classType, links };
}

function newDraft({ classType, inputs }: NewNode): Draft {
  const links = new Map(inputs.flatMap(([name, value]) => ('json' in value ? [] : [[name, value] as const])));
  return { original: undefined, classType, links };
}

function rewire(nodes: ReadonlyMap<string, Draft>, rewiring: readonly Rewiring[]): void {
  const targets = new Map(rewiring.map(({ from, to }) => [keyOf(from), to]));
  for (const { links } of nodes.values()) {
    for (const [name, link] of links) {
      const to = targets.get(keyOf(link));
      if (to !== undefined) links.set(name, to);
    }
  }
}

const keyOf = ({ node, slot }: GraphLink): string => `${slot} ${node}`;

type Bypass = Extract<GraphPatch, { kind: 'bypass' }>;
type Swap = Extract<GraphPatch, { kind: 'swap' }>;

/** Only nodes that patches put in can be linked to an output of a swapped node that the swap does not speak of. */
function cutLoose(id: string, { links, classType }: Draft, swapped: ReadonlyMap<string, Swap>, findings: PatchFinding[]): void {
  for (const [name, { node, slot }] of links) {
    const patch = swapped.get(node);
    if (patch === undefined) continue;
    links.delete(name);
    const message = `Output ${slot} of node ${node} goes into input "${name}" of node ${id} (${classType}), and the swap of node ${node} does not say which node gives it.`;
    findings.push({ patch, node, message, hint: `Add "${slot}" to "outputs" of the swap.` });
  }
}

/** Links of one node that come from bypassed ones lead to what those pass on; where they pass on nothing, the input is left out. */
function lead(
  graph: Graph,
  nodes: ReadonlyMap<string, Draft>,
  info: ObjectInfo,
  id: string,
  draft: Draft,
  bypassed: ReadonlyMap<string, Bypass>,
  findings: PatchFinding[],
): void {
  const { links, original, classType } = draft;
  for (const [name, link] of links) {
    if (!bypassed.has(link.node)) continue;
    const nodeClass = info.classes.get(classType);
    const specs = nodeClass === undefined ? undefined : original === undefined ? nodeClass.inputs : inputsOf(nodeClass, original);
    const spec = specs?.get(name);
    const found = follow(graph, nodes, info, link, spec?.type, bypassed);
    if ('link' in found) links.set(name, found.link);
    else {
      links.delete(name);
      if (spec?.required === false && found.certain) continue;
      const user = original === undefined ? `node ${id} (${classType})` : lower(nameNode(original));
      const message = `${found.who} cannot be bypassed: its output ${found.slot} goes into input "${name}" of ${user}, and ${found.why}.`;
      findings.push({ patch: found.patch, node: found.patch.node, message, hint: found.hint });
    }
  }
}

const lower = (text: string): string => text.replace(/^Node/, 'node');

interface DeadEnd {
  readonly patch: Bypass;
  readonly who: string;
  readonly slot: number;
  readonly why: string;
  readonly hint: string;
  /** The classes are known, so that an optional input can do without. */
  readonly certain: boolean;
}

function follow(
  graph: Graph,
  nodes: ReadonlyMap<string, Draft>,
  info: ObjectInfo,
  start: GraphLink,
  type: string | undefined,
  bypassed: ReadonlyMap<string, Bypass>,
): { readonly link: GraphLink } | DeadEnd {
  let link = start;
  // A graph without circles leads on to another node each time.
  for (let left = bypassed.size; ; left -= 1) {
    const patch = bypassed.get(link.node);
    const node = graph.nodes.get(link.node);
    if (patch === undefined || node === undefined) return { link };
    const nodeClass = info.classes.get(node.classType);
    const { slot } = link;
    const dead = { patch, who: nameNode(node), slot };
    const hint = 'Swap the node for one that gives the same, or bypass what takes its output as well.';
    if (nodeClass === undefined) {
      const why = `the server does not have its class, so that nobody knows what it could pass on`;
      return { ...dead, why, hint: 'Install the node pack that brings the class on the backend.', certain: false };
    }
    const wanted = type ?? nodeClass.outputs[slot]?.type ?? '*';
    const name = passedOn(node, nodeClass, slot, wanted);
    if (name === undefined) return { ...dead, why: `it has no input of type ${wanted} that could take its place`, hint, certain: true };
    const next = nodes.get(link.node)?.links.get(name);
    if (next === undefined || left === 0) {
      const why = `its input "${name}", which would take its place, is not linked`;
      return { ...dead, why, hint: `Link input "${name}" of node ${node.id}, or swap the node.`, certain: true };
    }
    link = next;
  }
}

function sourcesOf(nodes: Iterable<GraphNode>): Set<string> {
  const sources = new Set<string>();
  for (const node of nodes) for (const { link } of node.inputs.values()) if (link !== undefined) sources.add(link.node);
  return sources;
}

/** Nodes that something took from before and nothing takes from now. */
function removeIdle(nodes: Map<string, Draft>, before: ReadonlySet<string>, info: ObjectInfo, keep: ReadonlySet<string>): string[] {
  const takers = new Map<string, number>();
  const count = (draft: Draft, by: number): string[] =>
    [...draft.links.values()].map(({ node }) => {
      takers.set(node, (takers.get(node) ?? 0) + by);
      return node;
    });
  for (const draft of nodes.values()) count(draft, 1);
  const idle: string[] = [];
  const open = [...nodes.keys()];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const draft = nodes.get(id);
    const nodeClass = draft === undefined ? undefined : info.classes.get(draft.classType);
    if (draft === undefined || nodeClass === undefined || (takers.get(id) ?? 0) > 0 || keep.has(id)) continue;
    if (nodeClass.outputNode || nodeClass.intermediateOutput) continue;
    if (draft.original !== undefined && !before.has(id)) continue;
    nodes.delete(id);
    if (draft.original !== undefined) idle.push(id);
    open.push(...count(draft, -1));
  }
  return idle.toReversed();
}

function print(graph: Graph, nodes: ReadonlyMap<string, Draft>, added: ReadonlyMap<string, readonly AddedDraft[]>): string {
  const edits: GraphEdit[] = [];
  const removedNodes = new Set<string>();
  const removedInputs = new Map<string, Set<string>>();
  for (const node of graph.nodes.values()) {
    const draft = nodes.get(node.id);
    if (draft === undefined) {
      removedNodes.add(node.id);
      continue;
    }
    for (const { name, link } of node.inputs.values()) {
      if (link === undefined) continue;
      const now = draft.links.get(name);
      if (now === undefined) removedInputs.set(node.id, (removedInputs.get(node.id) ?? new Set()).add(name));
      else if (keyOf(now) !== keyOf(link)) edits.push({ node: node.id, input: name, json: linkText(now) });
    }
  }
  const inserted = [...added].flatMap(([at, list]) => {
    const kept = list.filter(({ node }) => nodes.has(node.id)).map(printable);
    return kept.length === 0 ? [] : [[at, kept] as const];
  });
  return printStructure(graph, edits, { removedNodes, removedInputs, added: new Map(inserted) });
}

function printable({ node, draft }: AddedDraft): AddedNode {
  const inputs = node.inputs.flatMap(([name, value]) => {
    if ('json' in value) return [[name, value.json] as const];
    const link = draft.links.get(name);
    return link === undefined ? [] : [[name, linkText(link)] as const];
  });
  return { id: node.id, classType: node.classType, title: node.title, inputs };
}

const linkText = ({ node, slot }: GraphLink): string => `[${JSON.stringify(node)}, ${slot}]`;
