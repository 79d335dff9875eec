/** The border of a subgraph: which widget inside an input stands for, and the values that an instance holds for it. */
import { member } from '../json.ts';
import { nodeById } from './index-nodes.ts';
import { itemsOf, textOf } from './read.ts';
import type { Promoted, UiBoundary, UiGraph, UiInput, UiNode, Widget } from './shapes.ts';
import { type Value, valueOf } from './value.ts';

/** What a subgraph input leads to inside: the first of its links that ends at a widget. */
export interface BoundaryTarget {
  readonly node: UiNode;
  readonly input: UiInput;
  /** The name under which legacy proxy widgets know it. */
  readonly widgetName: string;
  readonly value: Value | undefined;
  readonly controlled: boolean;
}

export function boundaryTarget(graph: UiGraph, boundary: UiBoundary): BoundaryTarget | undefined {
  for (const id of boundary.links) {
    const link = graph.links.get(id);
    const node = nodeById(graph, link?.target);
    const input = node?.inputs.find((each) => each.link === id);
    if (node === undefined || input === undefined) continue;
    if (node.subgraph !== undefined) {
      const { promoted } = input;
      if (promoted !== undefined) return { node, input, widgetName: input.name, value: promoted.value, controlled: promoted.controlled };
      continue;
    }
    const widget = widgetOf(node, input);
    if (widget !== undefined) return { node, input, widgetName: widget.name, value: widget.value, controlled: widget.controlled };
  }
  return undefined;
}

export function widgetOf(node: UiNode, input: UiInput): Widget | undefined {
  return input.widget === undefined ? undefined : node.widgets.find(({ name }) => name === input.widget);
}

/**
 * Slots of an instance follow its definition: matched by name and type, then by name; what the definition does not have is
 * dropped, what the instance lacks is added. Widgets inside that a slot leads to become the instance's own, with the values
 * that the instance saved.
 */
export function bindInstance(instance: UiNode, graph: UiGraph, text: string): void {
  const free = new Set(graph.inputs);
  const bySignature = Map.groupBy(graph.inputs, ({ name, type }) => `${name}\n${type}`);
  const byName = Map.groupBy(graph.inputs, ({ name }) => name);
  const bound = new Map<UiBoundary, UiInput>();
  for (const input of instance.inputs) {
    const isFree = (boundary: UiBoundary): boolean => free.has(boundary);
    const boundary = bySignature.get(`${input.name}\n${input.type}`)?.find(isFree) ?? byName.get(input.name)?.find(isFree);
    if (boundary === undefined) continue;
    free.delete(boundary);
    bound.set(boundary, input);
  }
  const complete = free.size === 0;
  for (const boundary of free) bound.set(boundary, { name: boundary.name, type: boundary.type, link: undefined, widget: undefined });
  const inOrder = graph.inputs.flatMap((boundary) => bound.get(boundary) ?? []);
  const saved = complete ? [...bound.values()] : inOrder;
  instance.inputs = inOrder;
  instance.outputs = graph.outputs.map(({ name, type }, index) => ({ name, type, links: instance.outputs[index]?.links ?? [] }));
  const boundaryOf = new Map([...bound].map(([boundary, input]) => [input, boundary]));
  const promoted: [UiInput, Promoted][] = [];
  for (const input of saved) {
    const boundary = boundaryOf.get(input);
    const target = boundary === undefined ? undefined : boundaryTarget(graph, boundary);
    if (target === undefined) continue;
    input.widget = input.name;
    input.promoted = { value: target.value, controlled: target.controlled };
    promoted.push([input, input.promoted]);
  }
  applySaved(instance, promoted, text);
}

function applySaved(instance: UiNode, promoted: readonly (readonly [UiInput, Promoted])[], text: string): void {
  const { list, byName, named } = instance.saved;
  const kept = quarantined(instance, text);
  const withControls = (list?.length ?? 0) > promoted.length;
  let index = 0;
  for (const [input, widget] of promoted) {
    const saved = list === undefined ? (byName ?? named)?.get(input.name) : list[index];
    widget.value = kept.get(input.name) ?? saved ?? widget.value;
    index += withControls && widget.controlled ? 2 : 1;
  }
}

/** Values that a migration of the front end could not place, kept by the name of the input they belong to. */
function quarantined(instance: UiNode, text: string): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  for (const entry of itemsOf(member(instance.properties, 'proxyWidgetErrorQuarantine'))) {
    const [source, name] = itemsOf(member(entry, 'originalEntry')).map(textOf);
    const value = member(entry, 'hostValue');
    if (source === '-1' && name !== undefined && value !== undefined && !found.has(name)) found.set(name, valueOf(value, text));
  }
  return found;
}
