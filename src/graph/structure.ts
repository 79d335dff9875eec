/** What can be wrong with a graph whatever server runs it: links that lead nowhere, broken slots, circles, emptiness. */
import type { Problem } from '#protocol/problem.ts';
import { findCycles } from './cycles.ts';
import { createLineIndex, pointerOf } from './json.ts';
import { nameId, nameInput } from './names.ts';
import { createSuggester } from './suggest.ts';
import type { Suggester } from './suggest.ts';
import type { Finding, Graph, GraphInput, GraphNode, JsonArray } from './types.ts';

/** All findings, in the order of the text, circles last. Never throws. */
export function checkStructure(graph: Graph, options: { readonly file?: string } = {}): Problem[] {
  const where = options.file === undefined ? {} : { file: options.file };
  const lines = createLineIndex(graph.text);
  if (graph.root.members.length === 0) {
    const place = lines.positionOf(graph.root.start);
    const hint = 'Export the workflow again; in ComfyUI muted and bypassed nodes are left out of an export.';
    return [{ code: 'GRAPH_EMPTY', severity: 'error', message: 'The graph has no nodes.', hint, ...where, ...place, pointer: '' }];
  }
  const problems: Problem[] = [];
  const add = (node: GraphNode, input: GraphInput, finding: Finding): void => {
    const place = { ...lines.positionOf(input.value.start), pointer: pointerOf([node.id, 'inputs', input.name]) };
    problems.push({ ...finding, ...where, ...place, node: node.id, input: input.name });
  };
  // Entries that parseGraph refused are reported there; a link to one of them is not dangling as well.
  const ids = new Set(graph.root.members.map(({ key }) => key.value));
  const suggest = createSuggester(graph.nodes.keys());
  for (const node of graph.nodes.values()) {
    for (const input of node.inputs.values()) {
      const finding = checkInput(node, input, ids, suggest);
      if (finding !== undefined) add(node, input, finding);
    }
  }
  for (const cycle of findCycles(graph)) {
    add(cycle.closing.node, cycle.closing.input, { code: 'GRAPH_CYCLE', severity: 'error', ...cycleWords(graph, cycle.ids) });
  }
  return problems;
}

function checkInput(node: GraphNode, input: GraphInput, ids: ReadonlySet<string>, suggest: Suggester): Finding | undefined {
  const { value, link } = input;
  if (value.kind !== 'array') return undefined;
  if (link === undefined) return checkList(node, input, value, ids);
  const target = link.node;
  if (!ids.has(target)) {
    const suggestion = suggest(target);
    return {
      code: 'GRAPH_LINK_DANGLING',
      severity: 'error',
      message: `${nameInput(node, input)} is linked to node "${target}", which does not exist.`,
      hint:
        suggestion === undefined
          ? `Connect the input to an existing node and export again, or add node "${target}".`
          : `Did you mean node "${suggestion}"?`,
    };
  }
  const slot = value.items[1];
  const raw = slot?.kind === 'number' ? slot.raw : '';
  if (/^\d+$/.test(raw) && Number.isSafeInteger(link.slot)) return undefined;
  return {
    code: 'GRAPH_LINK_SLOT',
    severity: 'error',
    message: `${nameInput(node, input)} is linked to output ${raw} of node ${target}; an output is a whole number from 0.`,
    hint: 'Write the number of the output as an integer, counted from 0.',
  };
}

/** Lists that are no links. A server reads every list in a declared input as a link, and refuses what does not fit. */
function checkList(node: GraphNode, input: GraphInput, value: JsonArray, ids: ReadonlySet<string>): Finding | undefined {
  const [source, slot] = value.items;
  if (value.items.length === 2 && (source?.kind === 'null' || (source?.kind === 'string' && slot?.kind === 'null'))) {
    return {
      code: 'GRAPH_LINK_NULL',
      severity: 'error',
      message: `${nameInput(node, input)} has a link without ${source.kind === 'null' ? 'a node' : 'an output'}: null stands in its place.`,
      hint: 'Connect the input again and export the workflow.',
    };
  }
  const otherText = slot?.kind === 'string' && !/^\d+$/.test(slot.value);
  if (value.items.length === 2 && source?.kind === 'string' && ids.has(source.value) && !otherText) {
    return {
      code: 'GRAPH_LINK_SLOT',
      severity: 'error',
      message: `${nameInput(node, input)} names node ${source.value}, but not the number of its output.`,
      hint: `Write ["${source.value}", 0] for the first output of that node.`,
    };
  }
  if (value.items.length !== 2 && source?.kind === 'string' && ids.has(source.value)) {
    return {
      code: 'GRAPH_LINK_SLOT',
      severity: 'error',
      message: `${nameInput(node, input)} names node ${source.value}, but a link has two parts and this list has ${value.items.length}.`,
      hint: `Write ["${source.value}", 0] for the first output of that node.`,
    };
  }
  if (value.items.length === 2 && source?.kind === 'number' && slot?.kind === 'number' && /^\d+$/.test(slot.raw)) {
    return {
      code: 'GRAPH_LIST_UNWRAPPED',
      severity: 'warning',
      message: `${nameInput(node, input)} is a list of two numbers, which ComfyUI refuses where it expects a link.`,
      hint: `A link is written ["${source.raw}", ${slot.raw}], a list as value {"__value__": [${source.raw}, ${slot.raw}]}.`,
    };
  }
  return {
    code: 'GRAPH_LIST_UNWRAPPED',
    severity: 'warning',
    message: `${nameInput(node, input)} is a plain list, which ComfyUI takes for a broken link.`,
    hint: 'Write a list as {"__value__": […]}, and a link as ["node id", output number].',
  };
}

/** A long circle is named in full up to this many nodes. */
const MAX_NAMED = 50;

function cycleWords(graph: Graph, ids: readonly string[]): { message: string; hint: string } {
  const named = ids.slice(0, MAX_NAMED).map((id) => nameId(graph, id));
  const rest = ids.length > MAX_NAMED ? [`${ids.length - MAX_NAMED} more`] : [];
  const path = [...named, ...rest, nameId(graph, ids[0] ?? '')].join(' → ');
  const message = ids.length === 1 ? `Node ${named[0] ?? ''} feeds itself.` : `These nodes feed each other in a circle: ${path}.`;
  return { message, hint: 'Remove one of these links: a graph must run from loaders to outputs without coming back.' };
}
