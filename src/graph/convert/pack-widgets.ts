/** Widgets that node packs add by script, which no object info tells of: taken from what the file saved. */
import type { UiNode, Widget } from './shapes.ts';
import type { Value } from './value.ts';

const FLAGS = { sent: true, saved: true, controlled: false };
/** Previews and buttons; the page does not send them. */
const NOT_SENT = /preview$|^(?:choose .* to )?upload$|^control_after_generate$|^control_filter_list$/i;

/**
 * Video Helper Suite saves its widgets by name, with those that the chosen format brings (`crf`, `pix_fmt`); rgthree's Power Lora
 * Loader saves one object for each LoRA.
 */
export function packWidgets(node: UiNode, known: readonly Widget[]): Widget[] {
  const { byName, list } = node.saved;
  if (byName !== undefined) {
    const names = new Set(known.map(({ name }) => name));
    return [...byName].flatMap(([name, value]) => (names.has(name) || !isSent(name, value) ? [] : [{ name, value, ...FLAGS }]));
  }
  if (node.type !== 'Power Lora Loader (rgthree)' || list === undefined) return [];
  const loras = list.filter(({ kind, json }) => kind === 'object' && /"lora"\s*:/.test(json));
  return loras.map((value, index) => ({ name: `lora_${index + 1}`, value, ...FLAGS }));
}

/** An input of the node that is a link takes its place anyway. */
function isSent(name: string, { kind }: Value): boolean {
  return name !== '' && kind !== 'object' && kind !== 'array' && !NOT_SENT.test(name);
}
