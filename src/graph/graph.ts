/** ComfyUI graphs in API form: from text to an index into that text. Printing them again is in print-graph.ts. */
import type { Problem } from '#protocol/problem.ts';
import { createLineIndex, member, parseJson, pointerOf } from './json.ts';
import type { Graph, GraphInput, GraphLink, GraphNode, JsonMember, JsonNode, JsonObject } from './types.ts';

export { printGraph } from './print-graph.ts';
export type { GraphEdit } from './print-graph.ts';

export type WorkflowFormat = 'api' | 'ui' | 'wan2gp' | 'unknown';

export interface ParsedGraph {
  /** Undefined when the text is no graph in API form. A graph with unreadable nodes is there, without those nodes. */
  readonly graph: Graph | undefined;
  readonly problems: Problem[];
}

/** Names that must never become a node id or an input: code that copies graphs into plain objects would trip over them. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);

const NO_INPUTS: ReadonlyMap<string, GraphInput> = new Map();

/**
 * What a JSON file is. UI format has a list `nodes`; Wan2GP settings have a `model_type`; API format is a map whose values
 * are objects with `class_type` (one is enough: the rest are then problems of that graph).
 */
export function detectFormat(root: JsonNode): WorkflowFormat {
  if (root.kind !== 'object') return 'unknown';
  if (member(root, 'nodes')?.kind === 'array') return 'ui';
  if (root.members.some(({ value }) => member(value, 'class_type') !== undefined)) return 'api';
  if (member(root, 'model_type')?.kind === 'string') return 'wan2gp';
  return root.members.length > 0 && root.members.every(hasInputs) ? 'api' : 'unknown';
}

function hasInputs({ value }: JsonMember): boolean {
  return member(value, 'inputs')?.kind === 'object';
}

/**
 * Reads a graph in API form. Unknown fields of nodes, `_meta` and `is_changed` are kept in the text and otherwise ignored.
 * An empty object is an empty graph (checkStructure reports it). Never throws.
 */
export function parseGraph(text: string, options: { readonly file?: string } = {}): ParsedGraph {
  const where = options.file === undefined ? {} : { file: options.file };
  const { root, problems } = parseJson(text, where);
  if (root === undefined) return { graph: undefined, problems };
  const lines = createLineIndex(text);
  const format = detectFormat(root);
  const empty = root.kind === 'object' && root.members.length === 0;
  if (root.kind !== 'object' || (format !== 'api' && !empty)) {
    const place = lines.positionOf(root.start);
    problems.push({ code: 'GRAPH_NOT_API', severity: 'error', ...notApi(root, format), ...where, ...place, pointer: '' });
    return { graph: undefined, problems };
  }
  const nodes = new Map<string, GraphNode>();
  for (const { key, value } of root.members) {
    const id = key.value;
    const report = (finding: NodeFinding): void => {
      const { at, path, ...rest } = finding;
      const place = { ...lines.positionOf(at), pointer: pointerOf([id, ...path]) };
      problems.push({ code: 'GRAPH_NODE_INVALID', severity: 'error', ...rest, ...where, ...place, node: id });
    };
    const node = readNode(id, key.start, value, report);
    if (node !== undefined) nodes.set(id, node);
  }
  return { graph: { text, root, nodes }, problems };
}

interface NodeFinding {
  readonly message: string;
  readonly hint: string;
  readonly at: number;
  readonly path: readonly string[];
  readonly input?: string;
}

