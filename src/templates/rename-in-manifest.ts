/** What a manifest says of inputs, outputs and classes that are called otherwise now, written into its text: `set`, `lowMemory` and `patch`. */
import { linkOf } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { planReplacements, type Replaced, type ReplacedNode, slotIn } from '#graph/replace-nodes.ts';
import { removeMembers, rewrite, type Splice } from '#graph/rewrite.ts';
import type { GraphInput, GraphNode, JsonMember, JsonNode, JsonObject, NodeReplacement } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';
import { findNode, parseAddress } from './addresses.ts';
import type { CompiledPatch, CompiledStep, CompiledTemplate } from './compiled.ts';
import { member, nodeAt, objectAt } from './locate.ts';
import { tellReplaced } from './replacement-words.ts';

export interface RenamedManifest {
  readonly text: string;
  /** One `info` for each node of a patch that is of another class now; `file` as the template was compiled. */
  readonly problems: readonly Problem[];
}

/** `text` is of the format of today; `replaced` are the graphs by their files. */
export function renameInManifest(
  text: string,
  { steps, manifest }: CompiledTemplate,
  replaced: ReadonlyMap<string, Replaced>,
  info: ObjectInfo | undefined,
): RenamedManifest {
  const { root } = parseJson(text);
  if (root === undefined || info === undefined) return { text, problems: [] };
  const problems: Problem[] = [];
  const splices = manifest.steps.flatMap(({ id, workflow }, index): Splice[] => {
    const step = steps.find((each) => each.id === id);
    if (step === undefined) return [];
    const nodes = replaced.get(workflow)?.nodes ?? [];
    const keys = [
      ['steps', index, 'set'],
      ['steps', index, 'lowMemory', 'set'],
    ].flatMap((path) => renamedKeys(nodeAt(root, path), step, nodes));
    const swaps = step.patches.flatMap((patch) => {
      if (patch.kind !== 'swap') return [];
      const at = nodeAt(root, ['steps', index, 'patch', patch.at]);
      return at.kind === 'object' ? renamedSwap({ text, info, nodes, problems }, at, patch) : [];
    });
    return [...keys, ...swaps];
  });
  return splices.length === 0 ? { text, problems } : { text: rewrite(text, splices).text, problems };
}

// --- helpers ---

/** Keys of `set` that address inputs which are called otherwise now. */
function renamedKeys(set: JsonNode, step: CompiledStep, nodes: readonly ReplacedNode[]): Splice[] {
  if (set.kind !== 'object' || nodes.length === 0) return [];
  return set.members.flatMap(({ key, value }) => {
    const names = newNames(step, nodes, key.value);
    const [first, ...copies] = names.map((name) => JSON.stringify(name));
    if (first === undefined || (copies.length === 0 && names[0] === key.value)) return [];
    const more = copies.flatMap((name) => [', ', name, ': ', { start: value.start, end: value.end }]);
    return [
      { start: key.start, end: key.end, parts: [first] },
      { start: value.end, end: value.end, parts: more },
    ];
  });
}

function newNames({ graph }: CompiledStep, nodes: readonly ReplacedNode[], key: string): readonly string[] {
  const address = parseAddress(key);
  const found = address === undefined ? undefined : findNode(graph, address);
  const node = found !== undefined && 'node' in found ? nodes.find(({ id }) => id === found.node.id) : undefined;
  if (address === undefined || node === undefined) return [key];
  const names = node.namesOf(address.input);
  // Without a place it stays, and goes on being reported; a plan that was cut short has the new name already.
  return names.length === 0 ? [key] : names.map((name) => key.slice(0, key.length - address.input.length) + name);
}

interface SwapContext {
  readonly text: string;
  readonly info: ObjectInfo;
  /** Of the workflow. */
  readonly nodes: readonly ReplacedNode[];
  readonly problems: Problem[];
}

