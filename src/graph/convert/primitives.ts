/** Primitive nodes: their value replaces that of every widget they are linked to, through reroutes too. */
import { PRIMITIVE } from './names.ts';
import type { UiGraph } from './shapes.ts';
import { widgetOf } from './boundary.ts';

export function applyPrimitives(graph: UiGraph): void {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const outgoing = Map.groupBy(graph.links.values(), ({ origin }) => origin);
  for (const primitive of graph.nodes) {
    const value = primitive.type === PRIMITIVE ? primitive.saved.list?.[0] : undefined;
    if (value === undefined) continue;
    const passed = new Set<string>();
    const open = [primitive.id];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      for (const link of outgoing.get(id) ?? []) {
        const target = byId.get(link.target);
        const input = target?.inputs.find((each) => each.link === link.id);
        if (target === undefined || input === undefined) continue;
        if (target.type === 'Reroute' && !passed.has(target.id)) {
          passed.add(target.id);
          open.push(target.id);
        }
        if (input.promoted !== undefined) input.promoted.value = value;
        const widget = widgetOf(target, input);
        if (widget !== undefined) widget.value = value;
      }
    }
  }
}
