/** What a graph, as it is sent, was made with: its seeds and the model files that it names. Pure. */
import { parseGraph } from './graph.ts';
import { member, parseJson } from './json.ts';
import { isModelFile, modelFolder } from './models.ts';
import type { JsonNode } from './types.ts';

/** Where one stands; `node` is empty in settings of Wan2GP. */
interface Place {
  readonly node: string;
  readonly input: string;
}

export interface SeedUse extends Place {
  /** Its digits: seeds go to 2^64 − 1. */
  readonly value: string;
}

export interface ModelUse extends Place {
  readonly name: string;
  /** Model folder of the server, e.g. `loras`, where the input says it. */
  readonly folder?: string;
}

export interface GraphUses {
  readonly seeds: readonly SeedUse[];
  readonly models: readonly ModelUse[];
}

const SEED = /(?:^|_)seed(?:_?\d)?$/i;
const MODEL_SETTING = /^(?:model_type|model_filename|vae_filename)$/;

/** Never throws; a text that is neither a graph nor settings uses nothing. */
export function usesOf(text: string): GraphUses {
  const seeds: SeedUse[] = [];
  const models: ModelUse[] = [];
  const { graph } = parseGraph(text);
  for (const node of graph?.nodes.values() ?? []) {
    for (const { name, value, link } of node.inputs.values()) {
      if (link !== undefined) continue;
      const place = { node: node.id, input: name };
      if (isSeed(name, value)) seeds.push({ ...place, value: value.raw });
      for (const file of textsIn(value)) {
        const folder = modelFolder(node.classType, name);
        if (isModelFile(file)) models.push({ ...place, name: file, ...(folder === undefined ? {} : { folder }) });
      }
    }
  }
  return graph === undefined ? usesOfSettings(text) : { seeds, models };
}

// --- helpers ---

function usesOfSettings(text: string): GraphUses {
  const { root } = parseJson(text);
  if (root?.kind !== 'object' || member(root, 'model_type') === undefined) return { seeds: [], models: [] };
  const seeds: SeedUse[] = [];
  const models: ModelUse[] = [];
  for (const { key, value } of root.members) {
    const place = { node: '', input: key.value };
    if (isSeed(key.value, value)) seeds.push({ ...place, value: value.raw });
    if (MODEL_SETTING.test(key.value)) for (const name of textsIn(value)) models.push({ ...place, name });
    if (key.value === 'activated_loras') for (const name of textsIn(value)) models.push({ ...place, name, folder: 'loras' });
  }
  return { seeds, models };
}

/** A negative one asks for a seed that nobody knows. */
function isSeed(name: string, value: JsonNode): value is Extract<JsonNode, { kind: 'number' }> {
  return SEED.test(name) && value.kind === 'number' && /^\d+$/.test(value.raw);
}

/** Also those within lists and objects: stacks of LoRAs. */
function textsIn(value: JsonNode): readonly string[] {
  if (value.kind === 'string') return [value.value];
  if (value.kind === 'array') return value.items.flatMap(textsIn);
  return value.kind === 'object' ? value.members.flatMap((one) => textsIn(one.value)) : [];
}
