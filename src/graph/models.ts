/** Which choices are model files, and in which folder of a server they lie. */
import type { InputSpec } from './node-classes.ts';
import { modelKey } from './sources.ts';
import { closest } from './suggest.ts';
import type { JsonValue } from './types.ts';

const MODEL_FILE = /\.(?:safetensors|sft|ckpt|pth?|bin|gguf|onnx|pkl|engine)$/i;

/** Inputs of ComfyUI's own loaders. */
const FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/^ckpt_name$/, 'checkpoints'],
  [/^(?:lora_name|lora)(?:_?\d+)?$/, 'loras'],
  [/^vae_name$/, 'vae'],
  [/^unet_name$/, 'diffusion_models'],
  [/^clip_name\d?$/, 'text_encoders'],
  [/^control_net_name$/, 'controlnet'],
  [/^style_model_name$/, 'style_models'],
  [/^gligen_name$/, 'gligen'],
  [/^hypernetwork_name$/, 'hypernetworks'],
  [/^photomaker_model_name$/, 'photomaker'],
  [/^audio_encoder_name$/, 'audio_encoders'],
];

/** `model_name` means another folder in every loader. */
const BY_CLASS: Readonly<Record<string, string>> = {
  UpscaleModelLoader: 'upscale_models',
  CLIPVisionLoader: 'clip_vision',
  ModelPatchLoader: 'model_patches',
  LatentUpscaleModelLoader: 'latent_upscale_models',
};

export function isModelFile(value: JsonValue): value is string {
  return typeof value === 'string' && MODEL_FILE.test(value);
}

/** A combo that offers model files, or would if the server had any. */
export function offersModels({ choices }: InputSpec): boolean {
  return choices !== undefined && choices.length > 0 && choices.every(isModelFile);
}

export function modelFolder(classType: string, input: string): string | undefined {
  return BY_CLASS[classType] ?? FOLDERS.find(([names]) => names.test(input))?.[1];
}

/** A folder that some loader of ComfyUI's own is known to look into. */
export function isKnownFolder(folder: string): boolean {
  return FOLDERS.some(([, name]) => name === folder) || Object.values(BY_CLASS).includes(folder);
}

/** The name among `names` that is meant by a misspelt one: the same file in another folder, else the nearest without its ending. */
export function nearestModel(name: string, names: readonly string[]): string | undefined {
  const same = names.find((other) => modelKey(other) === modelKey(name));
  if (same !== undefined) return same;
  const stems = new Map(names.map((other) => [stem(other), other]));
  const near = closest(stem(name), stems.keys());
  return near === undefined ? undefined : stems.get(near);
}

const stem = (name: string): string => name.replace(MODEL_FILE, '');
