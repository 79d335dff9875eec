/** The outputs of an adopted graph: the nodes that save files, named by their titles. */
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Graph, GraphNode } from '#graph/types.ts';
import { OUTPUT_NAME_PATTERN } from './manifest-schema.ts';
import { outputNodeName } from './addresses.ts';
import { identifier, suffixOf } from './identifier.ts';

export interface AdoptedOutputs {
  /** Output name → node id, or `*`. */
  readonly step: Readonly<Record<string, string>>;
  readonly template: Readonly<
    Record<string, { readonly from: string; readonly title?: string; readonly asset?: { readonly kind: string } }>
  >;
}

/** Class → what its files become in Blender. Previews are taken only where nothing is saved. */
const SAVERS: Readonly<Record<string, string>> = {
  SaveImage: 'image',
  SaveImageAdvanced: 'image',
  SaveImageWebsocket: 'image',
  'Image Save': 'image',
  SaveAnimatedPNG: 'movie',
  SaveAnimatedWEBP: 'movie',
  SaveWEBM: 'movie',
  SaveVideo: 'movie',
  VHS_VideoCombine: 'movie',
  SaveAudio: 'sound',
  SaveAudioMP3: 'sound',
  SaveAudioOpus: 'sound',
  SaveAudioAdvanced: 'sound',
  SaveGLB: 'mesh',
  Save3DAdvanced: 'mesh',
};
const PREVIEWS: Readonly<Record<string, string>> = {
  PreviewImage: 'image',
  MaskPreview: 'image',
  PreviewAudio: 'sound',
  Preview3D: 'mesh',
};

/** `chosen` are the outputs of the app mode. Where a node is an output of an unknown kind every file is taken. */
export function adoptOutputs(graph: Graph, info: ObjectInfo | undefined, chosen: readonly string[]): AdoptedOutputs {
  const named = chosen.flatMap((id) => graph.nodes.get(id) ?? []);
  const nodes = named.length > 0 ? named : outputNodes(graph, info);
  if (nodes === undefined || nodes.length === 0 || nodes.some(({ id }) => outputNodeName(id) === undefined))
    return { step: { files: '*' }, template: { files: { from: '{steps.main.files}' } } };
  const step: [string, string][] = [];
  const template: [string, AdoptedOutputs['template'][string]][] = [];
  const names = new Set<string>();
  for (const node of nodes) {
    const kind = kindOf(node);
    const name = nameOf(node, kind, names);
    const title = node.title === undefined || node.title === node.classType ? {} : { title: node.title.slice(0, 200) };
    step.push([name, outputNodeName(node.id) ?? '*']);
    template.push([name, { from: `{steps.main.${name}}`, ...title, ...(kind === undefined ? {} : { asset: { kind } }) }]);
  }
  return { step: Object.fromEntries(step), template: Object.fromEntries(template) };
}

const own = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
const kindOf = ({ classType }: GraphNode): string | undefined => own(SAVERS, classType) ?? own(PREVIEWS, classType);

/** Undefined when there may be outputs that the tables do not know. */
function outputNodes(graph: Graph, info: ObjectInfo | undefined): readonly GraphNode[] | undefined {
  const nodes = [...graph.nodes.values()];
  const savers = nodes.filter(({ classType }) => own(SAVERS, classType) !== undefined);
  const previews = nodes.filter(({ classType }) => own(PREVIEWS, classType) !== undefined);
  const fed = new Set(nodes.flatMap((node) => [...node.inputs.values()].flatMap(({ link }) => (link === undefined ? [] : [link.node]))));
  const unknown = nodes.filter((node) => {
    if (kindOf(node) !== undefined) return false;
    const nodeClass = info?.classes.get(node.classType);
    return nodeClass === undefined ? !fed.has(node.id) : nodeClass.outputNode;
  });
  if (unknown.length > 0) return undefined;
  return savers.length > 0 ? savers : previews;
}

const NAME = new RegExp(OUTPUT_NAME_PATTERN);

function nameOf(node: GraphNode, kind: string | undefined, taken: Set<string>): string {
  const titled =
    node.title === undefined || node.title === node.classType || /^(?:save|preview)\b/i.test(node.title) ? '' : identifier(node.title);
  const base = titled !== '' ? titled : (kind ?? 'files');
  const wanted = [base, `${base}_${suffixOf(node.id)}`].find((name) => NAME.test(name) && !taken.has(name)) ?? `files_${taken.size}`;
  taken.add(wanted);
  return wanted;
}
