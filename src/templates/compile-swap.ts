/** Compiles one swap of `patch`: the nodes that come in, what fills them, and who gives what the old node gave. */
import type { NewNode, Rewiring } from '#graph/patch-graph.ts';
import { createLineIndex } from '#graph/json.ts';
import { linkOf } from '#graph/graph.ts';
import type { GraphLink, JsonNode } from '#graph/types.ts';
import type { PatchPlace } from './compile-patch.ts';
import { checkWhole, compilePieces } from './compile-workflow.ts';
import type { Site } from './compiled.ts';
import { nodeAt, objectAt, type Path, pointerOf } from './locate.ts';
import { didYouMean } from '#graph/suggest.ts';
import type { PatchDefinition } from './types.ts';

export interface CompiledSwap {
  readonly node: string;
  readonly nodes: readonly NewNode[];
  readonly rewire: readonly Rewiring[];
  readonly sites: readonly Site[];
}

export function compileSwap(place: PatchPlace, patch: PatchDefinition, at: number): CompiledSwap | undefined {
  const node = place.find(patch.swap ?? '', ['swap']);
  const names = Object.keys(patch.nodes ?? {});
  if (names.length === 0) {
    const hint = 'Add e.g. "nodes": { "gguf": { "class_type": "UnetLoaderGGUF", "inputs": { "unet_name": "{model}" } } }.';
    place.report([], 'TEMPLATE_PATCH_NODES', 'It is not said which node takes the place of the old one.', { hint });
  }
  if (node === undefined || names.length === 0) return undefined;
  const ids = new Map(names.map((name) => [name, freshId(place, `${node}:patch${at + 1}-${name}`)]));
  for (const name of names) {
    if (!place.graph.nodes.has(name)) continue;
    const hint = 'Give it a name that no node of the workflow has as its id.';
    place.report(['nodes', name], 'TEMPLATE_PATCH_NODES', `"${name}" is the id of a node of the workflow.`, { hint, key: true });
  }
  const sites: Site[] = [];
  const nodes = names.flatMap((name) => {
    const definition = patch.nodes?.[name];
    const id = ids.get(name);
    if (definition === undefined || id === undefined) return [];
    const { class_type: classType, title = classType } = definition;
    return [{ id, classType, title, inputs: inputsOf(place, { name, id, classType, node, ids }, sites) }];
  });
  return { node, nodes, rewire: rewiring(place, patch, node, ids), sites };
}

/** Ids of the workflow may look like ours. */
export function freshId({ graph }: Pick<PatchPlace, 'graph'>, wanted: string): string {
  let id = wanted;
  for (let number = 2; graph.nodes.has(id); number += 1) id = `${wanted}-${number}`;
  return id;
}

interface Incoming {
  readonly name: string;
  readonly id: string;
  readonly classType: string;
  /** The node whose place it takes. */
  readonly node: string;
  readonly ids: ReadonlyMap<string, string>;
}

function inputsOf(place: PatchPlace, incoming: Incoming, sites: Site[]): NewNode['inputs'] {
  const { where } = place.context;
  const own: Path = ['nodes', incoming.name, 'inputs'];
  const object = objectAt(nodeAt(where.root, [...place.path, 'nodes', incoming.name]), 'inputs');
  return (object?.members ?? []).flatMap(({ key, value }): NewNode['inputs'] => {
    const name = key.value;
    const link = value.kind === 'array' ? linkOf(value) : undefined;
    if (link !== undefined) {
      const to = linkTo(place, incoming, link, [...own, name]);
      return to === undefined ? [] : [[name, to]];
    }
    const site = siteOf(place, incoming, name, value, [...own, name]);
    if (site !== undefined) sites.push(site);
    return [[name, { json: where.text.slice(value.start, value.end) }]];
  });
}

