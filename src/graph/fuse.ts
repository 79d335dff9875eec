/** Two graphs as one prompt: where the second loads the picture that the first saves, it takes it from the first. Pure. */
import { parseGraph } from './graph.ts';
import { nameNode } from './names.ts';
import type { NodeClass, ObjectInfo } from './node-classes.ts';
import { isCore, seesGraph } from './optimise/known-classes.ts';
import { type GraphEdit, printStructure } from './print-graph.ts';
import type { Graph, GraphLink, GraphNode } from './types.ts';

export interface TakenPicture {
  /** The LoadImage of the second graph. */
  readonly loader: string;
  /** The SaveImage of the first. */
  readonly saver: string;
}

export interface FuseOptions {
  readonly info: ObjectInfo;
  /** Stands before the ids of the second graph. */
  readonly prefix: string;
  readonly taken: readonly TakenPicture[];
  /** The picture is handed on as the file would give it; else as it was computed, with all its digits. */
  readonly rounds: boolean;
}

/** `why`: a clause for people. */
export type Fused = { readonly text: string } | { readonly why: string };

/** Behind it, the id of the node that rounds stands for that of the loader. */
const ROUNDED = ':8bit';

/**
 * `rounds` makes of the picture what SaveImage and LoadImage would, bit for bit: `lanczos` goes through a picture of 8 bits, cut off and
 * rounded down as SaveImage does (comfy/utils.py), and Pillow scales to the same size by copying; SplitImageWithAlpha leaves three channels,
 * as LoadImage does, and lays them out in memory as a picture from a file is.
 */
export function fuseGraphs(first: Graph, second: Graph, { info, prefix, taken, rounds }: FuseOptions): Fused {
  const why =
    refusal(first, second, info, prefix) ??
    taken
      .map(({ saver, loader }) => saverRefusal(first, saver, info) ?? loaderRefusal(second, loader, info))
      .find((one) => one !== undefined) ??
    (rounds && !canRound(info) ? 'the server has no nodes that round a picture as a file does' : undefined);
  if (why !== undefined) return { why };
  const sources = new Map(taken.map(({ loader, saver }) => [loader, sourceOf(first, saver)]));
  const linkTo = ({ node, slot }: GraphLink): string => {
    const source = sources.get(node);
    return source === undefined || rounds ? linkText(prefix + node, slot) : linkText(source.node, source.slot);
  };
  const edits: GraphEdit[] = [...second.nodes.values()].flatMap(({ id, inputs }) =>
    [...inputs.values()].flatMap(({ name, link, value }) => {
      if (link !== undefined) return [{ node: id, input: name, json: linkTo(link) }];
      // Savers of both must not share a counter: whose file is whose would not be known.
      const isPrefix = name === 'filename_prefix' && value.kind === 'string';
      return isPrefix ? [{ node: id, input: name, json: JSON.stringify(prefix + value.value) }] : [];
    }),
  );
  const structure = { removedNodes: new Set(sources.keys()), removedInputs: new Map(), added: new Map() };
  const { graph: rest } = parseGraph(printStructure(second, edits, structure));
  const last = first.root.members.at(-1);
  if (rest === undefined || last === undefined) return { why: 'nothing would be left of it' };
  const rounding = rounds ? [...sources].flatMap(([loader, source]) => roundingNodes(prefix + loader, source)) : [];
  const others = rest.root.members.map(
    ({ key, value }) => `${JSON.stringify(prefix + key.value)}: ${rest.text.slice(value.start, value.end)}`,
  );
  const { text } = first;
  return { text: `${text.slice(0, last.value.end)},\n${[...rounding, ...others].join(',\n')}${text.slice(last.value.end)}` };
}

// --- helpers ---

function refusal(first: Graph, second: Graph, info: ObjectInfo, prefix: string): string | undefined {
  if ([first, second].some(({ nodes, root }) => nodes.size < root.members.length)) return 'a part of its graph cannot be read';
  if ([...first.nodes.keys()].some((id) => id.startsWith(prefix))) return 'ids of its nodes are in use';
  for (const node of [...first.nodes.values(), ...second.nodes.values()]) {
    const nodeClass = info.classes.get(node.classType);
    if (nodeClass === undefined) return `the server does not know ${nameNode(node)}`;
    if (seesGraph(nodeClass)) return `${nameNode(node)} is handed the whole graph and may read any of it`;
  }
  const named = [...second.nodes.values()].find(({ classType }) => mayUseId(info.classes.get(classType)));
  return named === undefined ? undefined : `${nameNode(named)} is told its id, which would be another one`;
}

/** ComfyUI's own nodes use it to show something. */
function mayUseId(nodeClass: NodeClass | undefined): boolean {
  return nodeClass !== undefined && !isCore(nodeClass) && nodeClass.hidden?.includes('UNIQUE_ID') === true;
}

function saverRefusal(graph: Graph, id: string, info: ObjectInfo): string | undefined {
  const node = graph.nodes.get(id);
  if (node === undefined || !isOwn(node, 'SaveImage', info)) return 'its picture is not saved by a SaveImage';
  return node.inputs.get('images')?.link === undefined ? 'its SaveImage has no picture' : undefined;
}

function loaderRefusal(graph: Graph, id: string, info: ObjectInfo): string | undefined {
  const node = graph.nodes.get(id);
  if (node === undefined || !isOwn(node, 'LoadImage', info)) return 'it does not take the picture with a LoadImage';
  const links = [...graph.nodes.values()].flatMap(({ inputs }) => [...inputs.values()].flatMap(({ link }) => link ?? []));
  return links.some((link) => link.node === id && link.slot !== 0) ? `it takes the mask of ${nameNode(node)} too` : undefined;
}

function isOwn({ classType }: GraphNode, name: string, { classes }: ObjectInfo): boolean {
  const nodeClass = classes.get(name);
  return classType === name && nodeClass !== undefined && isCore(nodeClass);
}

function canRound(info: ObjectInfo): boolean {
  const [scale, split] = ['ImageScaleBy', 'SplitImageWithAlpha'].map((name) => info.classes.get(name));
  const methods = scale?.inputs.get('upscale_method')?.choices ?? [];
  return scale !== undefined && split !== undefined && isCore(scale) && isCore(split) && methods.includes('lanczos');
}

function sourceOf(graph: Graph, saver: string): GraphLink {
  const link = graph.nodes.get(saver)?.inputs.get('images')?.link;
  if (link === undefined) throw new RangeError(`Node ${saver} saves no picture.`);
  return link;
}

function roundingNodes(id: string, { node, slot }: GraphLink): readonly string[] {
  const scale = { class_type: 'ImageScaleBy', inputs: { image: [node, slot], upscale_method: 'lanczos', scale_by: 1 } };
  const split = { class_type: 'SplitImageWithAlpha', inputs: { image: [id + ROUNDED, 0] } };
  return [`${JSON.stringify(id + ROUNDED)}: ${JSON.stringify(scale)}`, `${JSON.stringify(id)}: ${JSON.stringify(split)}`];
}

const linkText = (node: string, slot: number): string => `[${JSON.stringify(node)}, ${String(slot)}]`;
