/** ComfyUI's rule for bypassed nodes: which input of a node takes the place of one of its outputs. */
import { isWidget } from './convert/widget-layout.ts';
import { isOpen, typesFit } from './link-types.ts';
import type { InputSpec, NodeClass } from './node-classes.ts';
import { inputsOf } from './node-inputs.ts';
import type { GraphNode } from './types.ts';

/**
 * The name of the input that is passed on: the one in the same place where its type fits, else the first of exactly the wanted
 * type, else the first that fits. Inputs that only links can fill come before those of widgets, as in the front end.
 * Undefined when none fits. `wanted` is the type that the input behind the output takes, `*` where it is not known.
 */
export function passedOn(node: GraphNode, nodeClass: NodeClass, slot: number, wanted: string): string | undefined {
  const specs = [...inputsOf(nodeClass, node).values()];
  const inputs = [...specs.filter((spec) => !isWidget(spec)), ...specs.filter((spec) => isWidget(spec))];
  const given = nodeClass.outputs[slot]?.type ?? '*';
  const opposite = inputs[slot];
  if (isOpen(wanted) && isOpen(given)) return (opposite ?? inputs[0])?.name;
  const fits = ({ type }: InputSpec): boolean => typesFit(type, given) && typesFit(type, wanted);
  if (opposite !== undefined && fits(opposite)) return opposite.name;
  return (inputs.find(({ type }) => type === wanted) ?? inputs.find(fits))?.name;
}
