/** Pass `equal-nodes`: of nodes that are equal with everything before them one gives its result for all. */
import { canonicalJson } from '../hash.ts';
import { pythonFloat, pythonInt } from '../input-values.ts';
import type { JsonNode } from '../types.ts';
import { toValue } from '../values.ts';
import { type Draft, type DraftInput, type DraftNode, saved } from './draft.ts';
import { isIdempotent } from './idempotent-classes.ts';
import { FRONT_END_ONLY, isCore, PREVIEWS } from './known-classes.ts';
import type { Found, Pass } from './types.ts';

export const equalNodes: Pass = {
  name: 'equal-nodes',
  does: 'Lets one of several equal nodes give its result for all.',
  condition:
    'Same class, same inputs, and links that lead to the same outputs. The class is one of ComfyUI’s own whose source has been read: no output node (previews whose texts or temporary files are wanted excepted), no hidden input, no NOT_IDEMPOTENT, no dice, clock or camera. Numbers are compared as the input reads them (`8` and `8.0` in a FLOAT); everything else as it is written. Nodes of packs and partner nodes are never merged.',
  proof:
    'ComfyUI’s own cache gives such nodes one key (`caching.py`, CacheKeySetInputSignature: class, IS_CHANGED, inputs and the same of everything before, without ids), so that it executes the first and takes its result for the others. Without that cache both compute the same.',
  example: 'Two `CLIPTextEncode` with the same text and CLIP: both samplers take the first.',

  run: (draft) => mergeEqual(draft, isMergeable, plainKey, () => WHY),
};

const WHY = 'It is equal to another node, with everything before it.';

export type KeyOf = (node: DraftNode, name: string, input: DraftInput) => string | undefined;

/** Merges nodes of one class with equal keys; the first that is wanted, else the first, stays. */
export function mergeEqual(
  draft: Draft,
  isCandidate: (node: DraftNode) => boolean,
  keyOf: KeyOf,
  why: (gone: DraftNode, kept: DraftNode) => string,
  best?: (a: DraftNode, b: DraftNode) => DraftNode,
): readonly Found[] {
  const found: Found[] = [];
  const kept = new Map<string, DraftNode>();
  for (const { id } of draft.inOrder()) {
    const node = draft.get(id);
    if (node === undefined || !isCandidate(node)) continue;
    const key = nodeKey(node, keyOf);
    const first = kept.get(key);
    if (first === undefined) {
      kept.set(key, node);
      continue;
    }
    const stays = best?.(first, node) ?? first;
    const goes = stays === first ? node : first;
    kept.set(key, stays);
    for (const { node: taker, input, slot } of draft.takersOf(goes.id)) draft.relink(taker.id, input, { node: stays.id, slot });
    const ran = draft.isCachedWith(goes.id, stays.id) ? {} : { ran: true };
    const [gone, ...feeders] = draft.removeWithFeeders(goes.id);
    if (gone !== undefined)
      found.push({ nodes: [saved(gone, { into: stays.id, ...ran }), ...feeders.map((feeder) => saved(feeder))], why: why(goes, stays) });
  }
  return found;
}

/** As the server's cache compares; an input that `keyOf` says nothing of does not count. */
export const plainKey: KeyOf = (node, name, { value }) => {
  const type = node.specs.get(name)?.type;
  if (type === undefined && FRONT_END_ONLY.has(name)) return undefined;
  return constantKey(value, type);
};

/** Numbers by value where the server turns them into such: 8 and 8.0 are two texts. */
export function constantKey(value: JsonNode, type: string | undefined): string {
  const number = type === 'INT' ? pythonInt(toValue(value)) : type === 'FLOAT' ? pythonFloat(toValue(value)) : undefined;
  if (number !== undefined) return `${type ?? ''} ${String(number)}`;
  // A spelling of its own may be a type of its own in Python.
  return value.kind === 'number' ? `number ${value.raw}` : `json ${exactJson(value)}`;
}

// --- helpers ---

function isMergeable({ nodeClass, classType }: DraftNode): boolean {
  if (isIdempotent(nodeClass)) return true;
  return nodeClass !== undefined && isCore(nodeClass) && PREVIEWS.has(classType);
}

function nodeKey(node: DraftNode, keyOf: KeyOf): string {
  const inputs = [...node.inputs].flatMap(([name, input]) => {
    const key = input.link === undefined ? keyOf(node, name, input) : `link ${input.link.slot} ${input.link.node}`;
    return key === undefined ? [] : [JSON.stringify([name, key])];
  });
  return `${node.classType}\n${inputs.toSorted().join('\n')}`;
}

/** Numbers inside lists and objects keep their spelling too. */
function exactJson(node: JsonNode): string {
  if (node.kind === 'number') return `#${node.raw}`;
  if (node.kind === 'array') return `[${node.items.map(exactJson).join(',')}]`;
  if (node.kind !== 'object') return canonicalJson(node);
  const members = new Map(node.members.map(({ key, value }) => [key.value, value]));
  return `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${exactJson(value)}`).join(',')}}`;
}
