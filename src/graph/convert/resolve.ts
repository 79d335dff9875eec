/** Where an input gets its value from once reroutes, bypassed nodes and subgraphs are looked through. */
import { nodeById, setterOf } from './index-nodes.ts';
import { GETTERS, isVirtual, nameUi } from './names.ts';
import type { Report } from './report.ts';
import { BYPASSED, INPUT_NODE, MUTED, type UiGraph, type UiInput, type UiLink, type UiNode } from './shapes.ts';
import { isAny, typesMatch } from './types-match.ts';
import type { Value } from './value.ts';

/** A graph as it is seen through one chain of instances. */
export interface Scope {
  readonly graph: UiGraph;
  /** Ids of the instances around it, each with a colon behind: `5:12:`. */
  readonly prefix: string;
  /** The instance that it is the inside of. */
  readonly host?: { readonly node: UiNode; readonly scope: Scope };
  readonly inner: Map<UiNode, Scope>;
}

export function createScope(graph: UiGraph, host?: Scope['host']): Scope {
  const prefix = host === undefined ? '' : `${host.scope.prefix}${host.node.id}:`;
  return { graph, prefix, inner: new Map(), ...(host === undefined ? {} : { host }) };
}

export function innerScope(scope: Scope, instance: UiNode, graph: UiGraph): Scope {
  const known = scope.inner.get(instance);
  if (known !== undefined) return known;
  const inner = createScope(graph, { node: instance, scope });
  scope.inner.set(instance, inner);
  return inner;
}

export interface ResolveContext {
  readonly report: Report;
  /** What was found out for places on the way: long chains of reroutes are walked once. */
  readonly known: Map<string, Source | undefined>;
}

export type Source = { readonly node: string; readonly slot: number } | { readonly value: Value | undefined };

/** The place that is being looked at: an input slot or an output slot of a node. */
interface Place {
  readonly at: 'input' | 'output';
  readonly node: UiNode;
  readonly scope: Scope;
  readonly slot: number;
  /** Of the input that will take the value. */
  readonly type: string | undefined;
}

/**
 * Follows the link of one input (dossier 4.4, resolveInput and resolveOutput). Undefined: nothing is connected, the widget's own
 * value stays. A loop of virtual nodes and a link that does not exist are reported as errors.
 */
export function resolveInput(node: UiNode, scope: Scope, slot: number, { report, known }: ResolveContext): Source | undefined {
  const visited = new Set<string>();
  const done = (source: Source | undefined): Source | undefined => {
    for (const key of visited) known.set(key, source);
    return source;
  };
  let place: Place = { at: 'input', node, scope, slot, type: undefined };
  for (;;) {
    const key = `${place.scope.prefix}${place.node.id} ${place.at} ${place.slot} ${place.type ?? ''}`;
    if (known.has(key)) return done(known.get(key));
    if (visited.has(key)) {
      reportLoop(place, report);
      return done(undefined);
    }
    visited.add(key);
    const next: Place | Source | undefined = place.at === 'input' ? throughInput(place, report) : throughOutput(place, report);
    if (next === undefined || !('at' in next)) return done(next);
    place = next;
  }
}

function throughInput(place: Place, report: Report): Place | Source | undefined {
  const { node, scope, slot } = place;
  const input = node.inputs[slot];
  if (input?.link === undefined) return undefined;
  const link = scope.graph.links.get(input.link);
  if (link === undefined) {
    reportMissing(place, input, report);
    return undefined;
  }
  if (link.origin === INPUT_NODE && scope.host !== undefined) return throughHost(place, link);
  const origin = nodeById(scope.graph, link.origin);
  if (origin === undefined) {
    reportOrigin(place, input, link, report);
    return undefined;
  }
  return { at: 'output', node: origin, scope, slot: link.originSlot, type: place.type ?? input.type };
}

/** Up and out of a subgraph: what the instance is linked to, else the value that it holds for the promoted widget. */
function throughHost({ scope }: Place, link: UiLink): Place | Source | undefined {
  const { host } = scope;
  const input = host?.node.inputs[link.originSlot];
  if (host === undefined || input === undefined) return undefined;
  if (input.link !== undefined) return { at: 'input', node: host.node, scope: host.scope, slot: link.originSlot, type: undefined };
  return input.promoted === undefined ? undefined : { value: input.promoted.value };
}

