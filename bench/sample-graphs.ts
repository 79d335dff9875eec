/** Graphs and templates of known size for the benchmarks, the same in every run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type ApiNode = { readonly class_type: string; readonly inputs: Record<string, unknown>; readonly _meta: { readonly title: string } };
export type ApiGraph = Record<string, ApiNode>;

const node = (title: string, class_type: string, inputs: Record<string, unknown>): ApiNode => ({ class_type, inputs, _meta: { title } });

/** The seven nodes of text to image: what every end-to-end row sends. */
export function textToImage(prompt: string, seed: number): ApiGraph {
  return {
    '3': node('Sampler', 'KSampler', {
      seed,
      steps: 4,
      cfg: 7.5,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    }),
    '4': node('Checkpoint', 'CheckpointLoaderSimple', { ckpt_name: 'sd15.safetensors' }),
    '5': node('Size', 'EmptyLatentImage', { width: 512, height: 512, batch_size: 1 }),
    '6': node('Positive', 'CLIPTextEncode', { text: prompt, clip: ['4', 1] }),
    '7': node('Negative', 'CLIPTextEncode', { text: 'text, watermark, blurry, low quality', clip: ['4', 1] }),
    '8': node('Decode', 'VAEDecode', { samples: ['3', 0], vae: ['4', 2] }),
    '9': node('Save', 'SaveImage', { images: ['8', 0], filename_prefix: 'bench' }),
  };
}

/**
 * One loader and then blocks of five nodes (two texts, an empty latent, a sampler, a decoder), as many as fit,
 * and a saver as the last node. Every sampler takes the latent of the block before it, so the links run through the whole graph.
 */
export function largeGraph(nodes: number): ApiGraph {
  const graph: ApiGraph = { '1': node('Checkpoint', 'CheckpointLoaderSimple', { ckpt_name: 'sd_xl_base_1.0.safetensors' }) };
  let sampler: string | undefined;
  let decoder = '1';
  for (let next = 2; next + 5 <= nodes; next += 5) {
    const [positive, negative, latent, own, decode] = [next, next + 1, next + 2, next + 3, next + 4].map(String) as [
      string,
      string,
      string,
      string,
      string,
    ];
    graph[positive] = node(`Positive ${positive}`, 'CLIPTextEncode', {
      text: `a photograph of a "quiet" harbour at dawn, take ${positive}\nsoft light, 35mm, (detailed:1.2)`,
      clip: ['1', 1],
    });
    graph[negative] = node(`Negative ${negative}`, 'CLIPTextEncode', { text: 'blurry, watermark, extra fingers', clip: ['1', 1] });
    graph[latent] = node(`Size ${latent}`, 'EmptyLatentImage', { width: 1024, height: 576, batch_size: 1 });
    graph[own] = node(`Sampler ${own}`, 'KSampler', {
      seed: 8_566_257 * next,
      steps: 20 + (next % 30),
      cfg: 7.5,
      sampler_name: 'dpmpp_2m_sde',
      scheduler: 'karras',
      denoise: 0.87,
      model: ['1', 0],
      positive: [positive, 0],
      negative: [negative, 0],
      latent_image: [sampler ?? latent, 0],
    });
    graph[decode] = node(`Decode ${decode}`, 'VAEDecode', { samples: [own, 0], vae: ['1', 2] });
    sampler = own;
    decoder = decode;
  }
  for (let next = Object.keys(graph).length + 1; next < nodes; next += 1) {
    graph[String(next)] = node(`Size ${next}`, 'EmptyLatentImage', { width: 512, height: 512, batch_size: 1 });
  }
  graph[String(nodes)] = node('Save', 'SaveImage', { images: [decoder, 0], filename_prefix: 'bench' });
  return graph;
}

/** Where `largeGraph` has a text and a seed that a template sets: the first block and the last. */
export function injectionSites(graph: ApiGraph): Readonly<Record<string, string>> {
  const samplers = Object.keys(graph).filter((id) => graph[id]?.class_type === 'KSampler');
  const texts = Object.keys(graph).filter((id) => graph[id]?.class_type === 'CLIPTextEncode');
  const sites: Record<string, string> = {};
  for (const id of [samplers.at(0), samplers.at(-1)]) if (id !== undefined) sites[`${id}.seed`] = '{seed}';
  for (const id of [texts.at(0), texts.at(-2)]) if (id !== undefined) sites[`${id}.text`] = '{prompt}';
  return sites;
}

const PARAMETERS = { prompt: { type: 'text', default: '' }, seed: { type: 'seed' } };

/** A template of one step over `graph`. */
export function writeLargeTemplate(folder: string, id: string, graph: ApiGraph): void {
  const steps = [
    { id: 'draw', workflow: 'graph.json', set: injectionSites(graph), outputs: { picture: String(Object.keys(graph).length) } },
  ];
  writeTemplate(folder, { id, steps }, { 'graph.json': graph });
}

/** A chain of `count` steps, each text to image, each waiting for the one before it. */
export function writeChainTemplate(folder: string, id: string, count: number): void {
  const steps = Array.from({ length: count }, (_, index) => ({
    id: `step-${index + 1}`,
    workflow: 'text-to-image.json',
    ...(index === 0 ? {} : { needs: [`step-${index}`] }),
    set: { '6.text': `{prompt}, step ${index + 1}`, '3.seed': '{seed}' },
    outputs: { picture: '9' },
  }));
  writeTemplate(folder, { id, steps }, { 'text-to-image.json': textToImage('', 0) });
}

function writeTemplate(folder: string, manifest: { id: string; steps: unknown }, workflows: Readonly<Record<string, ApiGraph>>): void {
  mkdirSync(folder, { recursive: true });
  const whole = { format: 1, version: '1.0.0', title: manifest.id, category: 'bench', parameters: PARAMETERS, ...manifest };
  writeFileSync(join(folder, 'template.json'), JSON.stringify(whole, undefined, 2));
  for (const [name, graph] of Object.entries(workflows)) writeFileSync(join(folder, name), JSON.stringify(graph, undefined, 2));
}
