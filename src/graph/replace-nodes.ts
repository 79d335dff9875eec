/** Brings a graph to the node classes that a server has: classes renamed, inputs mapped, links led to the right outputs. Ids, titles and order stay. */
import { parseGraph } from './graph.ts';
import { memberOf } from './json.ts';
import type { ObjectInfo } from './node-classes.ts';
import { inputsOf } from './node-inputs.ts';
import { replacementOf } from './replacements.ts';
import { removeMembers, rewrite, type Rewritten, type Splice } from './rewrite.ts';
import type { Graph, GraphInput, GraphNode, JsonMember, NodeReplacement } from './types.ts';
import { printJson } from './values.ts';

export interface ReplacedNode {
  readonly id: string;
  /** As it was. */
  readonly node: GraphNode;
  readonly replacement: NodeReplacement;
  /** Names that an input of the old class has in the new one; none when it has no place there. */
  readonly namesOf: (input: string) => readonly string[];
  /** Inputs of the old node that are left out, or stand under their name with another value. */
  readonly dropped: readonly string[];
  /** What the replacement sets, and required inputs of the new class that were given its defaults; JSON texts by input. */
  readonly set: ReadonlyMap<string, string>;
  readonly filled: ReadonlyMap<string, string>;
}

export interface Replaced extends Rewritten {
  readonly graph: Graph;
  readonly nodes: readonly ReplacedNode[];
}

/** Inputs that get their value later: no default is put there. */
export type Written = (node: string, input: string) => boolean;

/** Undefined when nothing is to be replaced. */
export function replaceNodes(graph: Graph, info: ObjectInfo, written: Written = () => false): Replaced | undefined {
  const { splices, nodes } = planReplacements(graph, info, { written });
  if (nodes.length === 0) return undefined;
  const rewritten = rewrite(graph.text, splices);
  const made = parseGraph(rewritten.text).graph;
  return made === undefined ? undefined : { ...rewritten, graph: made, nodes };
}

/**
 * What of the text changes. The nodes may lie anywhere in it; `around` are replacements of nodes by ids that are none of these and
 * that they may be linked to.
 */
export function planReplacements(
  graph: Pick<Graph, 'text' | 'nodes'>,
  info: ObjectInfo,
  {
    written = () => false,
    around = new Map(),
  }: { readonly written?: Written; readonly around?: ReadonlyMap<string, NodeReplacement> } = {},
): { readonly splices: readonly Splice[]; readonly nodes: readonly ReplacedNode[] } {
  const replacements = new Map(around);
  for (const node of graph.nodes.values()) {
    const replacement = replacementOf(node.classType, info);
    if (replacement === undefined) replacements.delete(node.id);
    else replacements.set(node.id, replacement);
  }
  const nodes: ReplacedNode[] = [];
  const splices: Splice[] = [];
  if (replacements.size === 0) return { splices, nodes };
  for (const node of graph.nodes.values()) {
    const replacement = replacements.get(node.id);
    splices.push(...leadLinks(node, replacements));
    if (replacement === undefined) continue;
    const { edits, replaced } = replaceOne(graph, node, replacement, { info, written, replacements });
    splices.push(...edits);
    nodes.push(replaced);
  }
  return { splices, nodes };
}

/** The number that an output of the old class has in the new one. */
export function slotIn(replacement: NodeReplacement | undefined, slot: number): number {
  return replacement?.outputs?.get(slot) ?? slot;
}

/** What an input of the old class is called in the new one. */
function namesIn({ inputs }: NodeReplacement, input: string): readonly string[] {
  return inputs?.flatMap((mapping) => ('from' in mapping && mapping.from === input ? [mapping.to] : [])) ?? [input];
}

/** Slot numbers of links that come from replaced nodes. */
function leadLinks(node: GraphNode, replacements: ReadonlyMap<string, NodeReplacement>): Splice[] {
  const own = replacements.get(node.id);
  return [...node.inputs.values()].flatMap(({ name, value, link }) => {
    if (own !== undefined && namesIn(own, name).length === 0) return [];
    const slot = link === undefined ? undefined : replacements.get(link.node)?.outputs?.get(link.slot);
    const at = value.kind === 'array' ? value.items[1] : undefined;
    return slot === undefined || at === undefined || slot === link?.slot ? [] : [{ start: at.start, end: at.end, parts: [String(slot)] }];
  });
}

