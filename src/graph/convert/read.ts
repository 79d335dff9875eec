/** Reads UI format 0.4 and 1.0 and the subgraph definitions in it into one shape; what is not a node or a link is reported or left out. */
import { member } from '../json.ts';
import type { JsonNode, JsonObject } from '../types.ts';
import { RESERVED } from './limits.ts';
import type { Report } from './report.ts';
import type { SavedWidgets, UiBoundary, UiGraph, UiInput, UiLink, UiNode, UiOutput, UiWorkflow } from './shapes.ts';
import { type Value, valueOf } from './value.ts';

export function readUi(root: JsonObject, text: string, report: Report): UiWorkflow {
  const subgraphs = new Map<string, UiGraph>();
  const context: Context = { text, report, subgraphs };
  const graph = readGraph(root, '', context);
  const extra = member(root, 'extra');
  const groups = new Map<string, JsonNode>();
  const groupNodes = member(extra, 'groupNodes');
  if (groupNodes?.kind === 'object') for (const { key, value } of groupNodes.members) groups.set(key.value, value);
  const last = numberOf(member(root, 'last_node_id')) ?? numberOf(member(member(root, 'state'), 'lastNodeId')) ?? 0;
  return { root: graph, subgraphs, groups, lastNodeId: last, text };
}

interface Context {
  readonly text: string;
  readonly report: Report;
  readonly subgraphs: Map<string, UiGraph>;
}

/** Definitions may stand in a flat list at the root or within one another. */
function readDefinitions(object: JsonObject, context: Context): void {
  const list = member(member(object, 'definitions'), 'subgraphs');
  for (const definition of itemsOf(list)) {
    const id = idOf(member(definition, 'id'));
    if (definition.kind !== 'object' || id === undefined || context.subgraphs.has(id)) continue;
    context.subgraphs.set(id, readGraph(definition, id, context));
  }
}

function readGraph(object: JsonObject, id: string, context: Context): UiGraph {
  const links = new Map<string, UiLink>();
  for (const item of itemsOf(member(object, 'links'))) {
    const link = readLink(item);
    if (link !== undefined) links.set(link.id, link);
  }
  const nodes: UiNode[] = [];
  for (const item of itemsOf(member(object, 'nodes'))) {
    const node = readNode(item, context);
    if (node !== undefined) nodes.push(node);
  }
  readDefinitions(object, context);
  return {
    id,
    name: textOf(member(object, 'name')) ?? '',
    nodes,
    links,
    inputs: itemsOf(member(object, 'inputs')).flatMap(readBoundary),
    outputs: itemsOf(member(object, 'outputs')).flatMap(readBoundary),
    at: object,
  };
}

/** `[id, origin, slot, target, slot, type]` or an object of the same; slots may be texts. */
function readLink(item: JsonNode): UiLink | undefined {
  const parts =
    item.kind === 'array' ? item.items : ['id', 'origin_id', 'origin_slot', 'target_id', 'target_slot'].map((name) => member(item, name));
  const [id, origin, originSlot, target, targetSlot] = parts;
  const key = idOf(id);
  const from = idOf(origin);
  const to = idOf(target);
  if (key === undefined || from === undefined || to === undefined) return undefined;
  return { id: key, origin: from, originSlot: numberOf(originSlot) ?? 0, target: to, targetSlot: numberOf(targetSlot) ?? 0 };
}

function readBoundary(item: JsonNode): UiBoundary[] {
  if (item.kind !== 'object') return [];
  const name = textOf(member(item, 'name')) ?? '';
  const links = itemsOf(member(item, 'linkIds')).flatMap((link) => idOf(link) ?? []);
  return [{ id: idOf(member(item, 'id')) ?? name, name, type: typeOf(member(item, 'type')), links }];
}