type CompiledSwap = Extract<CompiledPatch, { kind: 'swap' }>;

/** The nodes that come in, their links, and the numbers of outputs on both sides. */
function renamedSwap({ text, info, nodes, problems }: SwapContext, at: JsonObject, patch: CompiledSwap): Splice[] {
  const around = new Map(nodes.map(({ id, replacement }) => [id, replacement]));
  const written = objectAt(at, 'nodes');
  const own = new Map((written?.members ?? []).flatMap(({ key, value }) => readNode(key.value, value)));
  const made = planReplacements({ text, nodes: own }, info, { around });
  problems.push(...made.nodes.map((node) => tellReplaced(node, { text }, { ...patch.place, node: patch.node })));
  const inside = new Map(made.nodes.map(({ id, replacement }) => [id, replacement]));
  return [...made.splices, ...renamedOutputs(at, written, patch, around.get(patch.node), inside)];
}

/** One without inputs stays as it is written, and goes on being replaced in memory. */
function readNode(id: string, at: JsonNode): readonly [string, GraphNode][] {
  const classType = member(at, 'class_type');
  const inputsAt = objectAt(at, 'inputs');
  if (at.kind !== 'object' || classType?.kind !== 'string' || inputsAt === undefined) return [];
  const inputs = inputsAt.members.map(({ key, value }): [string, GraphInput] => {
    const link = value.kind === 'array' ? linkOf(value) : undefined;
    return [key.value, { name: key.value, value, ...(link === undefined ? {} : { link }) }];
  });
  return [[id, { id, classType: classType.value, inputs: new Map(inputs), at, inputsAt }]];
}

/** A swap by a single node without `outputs` counts on equal numbers; where these are equal no more, they are written. */
function renamedOutputs(
  at: JsonObject,
  written: JsonObject | undefined,
  { rewire }: CompiledSwap,
  old: NodeReplacement | undefined,
  inside: ReadonlyMap<string, NodeReplacement>,
): Splice[] {
  const outputs = objectAt(at, 'outputs');
  if (outputs !== undefined) return led(outputs, old, inside);
  const [only] = written?.members ?? [];
  if (written === undefined || only === undefined) return [];
  const pairs = rewire.map(({ from, to }) => [slotIn(old, from.slot), slotIn(inside.get(only.key.value), to.slot)] as const);
  if (pairs.every(([from, to]) => from === to)) return [];
  const listed = pairs.map(([from, to]) => `"${from}": [${JSON.stringify(only.key.value)}, ${to}]`);
  return [{ start: written.end, end: written.end, parts: [`, "outputs": { ${listed.join(', ')} }`] }];
}

/** Of two outputs that are one now, the one that the replacement speaks of stays, else the first, as in memory. */
function led(outputs: JsonObject, old: NodeReplacement | undefined, inside: ReadonlyMap<string, NodeReplacement>): Splice[] {
  const isNamed = ({ key }: JsonMember): boolean => old?.outputs?.has(Number(key.value)) === true;
  const taken = new Set<number>();
  const gone = new Set<JsonMember>();
  const edits = outputs.members
    .toSorted((a, b) => Number(isNamed(b)) - Number(isNamed(a)))
    .flatMap((output): Splice[] => {
      const { key, value } = output;
      const from = slotIn(old, Number(key.value));
      if (taken.has(from)) {
        gone.add(output);
        return [];
      }
      taken.add(from);
      const [name, slot] = value.kind === 'array' ? value.items : [];
      const to = name?.kind === 'string' && slot?.kind === 'number' ? slotIn(inside.get(name.value), Number(slot.raw)) : undefined;
      const number = slot === undefined || to === undefined ? [] : [{ start: slot.start, end: slot.end, parts: [String(to)] }];
      return [{ start: key.start, end: key.end, parts: [JSON.stringify(String(from))] }, ...number];
    });
  return [...edits, ...removeMembers(outputs, gone)];
}