function linkTo(place: PatchPlace, { node, ids }: Incoming, { node: target, slot }: GraphLink, at: Path): GraphLink | undefined {
  const id = ids.get(target) ?? (place.graph.nodes.has(target) ? target : undefined);
  if (id !== undefined && id !== node && Number.isSafeInteger(slot) && slot >= 0) return { node: id, slot };
  if (id === undefined) {
    const names = [...ids.keys(), ...place.graph.nodes.keys()];
    const message = `The link leads to "${target}", which is neither a node of this swap nor one of the workflow.`;
    place.report(at, 'TEMPLATE_NODE_UNKNOWN', message, { hint: didYouMean(target, names, 'nodes'), node: target });
  } else if (id === node) {
    const hint = 'Link to what feeds the old node.';
    place.report(at, 'TEMPLATE_PATCH_NODES', `The link leads to node ${node}, which is not there after the swap.`, { hint, node });
  } else {
    const hint = 'Count the outputs from 0.';
    place.report(at, 'TEMPLATE_PATCH_NODES', `Output ${slot} of node "${target}" cannot exist.`, { hint, node: target });
  }
  return undefined;
}

function siteOf(place: PatchPlace, { id, classType }: Incoming, input: string, value: JsonNode, at: Path): Site | undefined {
  const { where } = place.context;
  const path = [...place.path, ...at];
  const tell = ({
    code,
    message,
    severity,
    hint,
  }: {
    code: string;
    message: string;
    severity: 'error' | 'warning' | 'info';
    hint: string;
  }) => place.report(at, code, message, { severity, hint, input });
  const { environment, uses } = place.workflow;
  const pieces = compilePieces(value, where.text, { environment, uses, report: tell, ours: true });
  if (pieces === undefined) return undefined;
  checkWhole(pieces, undefined, place.workflow, tell);
  const position = createLineIndex(where.text).positionOf(value.start);
  return {
    node: id,
    input,
    classType,
    pieces,
    from: 'set',
    current: undefined,
    place: { file: where.file, ...position, pointer: pointerOf(path) },
  };
}

function rewiring(place: PatchPlace, patch: PatchDefinition, node: string, ids: ReadonlyMap<string, string>): readonly Rewiring[] {
  const used = usedSlots(place, node);
  const [only, ...others] = ids.values();
  if (patch.outputs === undefined && only !== undefined && others.length === 0) {
    return used.map(({ slot }) => ({ from: { node, slot }, to: { node: only, slot } }));
  }
  const rewire: Rewiring[] = [];
  for (const [key, target] of Object.entries(patch.outputs ?? {})) {
    const [name, slot] = target;
    const id = ids.get(name);
    if (!/^\d{1,4}$/.test(key) || !Number.isSafeInteger(slot) || slot < 0) {
      const hint = 'Write the number of an output of the old node, and for it e.g. ["gguf", 0].';
      place.report(['outputs', key], 'TEMPLATE_PATCH_NODES', `"${key}" does not say which output gives what.`, { hint });
    } else if (id === undefined) {
      const hint = didYouMean(name, ids.keys(), 'nodes');
      place.report(['outputs', key], 'TEMPLATE_NODE_UNKNOWN', `This swap has no node "${name}".`, { hint, node: name });
    } else rewire.push({ from: { node, slot: Number(key) }, to: { node: id, slot } });
  }
  for (const { slot, by } of used) {
    if (Object.hasOwn(patch.outputs ?? {}, String(slot))) continue;
    const message = `Output ${slot} of node ${node} goes into ${by}, and the swap does not say which node gives it.`;
    const hint = `Add "${slot}": ["${[...ids.keys()][0] ?? 'name'}", 0] to "outputs".`;
    place.report(patch.outputs === undefined ? [] : ['outputs'], 'TEMPLATE_PATCH_NODES', message, { hint, node });
  }
  return rewire;
}

function usedSlots({ graph }: PatchPlace, node: string): readonly { readonly slot: number; readonly by: string }[] {
  const used = new Map<number, string>();
  for (const { id, inputs } of graph.nodes.values()) {
    for (const { name, link } of inputs.values()) {
      if (link?.node === node && !used.has(link.slot)) used.set(link.slot, `input "${name}" of node ${id}`);
    }
  }
  return [...used].map(([slot, by]) => ({ slot, by })).toSorted((a, b) => a.slot - b.slot);
}