/** `context.id` is for nodes without an id of their own, those in group nodes. */
export function readNode(
  item: JsonNode,
  context: { readonly text: string; readonly report: Report; readonly id?: string },
): UiNode | undefined {
  const { text, report } = context;
  const id = context.id ?? idOf(member(item, 'id'));
  const type = textOf(member(item, 'type'));
  if (id === undefined || id === '' || type === undefined || type === '') {
    const what =
      item.kind !== 'object' ? 'An entry of "nodes" is no object.' : `A node has no ${id === undefined || id === '' ? 'id' : 'type'}.`;
    report.add({
      code: 'CONVERT_NODE_INVALID',
      severity: 'error',
      message: what,
      hint: 'Open the workflow in ComfyUI and save it again, or remove the entry.',
      at: item,
      ...(id === undefined ? {} : { node: id }),
    });
    return undefined;
  }
  const inputs = itemsOf(member(item, 'inputs')).flatMap(readInput);
  const reserved = [id, ...inputs.map(({ name }) => name)].find((name) => RESERVED.has(name));
  if (reserved !== undefined) {
    const message = `A node or one of its inputs is called "${reserved}", which no graph may hold.`;
    report.add({ code: 'CONVERT_NODE_INVALID', severity: 'error', message, hint: 'Rename it.', at: item, node: id });
    return undefined;
  }
  return {
    id,
    type,
    title: textOf(member(item, 'title')),
    mode: numberOf(member(item, 'mode')) ?? 0,
    inputs,
    inputNames: inputs.map(({ name }) => name),
    outputs: itemsOf(member(item, 'outputs')).flatMap(readOutput),
    saved: readWidgets(item, text),
    properties: member(item, 'properties'),
    at: item,
    widgets: [],
  };
}

function readInput(item: JsonNode): UiInput[] {
  if (item.kind !== 'object') return [];
  const name = textOf(member(item, 'name')) ?? '';
  const widget = member(item, 'widget');
  const label = textOf(member(item, 'label'));
  return [
    {
      name,
      type: typeOf(member(item, 'type')),
      link: idOf(member(item, 'link')),
      widget: widget?.kind === 'object' ? (textOf(member(widget, 'name')) ?? name) : undefined,
      ...(label === undefined ? {} : { label }),
      open: widget?.kind !== 'object' || member(widget, 'config') !== undefined,
    },
  ];
}

function readOutput(item: JsonNode): UiOutput[] {
  if (item.kind !== 'object') return [];
  const links = itemsOf(member(item, 'links')).flatMap((link) => idOf(link) ?? []);
  return [{ name: textOf(member(item, 'name')) ?? '', type: typeOf(member(item, 'type')), links }];
}

function readWidgets(item: JsonNode, text: string): SavedWidgets {
  const values = member(item, 'widgets_values');
  const named = namedValues(member(item, 'widgets_values_named'), text);
  return {
    ...(values?.kind === 'array' ? { list: values.items.map((value) => valueOf(value, text)) } : {}),
    ...(values?.kind === 'object' ? { byName: namedValues(values, text) ?? new Map() } : {}),
    ...(named === undefined ? {} : { named }),
  };
}

function namedValues(node: JsonNode | undefined, text: string): ReadonlyMap<string, Value> | undefined {
  if (node?.kind !== 'object') return undefined;
  return new Map(node.members.map(({ key, value }) => [key.value, valueOf(value, text)]));
}

// --- helpers ---

export function itemsOf(node: JsonNode | undefined): readonly JsonNode[] {
  return node?.kind === 'array' ? node.items : [];
}

export function textOf(node: JsonNode | undefined): string | undefined {
  return node?.kind === 'string' ? node.value : undefined;
}

/** Ids are numbers or texts; both are compared as texts, `3` and `3.0` alike. */
export function idOf(node: JsonNode | undefined): string | undefined {
  if (node?.kind === 'string') return node.value;
  if (node?.kind !== 'number') return undefined;
  return /^-?\d+$/.test(node.raw) ? node.raw : String(Number(node.raw));
}

export function numberOf(node: JsonNode | undefined): number | undefined {
  const value = node?.kind === 'number' ? Number(node.raw) : node?.kind === 'string' && node.value !== '' ? Number(node.value) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** A type is a text, a list of choices (a combo of old files), or a number for "event". */
function typeOf(node: JsonNode | undefined): string {
  if (node?.kind === 'string') return node.value;
  if (node?.kind === 'array') return node.items.every((item) => item.kind === 'string') ? 'COMBO' : '*';
  return node?.kind === 'number' && Number(node.raw) !== 0 ? node.raw : '*';
}
