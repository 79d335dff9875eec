/** Primitive nodes: their value replaces that of every widget they are linked to. */
import { PRIMITIVE } from './names.ts';
import type { UiGraph } from './shapes.ts';
import { widgetOf } from './boundary.ts';

export function applyPrimitives(graph: UiGraph): void {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  for (const link of graph.links.values()) {
    const origin = byId.get(link.origin);
    const value = origin?.type === PRIMITIVE ? origin.saved.list?.[0] : undefined;
    const target = byId.get(link.target);
    const input = target?.inputs.find((each) => each.link === link.id);
    if (value === undefined || target === undefined || input === undefined) continue;
    if (input.promoted !== undefined) input.promoted.value = value;
    const widget = widgetOf(target, input);
    if (widget !== undefined) widget.value = value;
  }
}
