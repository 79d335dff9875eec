/** Primitive nodes: their value replaces that of every widget they are linked to. */
import type { InputSpec } from '../node-classes.ts';
import { widgetOf } from './boundary.ts';
import { PRIMITIVE } from './names.ts';
import { intoWidget, primitiveNumber } from './primitive-numbers.ts';
import type { UiGraph, UiInput, UiLink, UiNode } from './shapes.ts';

interface Target {
  readonly node: UiNode;
  readonly input: UiInput;
  /** Of the widget behind the input, where its class describes one. */
  readonly spec: InputSpec | undefined;
}

export function applyPrimitives(graph: UiGraph): void {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const outgoing = Map.groupBy(graph.links.values(), ({ origin }) => origin);
  const targetOf = ({ id, target }: UiLink): Target | undefined => {
    const node = byId.get(target);
    const input = node?.inputs.find((each) => each.link === id);
    if (node === undefined || input === undefined) return undefined;
    return { node, input, spec: input.widget === undefined ? undefined : node.nodeClass?.inputs.get(input.widget) };
  };
  for (const primitive of graph.nodes) {
    const value = primitive.type === PRIMITIVE ? primitive.saved.list?.[0] : undefined;
    if (value === undefined) continue;
    const targets = inOrder(primitive, outgoing.get(primitive.id) ?? []).flatMap((link) => targetOf(link) ?? []);
    const shown = primitiveNumber(
      value,
      targets.map(({ spec }) => spec),
    );
    for (const { node, input, spec } of targets) {
      if (input.promoted !== undefined) input.promoted.value = shown;
      const widget = widgetOf(node, input);
      if (widget !== undefined) widget.value = spec === undefined ? shown : intoWidget(shown, spec);
    }
  }
}

/** As the primitive's output lists its links: the first target decides what the primitive is. */
function inOrder({ outputs }: UiNode, links: readonly UiLink[]): UiLink[] {
  const order = new Map((outputs[0]?.links ?? []).map((id, index) => [id, index]));
  return links.toSorted((a, b) => (order.get(a.id) ?? order.size) - (order.get(b.id) ?? order.size));
}
