/** Which files a graph would have saved, as far as the graph proves it: names, folder and how many (comfyui.md 3.1). */
import type { Graph, GraphNode } from '#graph/types.ts';
import type { RemoteFile } from '../contract.ts';
import { batchSize } from './batch-size.ts';
import { ownPrefix } from './prompt.ts';
import { isFields, list } from './replies.ts';
import type { Fields } from './replies.ts';

/** What a class saves in one call: `<prefix>_00001_.<extension>` and on, one for each picture of `batch`, else one. */
interface Saver {
  readonly extension: string;
  readonly key: string;
  readonly batch?: string;
}

const SAVERS: ReadonlyMap<string, Saver> = new Map([
  ['SaveImage', { extension: 'png', key: 'images', batch: 'images' }],
  ['SaveAnimatedPNG', { extension: 'png', key: 'images' }],
  ['SaveAnimatedWEBP', { extension: 'webp', key: 'images' }],
  ['SaveWEBM', { extension: 'webm', key: 'images' }],
  ['SaveVideo', { extension: 'mp4', key: 'images' }],
  ['SaveLatent', { extension: 'latent', key: 'latents' }],
]);

/** Output nodes whose files are temporary, so that a step that declares no outputs never counts them. */
const PREVIEWS = new Set(['PreviewImage', 'MaskPreview', 'PreviewAudio']);

export interface Expected {
  /** In the order in which the nodes stand in the graph. */
  readonly files: readonly RemoteFile[];
  /** The names that would follow: if one of them is there, the count was wrong. */
  readonly beyond: readonly RemoteFile[];
}

export interface GraphFacts {
  readonly promptId: string;
  readonly graph: Graph;
  /** Empty means every file. */
  readonly outputNodes: readonly string[];
  /** Raw object info: which classes are outputs, and which give lists, for which a node is called more than once. */
  readonly info: Fields;
  readonly isStill: (name: string) => Promise<boolean>;
}

/** The reason, as a clause for a person, when the graph does not prove which files there would be. */
export async function expectedFiles(facts: GraphFacts): Promise<Expected | string> {
  const { graph, outputNodes, info } = facts;
  const isOutput = ({ classType }: GraphNode): boolean => {
    const described = info[classType];
    return isFields(described) && described['output_node'] === true;
  };
  const wanted = [...graph.nodes.values()].filter((node) =>
    outputNodes.length > 0 ? outputNodes.includes(node.id) : isOutput(node) && !PREVIEWS.has(node.classType),
  );
  if (wanted.length === 0) return 'no node of the graph is known to save a file';
  const files: RemoteFile[] = [];
  const beyond: RemoteFile[] = [];
  const prefixes = new Set<string>();
  for (const node of wanted) {
    const found = await filesOf(node, facts);
    if (typeof found === 'string') return found;
    // Two savers that share a prefix share its counter, so their files cannot be told apart.
    const place = `${found.beyond.subfolder}/${found.beyond.filename.replace(/\d+_\.\w+$/, '')}`.toLowerCase();
    if (prefixes.has(place)) return `${nameOf(node)} saves under the same prefix as another node`;
    prefixes.add(place);
    files.push(...found.files);
    beyond.push(found.beyond);
  }
  return { files, beyond };
}

async function filesOf(node: GraphNode, facts: GraphFacts): Promise<{ files: readonly RemoteFile[]; beyond: RemoteFile } | string> {
  const saver = SAVERS.get(node.classType);
  if (saver === undefined) return `it is not known how ${nameOf(node)} names its files`;
  const prefix = node.inputs.get('filename_prefix')?.value;
  if (prefix?.kind !== 'string' || prefix.value.includes('%')) return `the prefix of ${nameOf(node)} is made up while it runs`;
  const many = manyTimes(facts.graph, node, facts.info);
  if (many !== undefined) return `${nameOf(many)} may give a list, for each part of which ${nameOf(node)} saves a file`;
  const count = saver.batch === undefined ? 1 : await batchSize(facts.graph, node, saver.batch, facts.isStill);
  if (count === undefined) return `the graph does not say how many files ${nameOf(node)} saves`;
  const path = ownPrefix(facts.promptId, prefix.value);
  const cut = path.lastIndexOf('/');
  const file = (number: number): RemoteFile => ({
    node: node.id,
    key: saver.key,
    filename: `${path.slice(cut + 1)}_${String(number).padStart(5, '0')}_.${saver.extension}`,
    subfolder: path.slice(0, cut),
    type: 'output',
  });
  return { files: Array.from({ length: count }, (_, index) => file(index + 1)), beyond: file(count + 1) };
}

/** A node above this one that may give a list, or that the server does not describe. */
function manyTimes(graph: Graph, node: GraphNode, info: Fields): GraphNode | undefined {
  const seen = new Set([node.id]);
  const open = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const { link } of at.inputs.values()) {
      const source = link === undefined ? undefined : graph.nodes.get(link.node);
      if (link === undefined || source === undefined) continue;
      const described = info[source.classType];
      if (!isFields(described) || list(described['output_is_list'])[link.slot] !== false) return source;
      if (!seen.has(source.id)) open.push(source);
      seen.add(source.id);
    }
  }
  return undefined;
}

function nameOf(node: GraphNode): string {
  return `node ${node.id} (${node.classType})`;
}
