/** Nodes that load models in ComfyUI; here they only carry the name along. */
import type { ModelValue, NamedValue } from '../values.ts';
import { combo, float, link, modelFile, type NodeDefinition, type InputSpec } from './define.ts';
import { describe, marked, renamed } from './marks.ts';

const CLIP_TYPES = (
  'stable_diffusion stable_cascade sd3 stable_audio mochi ltxv pixart cosmos lumina2 wan hidream chroma ace omnigen2 qwen_image hunyuan_image ' +
  'flux2 ovis longcat_image cogvideox lens pixeldit ideogram4 boogu krea2 joyimage mage minimax'
).split(' ');
const DUAL_TYPES = 'sdxl sd3 flux hunyuan_video hidream hunyuan_image hunyuan_video_15 kandinsky5 kandinsky5_image ltxv newbie ace'.split(
  ' ',
);

const device = combo(['default', 'cpu'], { advanced: true });
const strength = float({ default: 1, min: -100, max: 100, step: 0.01 });

export function named(type: string, name: string): NamedValue {
  return { kind: 'named', type, name };
}

const BASE = { category: 'model/loaders', module: 'nodes', schema: 'v1' } as const;

function single(
  name: string,
  displayName: string,
  input: string,
  folder: string,
  type: string,
  extra: Readonly<Record<string, InputSpec>> = {},
): NodeDefinition {
  return {
    ...BASE,
    name,
    displayName,
    required: { [input]: modelFile(folder), ...extra },
    outputs: [[type, type]],
    run: (inputs) => ({ outputs: [named(type, inputs.string(input))] }),
  };
}

export const LOADER_NODES: readonly NodeDefinition[] = [
  {
    ...BASE,
    name: 'CheckpointLoaderSimple',
    displayName: 'Load Checkpoint',
    required: { ckpt_name: modelFile('checkpoints') },
    outputs: [
      ['MODEL', 'MODEL'],
      ['CLIP', 'CLIP'],
      ['VAE', 'VAE'],
    ],
    run(inputs) {
      const name = inputs.string('ckpt_name');
      return { outputs: [{ kind: 'model', name, loras: [] }, named('CLIP', name), named('VAE', name)] };
    },
  },
  {
    ...BASE,
    name: 'UNETLoader',
    displayName: 'Load Diffusion Model',
    required: {
      unet_name: modelFile('diffusion_models'),
      weight_dtype: combo(['default', 'fp8_e4m3fn', 'fp8_e4m3fn_fast', 'fp8_e5m2'], { advanced: true }),
    },
    outputs: [['MODEL', 'MODEL']],
    run(inputs) {
      const model: ModelValue = { kind: 'model', name: inputs.string('unet_name'), loras: [] };
      return { outputs: [inputs.string('weight_dtype') === 'default' ? model : marked(model, describe('as', inputs, ['weight_dtype']))] };
    },
  },
  {
    ...single('CLIPLoader', 'Load CLIP', 'clip_name', 'text_encoders', 'CLIP', { type: combo(CLIP_TYPES) }),
    optional: { device },
    run: (inputs) => ({ outputs: [named('CLIP', `${inputs.string('clip_name')} as ${inputs.string('type')}`)] }),
  },
  {
    ...BASE,
    name: 'DualCLIPLoader',
    displayName: 'Load CLIP (Dual)',
    required: { clip_name1: modelFile('text_encoders'), clip_name2: modelFile('text_encoders'), type: combo(DUAL_TYPES) },
    optional: { device },
    outputs: [['CLIP', 'CLIP']],
    run: (inputs) => ({
      outputs: [named('CLIP', `${inputs.string('clip_name1')} + ${inputs.string('clip_name2')} as ${inputs.string('type')}`)],
    }),
  },
  {
    ...single('VAELoader', 'Load VAE', 'vae_name', 'vae', 'VAE'),
    required: { vae_name: combo(({ models }) => [...(models.list('vae') ?? []), 'pixel_space'], {}) },
  },
  {
    ...single('CLIPVisionLoader', 'Load CLIP Vision', 'clip_name', 'clip_vision', 'CLIP_VISION'),
  },
  {
    ...BASE,
    name: 'LoraLoader',
    displayName: 'Load LoRA (Model and CLIP)',
    required: {
      model: link('MODEL'),
      clip: link('CLIP'),
      lora_name: modelFile('loras'),
      strength_model: strength,
      strength_clip: strength,
    },
    outputs: [
      ['MODEL', 'MODEL'],
      ['CLIP', 'CLIP'],
    ],
    run(inputs) {
      const model = inputs.value('model', 'model');
      const applied =
        inputs.number('strength_model') === 0
          ? model.loras
          : [...model.loras, `${inputs.string('lora_name')} × ${inputs.number('strength_model')}`];
      const clip = inputs.value('clip', 'named');
      const weight = inputs.number('strength_clip');
      return { outputs: [{ ...model, loras: applied }, weight === 0 ? clip : renamed(clip, `${inputs.string('lora_name')} × ${weight}`)] };
    },
  },
  {
    ...BASE,
    name: 'LoraLoaderModelOnly',
    displayName: 'Load LoRA',
    required: { model: link('MODEL'), lora_name: modelFile('loras'), strength_model: strength },
    outputs: [['MODEL', 'MODEL']],
    run(inputs) {
      const model = inputs.value('model', 'model');
      const applied =
        inputs.number('strength_model') === 0
          ? model.loras
          : [...model.loras, `${inputs.string('lora_name')} × ${inputs.number('strength_model')}`];
      return { outputs: [{ ...model, loras: applied }] };
    },
  },
  single('ControlNetLoader', 'Load ControlNet Model', 'control_net_name', 'controlnet', 'CONTROL_NET'),
  {
    ...BASE,
    name: 'HypernetworkLoader',
    displayName: 'Load Hypernetwork',
    module: 'comfy_extras.nodes_hypernetwork',
    required: {
      model: link('MODEL'),
      hypernetwork_name: modelFile('hypernetworks'),
      strength: float({ default: 1, min: -10, max: 10, step: 0.01 }),
    },
    outputs: [['MODEL', 'MODEL']],
    run: (inputs) => ({
      outputs: [marked(inputs.value('model', 'model'), describe('hypernetwork', inputs, ['hypernetwork_name', 'strength']))],
    }),
  },
  // Both npm clients index the first element of this spec: it keeps the V1 combo form that ComfyUI had for years.
  {
    ...single('UpscaleModelLoader', 'Load Upscale Model', 'model_name', 'upscale_models', 'UPSCALE_MODEL'),
    module: 'comfy_extras.nodes_upscale_model',
  },
];
