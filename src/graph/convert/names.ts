/** Nodes of a UI-format file as problems call them, and front-end-only node types. */
import type { UiNode } from './shapes.ts';

export function nameUi(node: UiNode, id: string = node.id): string {
  const title = node.title !== undefined && node.title !== '' && node.title !== node.type ? ` "${node.title}"` : '';
  return `Node ${id}${title} (${node.type})`;
}

/** Nodes that pass their first input on, whatever pack they come from. */
const PASS_THROUGH = new Set(['Reroute', 'Reroute (rgthree)', 'SetNode', 'easy setNode']);
export const PRIMITIVE = 'PrimitiveNode';
/** Nodes that read what a Set node of the same name was given. */
export const GETTERS = new Set(['GetNode', 'easy getNode']);
export const SETTERS = new Set(['SetNode', 'easy setNode']);

/** Nodes that exist only in the browser and carry no data: notes, switches, labels. */
const ORNAMENTS = new Set([
  'Note',
  'MarkdownNote',
  'Bookmark (rgthree)',
  'Label (rgthree)',
  'Fast Muter (rgthree)',
  'Fast Bypasser (rgthree)',
  'Fast Groups Muter (rgthree)',
  'Fast Groups Bypasser (rgthree)',
  'Fast Actions Button (rgthree)',
  'Mute / Bypass Repeater (rgthree)',
  'Mute / Bypass Relay (rgthree)',
  'Random Unmuter (rgthree)',
  'Node Collector (rgthree)',
  'Node Combiner (rgthree)',
  'Note Plus (mtb)',
  'LabelNode',
  'WorkflowNote',
]);

/** What the front end calls a virtual node: it never reaches the server. A class that the server has is always real. */
export function isVirtual(node: UiNode): boolean {
  if (node.subgraph !== undefined || node.type === PRIMITIVE) return true;
  if (node.nodeClass !== undefined) return false;
  return PASS_THROUGH.has(node.type) || GETTERS.has(node.type) || ORNAMENTS.has(node.type);
}
