/** Where a missing node pack or model can be had, as far as a workflow in UI format says it. */
import { member } from './json.ts';
import type { JsonNode, JsonObject } from './types.ts';

export interface PackSource {
  /** Name in the registry of ComfyUI Manager, or `owner/repository`. */
  readonly pack: string;
  readonly version?: string;
}

export interface ModelSource {
  readonly name: string;
  /** Model folder, e.g. `loras`. */
  readonly folder?: string;
  readonly url?: string;
}

export interface Sources {
  /** By node class. */
  readonly packs: ReadonlyMap<string, PackSource>;
  /** By `modelKey` of the file name. */
  readonly models: ReadonlyMap<string, ModelSource>;
}

export const NO_SOURCES: Sources = { packs: new Map(), models: new Map() };

/** Files are found by their own name: workflows write sub-folders in many ways. */
export function modelKey(name: string): string {
  return name.replaceAll('\\', '/').split('/').at(-1)?.toLowerCase() ?? '';
}

/** The first source that is named counts; `more` fills what `first` does not have. */
export function mergeSources(first: Sources, more: Sources): Sources {
  return { packs: new Map([...more.packs, ...first.packs]), models: new Map([...more.models, ...first.models]) };
}

/**
 * Reads `properties.cnr_id`, `aux_id`, `ver` and `models` of nodes and `models` of the workflow, also inside of subgraphs.
 * Other formats say nothing of these.
 */
export function sourcesOf(root: JsonNode): Sources {
  const packs = new Map<string, PackSource>();
  const models = new Map<string, ModelSource>();
  const subgraphs = member(member(root, 'definitions'), 'subgraphs');
  for (const graph of [root, ...items(subgraphs)]) {
    readModels(member(graph, 'models'), models);
    for (const node of items(member(graph, 'nodes'))) {
      const properties = member(node, 'properties');
      const type = text(node, 'type');
      const pack = text(properties, 'cnr_id') ?? text(properties, 'aux_id');
      const version = text(properties, 'ver');
      if (type !== undefined && pack !== undefined && !packs.has(type)) {
        packs.set(type, version === undefined ? { pack } : { pack, version });
      }
      readModels(member(properties, 'models'), models);
    }
  }
  return { packs, models };
}

function readModels(list: JsonNode | undefined, into: Map<string, ModelSource>): void {
  for (const entry of items(list)) {
    const name = text(entry, 'name');
    if (name === undefined || into.has(modelKey(name))) continue;
    const folder = text(entry, 'directory');
    const url = text(entry, 'url');
    into.set(modelKey(name), { name, ...(folder === undefined ? {} : { folder }), ...(url === undefined ? {} : { url }) });
  }
}

function items(node: JsonNode | undefined): readonly JsonObject[] {
  return node?.kind === 'array' ? node.items.filter((item) => item.kind === 'object') : [];
}

function text(node: JsonNode | undefined, name: string): string | undefined {
  const found = member(node, name);
  return found?.kind === 'string' && found.value !== '' ? found.value : undefined;
}

/** What to do about a class that a server lacks. */
export function packAdvice(source: PackSource): string {
  const { pack, version } = source;
  if (pack === 'comfy-core')
    return `It belongs to ComfyUI itself${version === undefined ? '' : ` (saved with ${version})`}: update ComfyUI.`;
  const named = version === undefined ? `"${pack}"` : `"${pack}" (saved with ${version})`;
  const where = /^[\w.-]+\/[\w.-]+$/.test(pack) ? `from https://github.com/${pack}` : 'with ComfyUI Manager';
  return `Install the node pack ${named} ${where} and restart ComfyUI.`;
}

/** What to do about a model file that a server lacks. `folder` is where inputs of this name look. */
export function modelAdvice(name: string, source: ModelSource | undefined, folder: string | undefined): string {
  const into = source?.folder ?? folder;
  const place = into === undefined ? 'into its model folder' : `into models/${into}`;
  if (source?.url !== undefined) return `Download ${source.url} and put it ${place} of the server.`;
  return `Put ${name} ${place} of the server, or choose a model that it has.`;
}
