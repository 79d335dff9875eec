/** Use Everywhere (cg-use-everywhere): nodes that send to every unconnected input of their type, as links that the pack's script adds before a run. */
import { member } from '../json.ts';
import { nodeById } from './index-nodes.ts';
import { itemsOf, idOf, numberOf } from './read.ts';
import { BYPASSED, MUTED, type UiGraph, type UiInput, type UiNode } from './shapes.ts';

interface Sender {
  readonly node: UiNode;
  readonly type: string;
  /** What the receiver is linked to. */
  readonly origin: string;
  readonly slot: number;
  readonly title: string | undefined;
  readonly input: string | undefined;
  /** Senders that pick their receivers go before those that do not. */
  readonly specific: boolean;
}

const PROMPTS: readonly string[] = ['(_|\\b)pos(itive|_|\\b)|^prompt', '(_|\\b)neg(ative|_|\\b)'];

/** Adds the links that the pack would add. Nothing is sent where two senders could be meant, as in the pack itself. */
export function broadcast(graph: UiGraph): void {
  const senders = graph.nodes.flatMap((node) => (isActive(node) ? sendersOf(graph, node) : []));
  if (senders.length === 0) return;
  for (const node of graph.nodes) {
    if (!isActive(node) || isSender(node)) continue;
    for (const input of node.inputs) {
      if (input.link !== undefined || input.open !== true) continue;
      const matching = senders.filter((sender) => fits(sender, node, input));
      const specific = matching.filter((sender) => sender.specific);
      const [chosen, second] = specific.length > 0 ? specific : matching;
      if (chosen === undefined || second !== undefined) continue;
      const id = `sent to ${node.id} ${input.name}`;
      graph.links.set(id, { id, origin: chosen.origin, originSlot: chosen.slot, target: node.id, targetSlot: node.inputs.indexOf(input) });
      input.link = id;
    }
  }
}

const isActive = (node: UiNode): boolean => node.mode !== MUTED && node.mode !== BYPASSED;

const isSender = (node: UiNode): boolean =>
  /^(?:Anything Everywhere(?:3|\?)?|Prompts Everywhere|Seed Everywhere|UE\?? [A-Z_]+)$/.test(node.type);

function sendersOf(graph: UiGraph, node: UiNode): Sender[] {
  if (!isSender(node)) return [];
  const texts = (node.saved.list ?? []).map(({ text }) => text);
  if (node.type === 'Seed Everywhere') {
    return [{ node, type: 'INT', origin: node.id, slot: 0, title: undefined, input: '(_|\\b)seed(_|\\b)|^seed', specific: true }];
  }
  const picky = node.type.includes('?');
  const [title, input] = picky ? texts : [];
  // The oldest nodes of the pack have outputs of their own, and receivers are linked to these.
  if (node.type.startsWith('UE')) {
    return node.inputs.flatMap(({ type, link }, slot) => {
      return link === undefined ? [] : [{ node, type, origin: node.id, slot, title, input, specific: picky }];
    });
  }
  return node.inputs.flatMap((each, slot) => {
    const source = each.link === undefined ? undefined : sourceOf(graph, each.link);
    if (source === undefined) return [];
    const prompts = node.type === 'Prompts Everywhere';
    return [{ node, ...source, title, input: prompts ? PROMPTS[slot] : input, specific: picky || prompts }];
  });
}

function sourceOf(graph: UiGraph, id: string): Pick<Sender, 'type' | 'origin' | 'slot'> | undefined {
  const link = graph.links.get(id);
  const origin = nodeById(graph, link?.origin);
  if (link === undefined || origin === undefined) return undefined;
  return { type: origin.outputs[link.originSlot]?.type ?? '*', origin: origin.id, slot: link.originSlot };
}

function fits(sender: Sender, node: UiNode, input: UiInput): boolean {
  if (sender.type !== input.type || sender.origin === node.id) return false;
  return matches(sender.title, node.title ?? node.nodeClass?.displayName ?? node.type) && matches(sender.input, input.label ?? input.name);
}

/** Patterns of a file run only when they are harmless: letters, dots, bars, and stars after a dot. */
function matches(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined || pattern === '' || pattern === '.*') return true;
  if (pattern.length > 1000) return false;
  if (PROMPTS.includes(pattern) || pattern.startsWith('(_|\\b)seed')) return new RegExp(pattern, 'i').test(text);
  const parts = pattern.split('|');
  return parts.some((part) => text.toLowerCase().includes(part.replaceAll(/[.^$*\\()]/g, '').toLowerCase()));
}

/** `extra.ue_links`: what the pack itself worked out when the file was saved. */
export function applySavedBroadcasts(graph: UiGraph): boolean {
  const links = itemsOf(member(member(graph.at, 'extra'), 'ue_links'));
  for (const [index, item] of links.entries()) {
    const target = idOf(member(item, 'downstream'));
    const origin = idOf(member(item, 'upstream'));
    const slot = numberOf(member(item, 'downstream_slot')) ?? 0;
    const node = nodeById(graph, target);
    const input = node?.inputs.find(({ name }) => name === node.inputNames[slot]);
    const linked = input?.link !== undefined && graph.links.has(input.link);
    if (origin === undefined || node === undefined || input === undefined || linked) continue;
    const id = `sent ${index}`;
    graph.links.set(id, { id, origin, originSlot: numberOf(member(item, 'upstream_slot')) ?? 0, target: node.id, targetSlot: slot });
    input.link = id;
  }
  return links.length > 0;
}
