/** Values of a node's widgets, aligned with what the file saved (dossier 4.3). */
import type { NodeClass } from '../node-classes.ts';
import { nameUi } from './names.ts';
import type { Report } from './report.ts';
import type { UiNode, Widget } from './shapes.ts';
import type { Value } from './value.ts';
import { isWidget, layOutWidgets, type TakeValue } from './widget-layout.ts';

export function fillWidgets(node: UiNode, nodeClass: NodeClass, report: Report): Widget[] {
  const { list, byName, named } = node.saved;
  if (byName !== undefined) return layOutWidgets(nodeClass, takeByName(byName));
  if (list === undefined) return layOutWidgets(nodeClass, named === undefined ? takeNothing : takeByName(named));
  const widgets = layOutWidgets(nodeClass, takeInOrder(withoutForcedInputs(nodeClass, list)));
  if (named !== undefined) compare(node, widgets, named, report);
  return repairKSampler(node, widgets);
}

const takeNothing: TakeValue = () => ({ given: false });

function takeByName(values: ReadonlyMap<string, Value>): TakeValue {
  return ({ name }) => (values.has(name) ? { given: true, value: values.get(name) } : { given: false });
}

function takeInOrder(values: readonly Value[]): TakeValue {
  let index = 0;
  return ({ saved }) => {
    if (!saved || index >= values.length) return { given: false };
    const value = values[index];
    index += 1;
    return { given: true, value };
  };
}

/**
 * Front ends before 1.16 saved a dummy for every input that is forced to be a socket. They did so exactly when the number of
 * values equals that of all widgets, controls and forced inputs.
 */
function withoutForcedInputs(nodeClass: NodeClass, values: readonly Value[]): readonly Value[] {
  const forced: boolean[] = [];
  for (const spec of nodeClass.inputs.values()) {
    const isForced = spec.options['forceInput'] === true;
    if (!isForced && !isWidget(spec)) continue;
    forced.push(isForced);
    const control = spec.options['control_after_generate'];
    if (control !== undefined && control !== false && control !== null) forced.push(false);
  }
  if (forced.length !== values.length) return values;
  return values.filter((_, index) => forced[index] !== true);
}

/** The stock front end restores by position; where the names say otherwise, somebody edited the file by hand. */
function compare(node: UiNode, widgets: readonly Widget[], named: ReadonlyMap<string, Value>, report: Report): void {
  const differing = widgets.filter(({ name, sent, value }) => {
    const other = named.get(name);
    return sent && other !== undefined && value !== undefined && other.json !== value.json;
  });
  if (differing.length === 0) return;
  report.add({
    code: 'CONVERT_WIDGETS_DISAGREE',
    severity: 'warning',
    message: `${nameUi(node)} saves two different values for ${differing.map(({ name }) => `"${name}"`).join(', ')}; the ones in "widgets_values" count.`,
    hint: 'Open the workflow in ComfyUI, look at the node, and save it again.',
    at: node.at,
    node: node.id,
  });
}

/** Files of 2023 say `sample_euler` where every server since wants `euler`; the front end drops the prefix. */
function repairKSampler(node: UiNode, widgets: Widget[]): Widget[] {
  if (node.type !== 'KSampler' && node.type !== 'KSamplerAdvanced') return widgets;
  const sampler = widgets.find(({ name }) => name === 'sampler_name');
  const text = sampler?.value?.text;
  if (sampler !== undefined && text?.startsWith('sample_') === true) {
    const name = text.slice('sample_'.length);
    sampler.value = { json: JSON.stringify(name), kind: 'string', text: name };
  }
  return widgets;
}