interface Context {
  readonly info: ObjectInfo;
  readonly written: Written;
  readonly replacements: ReadonlyMap<string, NodeReplacement>;
}

function replaceOne(
  graph: Pick<Graph, 'text'>,
  node: GraphNode,
  replacement: NodeReplacement,
  { info, written, replacements }: Context,
): { readonly edits: readonly Splice[]; readonly replaced: ReplacedNode } {
  const edits: Splice[] = [];
  const classAt = memberOf(node.at, 'class_type')?.value;
  if (classAt !== undefined) edits.push({ start: classAt.start, end: classAt.end, parts: [JSON.stringify(replacement.to)] });
  const mappings = replacement.inputs;
  const namesOf = (input: string): readonly string[] => namesIn(replacement, input);
  const dropped: string[] = [];
  const added: (readonly [name: string, json: string])[] = [];
  const present = new Set<string>();
  const leaving = new Set<JsonMember>();
  for (const input of node.inputs.values()) {
    const [name, ...copies] = namesOf(input.name);
    const member = memberOf(node.inputsAt, input.name);
    if (member === undefined) continue;
    if (name === undefined) {
      dropped.push(input.name);
      leaving.add(member);
      continue;
    }
    present.add(name);
    if (name !== input.name) edits.push({ start: member.key.start, end: member.key.end, parts: [JSON.stringify(name)] });
    for (const copy of copies) {
      added.push([copy, textOf(graph, input, replacements)]);
      present.add(copy);
    }
  }
  const set = new Map<string, string>();
  for (const mapping of mappings ?? []) {
    if (!('value' in mapping) || present.has(mapping.to)) continue;
    set.set(mapping.to, printJson(mapping.value));
    present.add(mapping.to);
  }
  const filled = new Map(defaultsOf(node, replacement, info, present).filter(([name]) => !written(node.id, name)));
  added.push(...set, ...filled);
  edits.push(...removeMembers(node.inputsAt, leaving), ...insert(graph, node, leaving, added));
  return { edits, replaced: { id: node.id, node, replacement, namesOf, dropped, set, filled } };
}

function textOf(graph: Pick<Graph, 'text'>, { value, link }: GraphInput, replacements: Context['replacements']): string {
  const slot = link === undefined ? undefined : replacements.get(link.node)?.outputs?.get(link.slot);
  return link === undefined || slot === undefined ? graph.text.slice(value.start, value.end) : printJson([link.node, slot]);
}

/** Required inputs of the new class that nothing gave a value, where the class has a default. */
function defaultsOf(node: GraphNode, { to }: NodeReplacement, info: ObjectInfo, present: ReadonlySet<string>): [string, string][] {
  const nodeClass = info.classes.get(to);
  if (nodeClass === undefined) return [];
  return [...inputsOf(nodeClass, node).values()].flatMap(({ name, required, options }): [string, string][] => {
    const value = options['default'];
    return !required || present.has(name) || value === undefined ? [] : [[name, printJson(value)]];
  });
}

/** Behind the last input that stays, spaced as it is. */
function insert(
  { text }: Pick<Graph, 'text'>,
  { inputsAt }: GraphNode,
  leaving: ReadonlySet<JsonMember>,
  added: readonly (readonly [string, string])[],
): Splice[] {
  if (added.length === 0) return [];
  const last = inputsAt.members.findLast((member) => !leaving.has(member));
  const colon = last === undefined ? ': ' : text.slice(last.key.end, last.value.start);
  const items = added.map(([name, json]) => `${JSON.stringify(name)}${colon}${json}`);
  if (last === undefined) return [{ start: inputsAt.start + 1, end: inputsAt.start + 1, parts: [items.join(', ')] }];
  const index = inputsAt.members.indexOf(last);
  const before = inputsAt.members[index - 1]?.value.end ?? inputsAt.start;
  const lead = text.slice(before, last.key.start).replace(/^[\s\S]*[,{]/, '') || (colon.endsWith(' ') ? ' ' : '');
  return [{ start: last.value.end, end: last.value.end, parts: items.map((item) => `,${lead}${item}`) }];
}
