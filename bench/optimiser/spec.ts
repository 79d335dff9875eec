/** The frozen requests: what an artist asks for, in order. */
import { readFileSync } from 'node:fs';

export interface Request {
  readonly template: string;
  /** A value `{picture: NAME}` stands for the path of that picture. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Places of candidates that are picked when the run asks. */
  readonly choose?: Readonly<Record<string, readonly number[]>>;
  /** How the run ends, when not well. */
  readonly expect?: 'failed';
}

export type SequenceEvent =
  | { readonly start: Request }
  /** Queued together, before the first of them begins. */
  | { readonly batch: readonly Request[] }
  | { readonly restart: 'server' | 'daemon' }
  /** Nodes of the class fail until the run that follows has ended. */
  | { readonly fail: { readonly class: string } };

export interface Sequence {
  readonly id: string;
  readonly title: string;
  readonly what: string;
  readonly events: readonly SequenceEvent[];
}

export interface Spec {
  readonly pictures: Readonly<Record<string, { readonly width: number; readonly height: number; readonly seed: number }>>;
  readonly sequences: readonly Sequence[];
}

/** `sequences` are the frozen ones; `extra-sequences` are not judged; `pixel-sequences` need no model. */
export function readSpec(name: 'sequences' | 'extra-sequences' | 'pixel-sequences'): Spec {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as Spec;
}

/** Class inputs that name model files, with the folder they lie in. */
const FILE_INPUTS: Readonly<Record<string, string>> = {
  ckpt_name: 'checkpoints',
  unet_name: 'diffusion_models',
  clip_name: 'text_encoders',
  clip_name1: 'text_encoders',
  clip_name2: 'text_encoders',
  vae_name: 'vae',
  lora_name: 'loras',
  control_net_name: 'controlnet',
  model_name: 'upscale_models',
};

/** `folder/name` of every model file that the graphs name, in the order in which they do. */
export function modelFiles(graphs: readonly string[]): string[] {
  const found = new Set<string>();
  for (const text of graphs)
    for (const { inputs } of Object.values(JSON.parse(text) as Record<string, { inputs?: Record<string, unknown> }>))
      for (const [input, value] of Object.entries(inputs ?? {})) {
        const folder = FILE_INPUTS[input];
        if (folder !== undefined && typeof value === 'string') found.add(`${folder}/${value}`);
      }
  return [...found];
}

/** Models that requests name as parameters; the folder follows from the parameter. */
export function requestedFiles(spec: Spec): string[] {
  const found = new Set<string>();
  const requests = spec.sequences.flatMap(({ events }) =>
    events.flatMap((event) => ('start' in event ? [event.start] : 'batch' in event ? event.batch : [])),
  );
  for (const { parameters } of requests)
    for (const [name, value] of Object.entries(parameters))
      for (const one of [value].flat()) {
        if (typeof one !== 'string' || !/\.(safetensors|ckpt|pth)/.test(one)) continue;
        const folder = name === 'loras' ? 'loras' : name === 'upscaler' ? 'upscale_models' : 'checkpoints';
        found.add(`${folder}/${one.replace(/:[\d.]+$/, '')}`);
      }
  return [...found];
}
