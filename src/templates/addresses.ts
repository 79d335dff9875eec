/** Addresses in `set` and `outputs`: `6.text`, `"title:Positive prompt".text`, `"an.id".text`, `title:Save`. */
import type { Graph, GraphNode } from '#graph/types.ts';
import { didYouMean, closest } from '#graph/suggest.ts';

export interface NodeName {
  /** A node id, or a title. */
  readonly by: 'id' | 'title';
  readonly name: string;
}

export interface Address extends NodeName {
  readonly input: string;
}

const QUOTED = /^"((?:[^"\\]|\\.)*)"\.(.+)$/s;
const QUOTED_NODE = /^"((?:[^"\\]|\\.)*)"$/s;

/**
 * Node ids may hold colons and inputs dots (`12:3.format.codec`): the first dot outside quotes divides. An id with dots stands in
 * quotes. Undefined when no dot divides.
 */
export function parseAddress(text: string): Address | undefined {
  const quoted = QUOTED.exec(text);
  const dot = text.indexOf('.');
  if (quoted === null && (dot <= 0 || dot === text.length - 1 || text.startsWith('"'))) return undefined;
  const name = quoted === null ? text.slice(0, dot) : unquoted(quoted[1] ?? '');
  const input = quoted === null ? text.slice(dot + 1) : (quoted[2] ?? '');
  return name === '' || name === 'title:' ? undefined : { ...nodeName(name), input };
}

/** A node as `outputs` name it: an id or `title:…`, either of them in quotes or bare. */
export function parseNodeName(text: string): NodeName {
  const quoted = QUOTED_NODE.exec(text);
  return nodeName(quoted === null ? text : unquoted(quoted[1] ?? ''));
}

/** What `parseAddress` reads as this input, in quotes only where they are needed; undefined where there is none, as for an id `title:…`. */
export function addressOf(node: string, input: string): string | undefined {
  const means = (text: string): boolean => {
    const parsed = parseAddress(text);
    return parsed?.by === 'id' && parsed.name === node && parsed.input === input;
  };
  return [`${node}.${input}`, `${quote(node)}.${input}`].find(means);
}

/** As `addressOf`, for `outputs`, where `*` means every file. */
export function outputNodeName(node: string): string | undefined {
  const means = (text: string): boolean => {
    const { by, name } = parseNodeName(text);
    return text !== '*' && by === 'id' && name === node;
  };
  return node === '*' ? undefined : [node, quote(node)].find(means);
}

const nodeName = (name: string): NodeName =>
  name.startsWith('title:') ? { by: 'title', name: name.slice('title:'.length) } : { by: 'id', name };
const unquoted = (text: string): string => text.replaceAll(/\\(.)/gs, '$1');
const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;

export type FoundNode = { readonly node: GraphNode } | { readonly code: string; readonly message: string; readonly hint: string };

export function findNode(graph: Graph, { by, name }: NodeName): FoundNode {
  if (by === 'id') {
    const node = graph.nodes.get(name);
    if (node !== undefined) return { node };
    const ids = [...graph.nodes.keys()];
    const near = closest(name, ids);
    const titled = [...graph.nodes.values()].find((each) => each.title === name);
    const dotted = ids.find((id) => id.startsWith(`${name}.`));
    const all =
      near === undefined || ids.length <= 12
        ? `Nodes of the workflow: ${listed([...graph.nodes.values()])}.`
        : didYouMean(name, ids, 'nodes');
    const quoted = dotted === undefined ? all : `An id with a dot in it stands in quotes: ${JSON.stringify(quote(dotted)).slice(1, -1)}.`;
    const hint = titled === undefined ? quoted : `A node by its title is written "title:${name}".`;
    return { code: 'TEMPLATE_NODE_UNKNOWN', message: `The workflow has no node "${name}".`, hint };
  }
  const nodes = [...graph.nodes.values()].filter((each) => each.title === name);
  const [node] = nodes;
  if (node === undefined) {
    const titles = [...graph.nodes.values()].flatMap((each) => each.title ?? []);
    return {
      code: 'TEMPLATE_NODE_UNKNOWN',
      message: `The workflow has no node with the title "${name}".`,
      hint: didYouMean(name, titles, 'titles'),
    };
  }
  if (nodes.length === 1) return { node };
  const message = `${nodes.length} nodes have the title "${name}": ${nodes.map((each) => each.id).join(', ')}.`;
  return { code: 'TEMPLATE_TITLE_AMBIGUOUS', message, hint: 'Name the node by its id, or give the titles different names.' };
}

function listed(nodes: readonly GraphNode[]): string {
  const shown = nodes.slice(0, 12).map((node) => `${node.id} (${node.title ?? node.classType})`);
  return `${shown.join(', ')}${nodes.length > 12 ? ', …' : ''}`;
}