function throughOutput(place: Place, report: Report): Place | Source | undefined {
  const { node, scope, slot, type = '*' } = place;
  if (node.mode === MUTED) return undefined;
  if (node.mode === BYPASSED) {
    const index = bypassSlot(node, slot, type);
    return index === undefined ? undefined : { at: 'input', node, scope, slot: index, type: undefined };
  }
  if (node.subgraph !== undefined) return throughSubgraph(place, node.subgraph);
  if (!isVirtual(node)) return { node: `${scope.prefix}${node.id}`, slot };
  if (node.inputs[slot] !== undefined) return { at: 'input', node, scope, slot, type };
  return GETTERS.has(node.type) ? throughGetter(place, report) : undefined;
}

function throughSubgraph({ node, scope, slot, type }: Place, graph: UiGraph): Place | Source | undefined {
  const inner = innerScope(scope, node, graph);
  const output = graph.outputs[slot];
  const link = output?.links.map((id) => graph.links.get(id)).find((each) => each !== undefined);
  if (link === undefined) return undefined;
  if (link.origin === INPUT_NODE) return throughHost({ at: 'output', node, scope: inner, slot, type }, link);
  const origin = nodeById(graph, link.origin);
  return origin === undefined ? undefined : { at: 'output', node: origin, scope: inner, slot: link.originSlot, type };
}

/** A Get node takes what the Set node of the same name was given, in its own graph or in one around it. */
function throughGetter({ node, scope, type }: Place, report: Report): Place | undefined {
  const name = node.saved.list?.[0]?.text;
  for (let around: Scope | undefined = scope; around !== undefined; around = around.host?.scope) {
    const setter = setterOf(around.graph, name);
    if (setter !== undefined) return { at: 'input', node: setter, scope: around, slot: 0, type };
  }
  report.add({
    code: 'CONVERT_GET_WITHOUT_SET',
    severity: 'error',
    message: `${nameUi(node, `${scope.prefix}${node.id}`)} reads "${name ?? ''}", and no Set node of that name exists.`,
    hint: 'Add the Set node, or connect the input directly.',
    at: node.at,
    node: `${scope.prefix}${node.id}`,
  });
  return undefined;
}

/** Which input a bypassed node passes on to one of its outputs. */
function bypassSlot(node: UiNode, slot: number, type: string): number | undefined {
  const { inputs } = node;
  const output = node.outputs[slot]?.type ?? '*';
  if (isAny(type)) return inputs.length > slot ? slot : 0;
  const fits = (input: UiInput | undefined): boolean =>
    input !== undefined && typesMatch(input.type, output) && typesMatch(input.type, type);
  if (fits(inputs[slot])) return slot;
  const exact = inputs.findIndex((input) => input.type === type);
  const found = exact === -1 ? inputs.findIndex(fits) : exact;
  return found === -1 ? undefined : found;
}

// --- problems ---

function reportMissing({ node, scope }: Place, input: UiInput, report: Report): void {
  const id = `${scope.prefix}${node.id}`;
  report.add({
    code: 'CONVERT_LINK_MISSING',
    severity: 'error',
    message: `Input "${input.name}" of ${nameUi(node, id).replace('Node', 'node')} is linked by link ${input.link}, which the file does not have.`,
    hint: 'Open the workflow in ComfyUI, connect the input again, and save.',
    at: node.at,
    node: id,
    input: input.name,
  });
}

function reportOrigin({ node, scope }: Place, input: UiInput, link: UiLink, report: Report): void {
  const id = `${scope.prefix}${node.id}`;
  report.add({
    code: 'CONVERT_LINK_ORIGIN',
    severity: 'error',
    message: `Input "${input.name}" of ${nameUi(node, id).replace('Node', 'node')} is linked to node ${link.origin}, which the file does not have.`,
    hint: 'Open the workflow in ComfyUI, connect the input again, and save.',
    at: node.at,
    node: id,
    input: input.name,
  });
}

function reportLoop({ node, scope }: Place, report: Report): void {
  const id = `${scope.prefix}${node.id}`;
  report.add({
    code: 'CONVERT_LINK_LOOP',
    severity: 'error',
    message: `${nameUi(node, id)} is part of a loop of reroutes, bypassed nodes or subgraphs that leads back to itself.`,
    hint: 'Cut one of the links of the loop in ComfyUI.',
    at: node.at,
    node: id,
  });
}
