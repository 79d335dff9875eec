/** Breaks 10 to 28 of docs/checking.md: links. */
import { isLinkType } from '#graph/links.ts';
import { typesFit } from '#graph/link-types.ts';
import type { GraphLink, JsonValue } from '#graph/types.ts';
import type { Break } from './break-nodes.ts';
import type { Random } from './random.ts';
import { ancestors, edited, fittingSlot, type Place, type Target, withInput } from './target.ts';

/** Replaces one link; undefined where the change does not apply to it. */
const link =
  (change: (link: GraphLink, place: Place, target: Target) => JsonValue | undefined): Break =>
  (target, random) => {
    const place = random.pick(target.links);
    if (place?.given.link === undefined) return undefined;
    const value = change(place.given.link, place, target);
    return value === undefined ? undefined : withInput(target, place, value);
  };

const requiredData: (value: JsonValue | undefined) => Break = (value) => (target, random) => {
  const place = random.pick(target.links.filter(({ spec }) => spec.required && isLinkType(spec)));
  return place === undefined ? undefined : withInput(target, place, value);
};

function outputsOf({ graph, info }: Target, id: string) {
  return info.classes.get(graph.nodes.get(id)?.classType ?? '')?.outputs ?? [];
}

const wrongType: Break = (target, random) => {
  const place = random.pick(target.links);
  if (place === undefined) return undefined;
  // Sources behind the node would close a circle, which is another break.
  const sources = [...target.graph.nodes.keys()].filter((id) => !ancestors(target.graph, id).has(place.id));
  const wrong = sources.flatMap((id) =>
    outputsOf(target, id).flatMap(({ type }, slot) => (typesFit(type, place.spec.type) ? [] : [[id, slot] as const])),
  );
  const chosen = random.pick(wrong);
  return chosen === undefined ? undefined : withInput(target, place, [...chosen]);
};

const exchangedLinks: Break = (target, random) => {
  const typeOf = ({ given }: Place) => outputsOf(target, given.link?.node ?? '')[given.link?.slot ?? 0]?.type ?? '';
  const pairs = target.links.flatMap((one) =>
    target.links
      .filter((two) => one.id === two.id && one.input < two.input && !typesFit(typeOf(one), typeOf(two)))
      .map((two) => [one, two] as const),
  );
  const [one, two] = random.pick(pairs) ?? [];
  if (one?.given.link === undefined || two?.given.link === undefined) return undefined;
  const [first, second] = [one.given.link, two.given.link];
  const text = edited(target, (nodes) => {
    const inputs = nodes[one.id]?.inputs;
    if (inputs === undefined) return;
    inputs[one.input] = [second.node, second.slot];
    inputs[two.input] = [first.node, first.slot];
  });
  return { where: `${one.id}.${one.input} and ${two.input}`, text };
};

const circle: Break = (target, random) => {
  const closing = random.pick(target.links);
  if (closing === undefined) return undefined;
  const behind = [...target.graph.nodes.keys()].filter((id) => id !== closing.id && ancestors(target.graph, id).has(closing.id));
  const end = random.pick(behind);
  return end === undefined ? undefined : withInput(target, closing, [end, fittingSlot(target, end, closing.spec.type)]);
};

const removed: Break = (target: Target, random: Random) => {
  const place = random.pick(target.links.filter(({ spec }) => spec.required));
  return place === undefined ? undefined : withInput(target, place, undefined);
};

export const LINK_BREAKS: Readonly<Record<number, Break>> = {
  10: link(({ node, slot }) => [`${node}9999`, slot]),
  11: link(({ slot }) => [null, slot]),
  12: link(({ node }) => [node, null]),
  13: link(({ node }) => [node, -1]),
  14: link(({ node }) => [node, 0.5]),
  15: link(({ node, slot }) => [node, String(slot)]),
  16: link(({ node }, _place, target) => [node, outputsOf(target, node).length]),
  17: link(({ node }) => [node, 999]),
  18: link(({ node, slot }) => [node, slot, 0]),
  19: link(({ node }) => [node]),
  20: link(() => []),
  21: link(({ node, slot }) => (/^\d{1,15}$/.test(node) ? [Number(node), slot] : undefined)),
  22: wrongType,
  23: exchangedLinks,
  24: requiredData(null),
  25: requiredData('model'),
  26: circle,
  27: link((_link, { id, spec }, target) => [id, fittingSlot(target, id, spec.type)]),
  28: removed,
};
