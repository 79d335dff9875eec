/** Addresses in `set` and `outputs`: `6.text`, `"title:Positive prompt".text`, `title:Save`. */
import type { Graph, GraphNode } from '#graph/types.ts';
import { didYouMean, nearest } from './suggest.ts';

export interface Address {
  /** A node id, or a title. */
  readonly by: 'id' | 'title';
  readonly name: string;
  readonly input: string;
}

const QUOTED = /^"((?:[^"\\]|\\.)*)"\.(.+)$/s;

/** Node ids may hold colons and inputs dots (`12:3.format.codec`): the first dot outside quotes divides. Undefined when there is none. */
export function parseAddress(text: string): Address | undefined {
  const quoted = QUOTED.exec(text);
  const dot = text.indexOf('.');
  if (quoted === null && (dot <= 0 || dot === text.length - 1 || text.startsWith('"'))) return undefined;
  const name = quoted === null ? text.slice(0, dot) : (quoted[1] ?? '').replaceAll(/\\(.)/g, '$1');
  const input = quoted === null ? text.slice(dot + 1) : (quoted[2] ?? '');
  if (name === '' || name === 'title:') return undefined;
  return name.startsWith('title:') ? { by: 'title', name: name.slice('title:'.length), input } : { by: 'id', name, input };
}

export type FoundNode = { readonly node: GraphNode } | { readonly code: string; readonly message: string; readonly hint: string };

export function findNode(graph: Graph, by: 'id' | 'title', name: string): FoundNode {
  if (by === 'id') {
    const node = graph.nodes.get(name);
    if (node !== undefined) return { node };
    const ids = [...graph.nodes.keys()];
    const near = nearest(name, ids);
    const titled = [...graph.nodes.values()].find((each) => each.title === name);
    const hint =
      titled === undefined
        ? near === undefined || ids.length <= 12
          ? `Nodes of the workflow: ${listed([...graph.nodes.values()])}.`
          : didYouMean(name, ids, 'nodes')
        : `A node by its title is written "title:${name}".`;
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
