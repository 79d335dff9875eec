/** Saved values that do not fit their widgets: the node was saved by another version of its pack, and positions have moved. */
import type { InputSpec } from '../node-classes.ts';
import type { ConvertedNode, EmitContext } from './emit.ts';
import { nameUi } from './names.ts';
import type { UiNode } from './shapes.ts';

/**
 * The front end sends such values as they are, and many a server takes them: the graph then makes something else than was meant.
 * True when that is refused, which is when the graph is going to be run.
 */
export function reportMisfits(node: UiNode, id: string, emitted: ConvertedNode, { report, strict }: EmitContext): boolean {
  const { list } = node.saved;
  const { nodeClass } = node;
  if (nodeClass === undefined || list === undefined || list.length === 0) return false;
  const widgets = node.widgets.filter(({ saved }) => saved);
  const misfits = widgets.filter(({ name, value }) => {
    const spec = nodeClass.inputs.get(name);
    const input = emitted.inputs.get(name);
    const own = input !== undefined && input.link === undefined && input.json === value?.json;
    return own && spec !== undefined && !fits(spec, input.json, list.length !== widgets.length);
  });
  const [first] = misfits;
  if (first === undefined) return false;
  const values = list.length === 1 ? '1 value' : `${list.length} values`;
  report.add({
    code: 'CONVERT_WIDGETS_MISFIT',
    severity: strict ? 'error' : 'warning',
    message: `${nameUi(node, id)} saves ${values}, and its class takes ${widgets.length}: "${first.name}" would become ${first.value?.json.slice(0, 40) ?? ''}.`,
    hint: 'The node was saved by another version of its pack. Open the workflow in ComfyUI, correct the node, and save it again.',
    at: node.at,
    node: id,
    input: first.name,
  });
  return strict;
}

/** Texts with a brace may be placeholders of a template, and numbers written as texts are what the server makes numbers of. */
function fits({ type }: InputSpec, json: string, shifted: boolean): boolean {
  if (json === 'null' || (json.startsWith('"') && json.includes('{'))) return true;
  switch (type) {
    case 'INT':
      return isNumber(json) && (!shifted || Number.isInteger(Number(json)));
    case 'FLOAT':
      return isNumber(json);
    case 'BOOLEAN':
      return json === 'true' || json === 'false' || (!shifted && (isNumber(json) || json.startsWith('"')));
    default:
      return true;
  }
}

function isNumber(json: string): boolean {
  const text = json.startsWith('"') ? json.slice(1, -1).trim() : json;
  return text !== '' && text !== 'true' && text !== 'false' && !Number.isNaN(Number(text.replace(/^(-?)Infinity$|^NaN$/, '1')));
}