function readNode(id: string, keyAt: number, at: JsonNode, report: (finding: NodeFinding) => void): GraphNode | undefined {
  if (id === '' || RESERVED.has(id)) {
    const message = id === '' ? 'A node has an empty id.' : `"${id}" may not be the id of a node.`;
    report({ message, hint: 'Give the node another id, and change the links that name it.', at: keyAt, path: [] });
    return undefined;
  }
  if (at.kind !== 'object') {
    const message = `Node ${id} is ${describe(at)}, not an object with "class_type" and "inputs".`;
    report({ message, hint: 'Remove the entry; only nodes may stand at the top level of a graph in API form.', at: at.start, path: [] });
    return undefined;
  }
  let classNode: JsonNode | undefined;
  let inputsNode: JsonNode | undefined;
  let meta: JsonNode | undefined;
  for (const { key, value } of at.members) {
    if (key.value === 'class_type') classNode = value;
    else if (key.value === 'inputs') inputsNode = value;
    else if (key.value === '_meta') meta = value;
  }
  const title = meta === undefined ? undefined : member(meta, 'title');
  const named = title?.kind === 'string' && title.value !== '' ? `Node ${id} "${title.value}"` : `Node ${id}`;
  if (classNode?.kind !== 'string' || classNode.value === '') {
    const message =
      classNode === undefined ? `${named} has no class_type.` : `The class_type of ${named.replace('Node', 'node')} is not a name.`;
    const hint = 'Export the workflow again in API format. A front end that lacks the custom node writes nodes without a class.';
    report({ message, hint, at: (classNode ?? at).start, path: classNode === undefined ? [] : ['class_type'] });
  }
  if (inputsNode?.kind !== 'object') {
    const message =
      inputsNode === undefined
        ? `${named} has no inputs.`
        : `The inputs of ${named.replace('Node', 'node')} are ${describe(inputsNode)}, not an object.`;
    const hint = 'Write "inputs": {…} with one entry per input; a node without inputs has "inputs": {}.';
    report({ message, hint, at: (inputsNode ?? at).start, path: inputsNode === undefined ? [] : ['inputs'] });
  }
  if (classNode?.kind !== 'string' || classNode.value === '' || inputsNode?.kind !== 'object') return undefined;
  const inputs = readInputs(inputsNode, named, report);
  const node = { id, classType: classNode.value, inputs, at, inputsAt: inputsNode };
  return title?.kind === 'string' ? { ...node, title: title.value } : node;
}

function readInputs(object: JsonObject, named: string, report: (finding: NodeFinding) => void): ReadonlyMap<string, GraphInput> {
  if (object.members.length === 0) return NO_INPUTS;
  const inputs = new Map<string, GraphInput>();
  for (const { key, value } of object.members) {
    const name = key.value;
    if (RESERVED.has(name)) {
      const message = `${named} has an input called "${name}".`;
      report({ message, hint: 'Rename or remove the input.', at: key.start, path: ['inputs', name], input: name });
      continue;
    }
    const link = value.kind === 'array' ? linkOf(value) : undefined;
    inputs.set(name, link === undefined ? { name, value } : { name, value, link });
  }
  return inputs;
}

/** ComfyUI takes a list of exactly [string, number] for a link and everything else for a constant. */
export function linkOf(value: JsonNode): GraphLink | undefined {
  if (value.kind !== 'array' || value.items.length !== 2) return undefined;
  const [node, slot] = value.items;
  if (node?.kind !== 'string' || slot?.kind !== 'number') return undefined;
  return { node: node.value, slot: Number(slot.raw) };
}

function notApi(root: JsonNode, format: WorkflowFormat): { message: string; hint: string } {
  if (format === 'ui') {
    return {
      message: 'This is a workflow in UI format; a graph in API format is needed here.',
      hint: 'In ComfyUI choose Workflow › Export (API), or run `callsheet convert FILE --object-info FILE`.',
    };
  }
  if (format === 'wan2gp') {
    return { message: 'This is a Wan2GP settings file, not a ComfyUI graph.', hint: 'Give the step "backend": "wan2gp".' };
  }
  if (root.kind !== 'object') {
    return { message: `A ComfyUI graph is an object of nodes; this is ${describe(root)}.`, hint: 'Export the workflow in API format.' };
  }
  const wrapped = wrappedGraph(root);
  if (wrapped !== undefined) {
    return {
      message: `The graph is wrapped in something else: it is at ${wrapped}.`,
      hint: `Keep only the value at ${wrapped} in the file.`,
    };
  }
  return {
    message: 'This is no ComfyUI graph in API format: no entry has a class_type.',
    hint: 'In ComfyUI choose Workflow › Export (API).',
  };
}

/** Request bodies of ComfyUI and of hosting services carry the graph one or two levels down. */
function wrappedGraph(root: JsonObject): string | undefined {
  for (const { key, value } of root.members) {
    if (detectFormat(value) === 'api') return pointerOf([key.value]);
    if (value.kind !== 'object') continue;
    const inner = value.members.find((entry) => detectFormat(entry.value) === 'api');
    if (inner !== undefined) return pointerOf([key.value, inner.key.value]);
  }
  return undefined;
}

const KINDS = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
} as const;

function describe(node: JsonNode): string {
  return KINDS[node.kind];
}
