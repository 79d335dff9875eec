/** Nodes of the UI-format workflow as nodes of the graph, with whatever the front end would have left out left out. */
import type { Span } from '../rewrite.ts';
import type { JsonNode } from '../types.ts';
import { applySavedBroadcasts, broadcast } from './broadcast.ts';
import { MAX_DEPTH, MAX_NODES } from './limits.ts';
import { isVirtual, nameUi } from './names.ts';
import { applyPrimitives } from './primitives.ts';
import { sentPrompt } from './prompt-text.ts';
import { reportMisfits } from './misfits.ts';
import type { Report } from './report.ts';
import { createScope, innerScope, type ResolveContext, resolveInput, type Scope } from './resolve.ts';
import { BYPASSED, MUTED, type UiGraph, type UiNode } from './shapes.ts';
import { textWarnings } from './text-warnings.ts';
import { reportUnknown } from './unknown-class.ts';
import { inputJson, type Value } from './value.ts';

class TooLarge extends Error {}

export interface ConvertedInput {
  readonly json: string;
  /** Id of the node that it is linked to. */
  readonly link?: string;
  /** Of a value: where it stands in the file, and whether the page reads it as a prompt with choices. */
  readonly at?: Span;
  readonly isPrompt?: boolean;
}

export interface ConvertedNode {
  readonly id: string;
  readonly classType: string;
  readonly title: string;
  readonly inputs: Map<string, ConvertedInput>;
  /** In the UI-format file. */
  readonly at: JsonNode;
}

export interface EmitContext {
  readonly report: Report;
  /** The graph is going to be run: values that do not fit are errors. */
  readonly strict: boolean;
}

/** Every node that would be sent, in the order of the file, instances replaced by what is in them. */
export function emitNodes(root: UiGraph, context: EmitContext): ConvertedNode[] {
  const { report } = context;
  const nodes = new Map<string, ConvertedNode>();
  const primed = new Set<UiGraph>();
  let size = 0;
  const walk = (scope: Scope, depth: number): void => {
    size += scope.graph.nodes.length;
    if (size > MAX_NODES || depth > MAX_DEPTH) throw new TooLarge();
    if (!primed.has(scope.graph)) {
      if (!applySavedBroadcasts(scope.graph)) broadcast(scope.graph);
      applyPrimitives(scope.graph);
    }
    primed.add(scope.graph);
    for (const node of scope.graph.nodes) {
      if (node.subgraph === undefined || isClosed(node, scope)) continue;
      walk(innerScope(scope, node, node.subgraph), depth + 1);
    }
  };
  const scope = createScope(root);
  try {
    walk(scope, 0);
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    reportTooLarge(root, report);
    return [];
  }
  /** Links to nodes that could not be converted stay: the problem is the node, not the link. */
  const unknown = new Set<string>();
  const known: ResolveContext['known'] = new Map();
  const emit = (at: Scope): void => {
    for (const node of at.graph.nodes) {
      const id = `${at.prefix}${node.id}`;
      if (node.subgraph !== undefined && !isClosed(node, at)) {
        if (isOff(node)) reportOpened(node, id, report);
        emit(innerScope(at, node, node.subgraph));
      }
      if (isOff(node) || isVirtual(node)) continue;
      if (node.nodeClass === undefined) {
        if (reportUnknown(node, id, report)) unknown.add(id);
        continue;
      }
      if (nodes.has(id)) reportTwin(node, id, report);
      const emitted = emitNode(node, id, at, { report, known });
      if (reportMisfits(node, id, emitted, context)) unknown.add(id);
      else nodes.set(id, emitted);
    }
  };
  emit(scope);
  for (const { inputs } of nodes.values()) {
    for (const [name, { link }] of inputs) if (link !== undefined && !nodes.has(link) && !unknown.has(link)) inputs.delete(name);
  }
  return [...nodes.values()];
}

const isOff = ({ mode }: UiNode): boolean => mode === MUTED || mode === BYPASSED;

/** The page looks at the mode of an instance only where it stands in no other subgraph. */
const isClosed = (node: UiNode, { host }: Scope): boolean => host === undefined && isOff(node);

function reportOpened(node: UiNode, id: string, report: Report): void {
  const message = `${nameUi(node, id)} is ${node.mode === MUTED ? 'muted' : 'bypassed'} inside a subgraph, and ComfyUI's page sends the nodes in it all the same.`;
  const hint = 'Mute or bypass the nodes in it as well, or remove the instance.';
  report.add({ code: 'CONVERT_SUBGRAPH_OPENED', severity: 'warning', message, hint, at: node.at, node: id });
}

function reportTwin(node: UiNode, id: string, report: Report): void {
  const message = `${nameUi(node, id)} has the id of another node once subgraphs are opened.`;
  const hint = 'Give one of them another id, without a colon.';
  report.add({ code: 'CONVERT_NODE_DUPLICATE', severity: 'error', message, hint, at: node.at, node: id });
}

function reportTooLarge({ at }: UiGraph, report: Report): void {
  const message = `Opened up, the subgraphs have more than ${MAX_NODES} nodes, or stand more than ${MAX_DEPTH} deep in one another.`;
  report.add({ code: 'CONVERT_TOO_LARGE', severity: 'error', message, hint: 'Split the workflow into several.', at });
}

function emitNode(node: UiNode, id: string, scope: Scope, context: ResolveContext): ConvertedNode {
  const inputs = new Map<string, ConvertedInput>();
  for (const { name, sent, value } of node.widgets) {
    if (!sent || value === undefined) continue;
    const isPrompt = node.nodeClass?.inputs.get(name)?.options['dynamicPrompts'] === true;
    inputs.set(name, { json: inputJson(isPrompt ? sentPrompt(value) : value), ...placeOf(value), ...(isPrompt ? { isPrompt } : {}) });
  }
  for (const [slot, input] of node.inputs.entries()) {
    const source = resolveInput(node, scope, slot, context);
    if (source === undefined) continue;
    if ('node' in source) inputs.set(input.name, { json: `[${JSON.stringify(source.node)}, ${source.slot}]`, link: source.node });
    else if (source.value === undefined) inputs.delete(input.name);
    else inputs.set(input.name, { json: inputJson(source.value), ...placeOf(source.value) });
  }
  textWarnings(node, id, inputs, context.report);
  const title = node.title !== undefined && node.title !== '' ? node.title : (node.nodeClass?.displayName ?? node.type);
  return { id, classType: node.type, title, inputs, at: node.at };
}

function placeOf({ at }: Value): Pick<ConvertedInput, 'at'> {
  return at === undefined ? {} : { at };
}
