/** The input and output slots that a node has once its class is known: the class decides names, order and types, the file the links. */
import type { InputSpec, NodeClass } from '../node-classes.ts';
import { isRecord } from '../node-classes.ts';
import type { UiInput, UiNode, UiOutput, Widget } from './shapes.ts';
import { chosenInputs, isDynamicCombo, isWidget } from './widget-layout.ts';

/**
 * Sockets first, then the inputs of widgets, then whatever else the file has (the front end keeps what it does not know, links
 * and all). The order matters to bypassed nodes only.
 */
export function mergeInputs(node: UiNode, nodeClass: NodeClass, widgets: readonly Widget[]): UiInput[] {
  const saved = new Map<string, UiInput>();
  for (const input of node.inputs) if (!saved.has(input.name) || input.link !== undefined) saved.set(input.name, input);
  const merged: UiInput[] = [];
  const take = (name: string, type: string, widget: string | undefined): void => {
    const input = saved.get(name);
    saved.delete(name);
    merged.push(input === undefined ? { name, type, link: undefined, widget } : { ...input, type, widget });
  };
  const sockets = (spec: InputSpec): void => {
    if (spec.type === 'COMFY_AUTOGROW_V3') {
      for (const input of node.inputs)
        if (input.name.startsWith(`${spec.name}.`) && saved.has(input.name)) take(input.name, input.type, input.widget);
    } else if (spec.type === 'COMFY_MATCHTYPE_V3') {
      take(spec.name, saved.get(spec.name)?.type ?? allowedTypes(spec), undefined);
    } else if (!isWidget(spec)) {
      take(spec.name, spec.type, undefined);
    }
  };
  const withWidgets = (spec: InputSpec): void => {
    if (!isWidget(spec)) return;
    if (spec.options['socketless'] !== true) take(spec.name, spec.type, spec.name);
    if (!isDynamicCombo(spec)) return;
    const chosen = chosenInputs(spec, widgets.find(({ name }) => name === spec.name)?.value?.text);
    for (const inner of chosen) {
      sockets(inner);
      withWidgets(inner);
    }
  };
  for (const spec of nodeClass.inputs.values()) sockets(spec);
  for (const spec of nodeClass.inputs.values()) withWidgets(spec);
  return [...merged, ...node.inputs.filter((input) => saved.get(input.name) === input)];
}

function allowedTypes(spec: InputSpec): string {
  const template = spec.options['template'];
  const allowed = isRecord(template) ? template['allowed_types'] : undefined;
  return typeof allowed === 'string' ? allowed : '*';
}

/** By position; outputs beyond those of the class stay as the file has them. */
export function mergeOutputs(node: UiNode, nodeClass: NodeClass): UiOutput[] {
  const count = Math.max(node.outputs.length, nodeClass.outputs.length);
  return Array.from({ length: count }, (_, index) => {
    const known = nodeClass.outputs[index];
    const saved = node.outputs[index];
    return {
      name: known?.name ?? saved?.name ?? '',
      type: (known?.type === 'COMFY_MATCHTYPE_V3' ? saved?.type : known?.type) ?? saved?.type ?? '*',
      links: saved?.links ?? [],
    };
  });
}
