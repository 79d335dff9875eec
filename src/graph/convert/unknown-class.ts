/** Nodes of a class that the object info does not have. */
import { member } from '../json.ts';
import { nameUi } from './names.ts';
import { textOf } from './read.ts';
import type { Report } from './report.ts';
import type { UiNode } from './shapes.ts';

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** True when it is an error. A node with nothing to connect can only be an ornament of the browser page. */
export function reportUnknown(node: UiNode, id: string, report: Report): boolean {
  const place = { at: node.at, node: id };
  if (UUID.test(node.type)) {
    const message = `${nameUi(node, id)} is an instance of a subgraph that the file does not define.`;
    const hint = 'Save the workflow again from a ComfyUI that shows the subgraph.';
    report.add({ code: 'CONVERT_SUBGRAPH_MISSING', severity: 'error', message, hint, ...place });
    return true;
  }
  if (node.inputs.length === 0 && node.outputs.length === 0) {
    const message = `${nameUi(node, id)} is of a class that the server does not have, and has no connections: it is left out.`;
    report.add({ code: 'CONVERT_NODE_LEFT_OUT', severity: 'warning', message, hint: packHint(node), ...place });
    return false;
  }
  const message = `${nameUi(node, id)} is of a class that the object info does not have.`;
  report.add({ code: 'CONVERT_CLASS_UNKNOWN', severity: 'error', message, hint: packHint(node), ...place });
  return true;
}

function packHint(node: UiNode): string {
  const registry = textOf(member(node.properties, 'cnr_id'));
  const repository = textOf(member(node.properties, 'aux_id'));
  const version = textOf(member(node.properties, 'ver'));
  if (registry === 'comfy-core') {
    return `It is one of ComfyUI's own nodes${version === undefined ? '' : `, of version ${version}`}: update ComfyUI and save the object info again.`;
  }
  if (registry !== undefined)
    return `It comes with the node pack "${registry}": install it, restart ComfyUI and save the object info again.`;
  if (repository !== undefined)
    return `It comes with https://github.com/${repository}: install it, restart ComfyUI and save the object info again.`;
  return 'Install the node pack that brings this class and save the object info again, or replace the node.';
}
