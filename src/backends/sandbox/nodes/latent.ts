/** Latents: a size, perhaps a source picture, and the shots sampled so far. */
import { decodeLatent } from '../draft/decode.ts';
import type { ImageValue, LatentValue, MaskValue } from '../values.ts';
import { bool, combo, float, int, link, MAX_SIDE, type NodeDefinition, side, type InputSpec } from './define.ts';
import type { Inputs } from './inputs.ts';
import { describe, marked } from './marks.ts';

const BASE = { category: 'model/latent', module: 'nodes', schema: 'v1', outputs: [['LATENT', 'LATENT']] } as const;
const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'bislerp'];
/** A latent pixel covers 8 × 8 picture pixels in every model family drafted here. */
const GRID = 8;

const batch = int({ default: 1, min: 1, max: 4096 });
const tile = (initial: number, min: number, step: number): InputSpec => int({ default: initial, min, max: 4096, step, advanced: true });
const TILES = { tile_size: tile(512, 64, 32), overlap: tile(64, 0, 32), temporal_size: tile(64, 8, 4), temporal_overlap: tile(8, 4, 4) };

function onGrid(value: number): number {
  return Math.max(GRID, Math.floor(value / GRID) * GRID);
}

function empty(inputs: Inputs): { outputs: [LatentValue] } {
  const latent: LatentValue = {
    kind: 'latent',
    width: onGrid(inputs.integer('width')),
    height: onGrid(inputs.integer('height')),
    batch: inputs.integer('batch_size'),
    shots: [],
  };
  return { outputs: [latent] };
}

/** Four pictures to a latent one, and one before the first. */
function emptyFilm(inputs: Inputs): { outputs: [LatentValue] } {
  const [latent] = empty(inputs).outputs;
  const length = Math.floor((inputs.integer('length') - 1) / 4) * 4 + 1;
  return { outputs: [{ ...latent, batch: length * latent.batch, isFilm: true }] };
}

export function encode(source: ImageValue, mask?: MaskValue): LatentValue {
  const [first] = source.frames;
  if (first === undefined) throw new Error('the batch is empty');
  const latent: LatentValue = {
    kind: 'latent',
    width: onGrid(first.width),
    height: onGrid(first.height),
    batch: source.frames.length,
    source,
    shots: [],
  };
  return mask === undefined ? latent : { ...latent, mask };
}

/** Scaled to the size it has, a latent is the same. */
function resized(inputs: Inputs, latent: LatentValue, width: number, height: number): LatentValue {
  if (width === latent.width && height === latent.height) return latent;
  return marked({ ...latent, width, height }, describe('scaled', inputs, ['upscale_method']));
}

const byVae = (inputs: Inputs, latent: LatentValue): LatentValue => marked(latent, describe('encoded by', inputs, ['vae']));
const encodeNode = (inputs: Inputs): { outputs: [LatentValue] } => ({ outputs: [byVae(inputs, encode(inputs.value('pixels', 'image')))] });
const decodeNode = async (inputs: Inputs): Promise<{ outputs: [ImageValue] }> => ({
  outputs: [await decodeLatent(inputs.value('samples', 'latent'), inputs.value('vae', 'named').name)],
});

export const LATENT_NODES: readonly NodeDefinition[] = [
  {
    ...BASE,
    name: 'EmptyLatentImage',
    displayName: 'Empty Latent Image',
    required: { width: side(512, 16, 8), height: side(512, 16, 8), batch_size: batch },
    run: empty,
  },
  {
    ...BASE,
    name: 'EmptySD3LatentImage',
    displayName: null,
    category: 'model/latent/stable diffusion',
    module: 'comfy_extras.nodes_sd3',
    schema: 'v3',
    required: { width: side(1024, 16, 16), height: side(1024, 16, 16), batch_size: batch },
    run: empty,
  },
  {
    ...BASE,
    name: 'EmptyHunyuanLatentVideo',
    displayName: 'Empty HunyuanVideo 1.0 Latent',
    category: 'model/latent/hunyuan video',
    module: 'comfy_extras.nodes_hunyuan',
    schema: 'v3',
    required: {
      width: side(848, 16, 16),
      height: side(480, 16, 16),
      length: int({ default: 25, min: 1, max: MAX_SIDE, step: 4 }),
      batch_size: batch,
    },
    run: emptyFilm,
  },
  {
    ...BASE,
    name: 'VAEDecode',
    displayName: 'VAE Decode',
    required: { samples: link('LATENT'), vae: link('VAE') },
    outputs: [['IMAGE', 'IMAGE']],
    run: decodeNode,
  },
  {
    ...BASE,
    name: 'VAEDecodeTiled',
    displayName: 'VAE Decode (Tiled)',
    required: { samples: link('LATENT'), vae: link('VAE'), ...TILES },
    outputs: [['IMAGE', 'IMAGE']],
    run: decodeNode,
  },
  { ...BASE, name: 'VAEEncode', displayName: 'VAE Encode', required: { pixels: link('IMAGE'), vae: link('VAE') }, run: encodeNode },
  {
    ...BASE,
    name: 'VAEEncodeTiled',
    displayName: 'VAE Encode (Tiled)',
    required: { pixels: link('IMAGE'), vae: link('VAE'), ...TILES, tile_size: tile(512, 64, 64) },
    run: encodeNode,
  },
  {
    ...BASE,
    name: 'VAEEncodeForInpaint',
    displayName: 'VAE Encode (for Inpainting)',
    required: { pixels: link('IMAGE'), vae: link('VAE'), mask: link('MASK'), grow_mask_by: int({ default: 6, min: 0, max: 64, step: 1 }) },
    run: (inputs) => ({
      outputs: [
        byVae(
          inputs,
          marked(encode(inputs.value('pixels', 'image'), inputs.value('mask', 'mask')), describe('grown', inputs, ['grow_mask_by'])),
        ),
      ],
    }),
  },
  {
    ...BASE,
    name: 'SetLatentNoiseMask',
    displayName: 'Set Latent Noise Mask',
    required: { samples: link('LATENT'), mask: link('MASK') },
    run: (inputs) => ({ outputs: [{ ...inputs.value('samples', 'latent'), mask: inputs.value('mask', 'mask') }] }),
  },
  {
    ...BASE,
    name: 'InpaintModelConditioning',
    displayName: 'InpaintModelConditioning',
    category: 'model/conditioning',
    required: {
      positive: link('CONDITIONING'),
      negative: link('CONDITIONING'),
      vae: link('VAE'),
      pixels: link('IMAGE'),
      mask: link('MASK'),
      noise_mask: bool(true),
    },
    outputs: [
      ['CONDITIONING', 'positive'],
      ['CONDITIONING', 'negative'],
      ['LATENT', 'latent'],
    ],
    run(inputs) {
      const latent = byVae(
        inputs,
        encode(inputs.value('pixels', 'image'), inputs.boolean('noise_mask') ? inputs.value('mask', 'mask') : undefined),
      );
      return { outputs: [inputs.value('positive', 'conditioning'), inputs.value('negative', 'conditioning'), latent] };
    },
  },
  {
    ...BASE,
    name: 'LatentUpscale',
    displayName: 'Upscale Latent',
    required: {
      samples: link('LATENT'),
      upscale_method: combo(METHODS),
      width: int({ default: 512, min: 0, max: MAX_SIDE, step: 8 }),
      height: int({ default: 512, min: 0, max: MAX_SIDE, step: 8 }),
      crop: combo(['disabled', 'center']),
    },
    run(inputs) {
      const latent = inputs.value('samples', 'latent');
      const [width, height] = [inputs.integer('width'), inputs.integer('height')];
      if (width === 0 && height === 0) return { outputs: [latent] };
      const wide = onGrid(width === 0 ? (latent.width * height) / latent.height : width);
      const high = onGrid(height === 0 ? (latent.height * width) / latent.width : height);
      return { outputs: [resized(inputs, latent, wide, high)] };
    },
  },
  {
    ...BASE,
    name: 'LatentUpscaleBy',
    displayName: 'Upscale Latent By',
    required: { samples: link('LATENT'), upscale_method: combo(METHODS), scale_by: float({ default: 1.5, min: 0.01, max: 8, step: 0.01 }) },
    run(inputs) {
      const latent = inputs.value('samples', 'latent');
      const factor = inputs.number('scale_by');
      return { outputs: [resized(inputs, latent, onGrid(latent.width * factor), onGrid(latent.height * factor))] };
    },
  },
  {
    ...BASE,
    name: 'RepeatLatentBatch',
    displayName: 'Repeat Latent Batch',
    category: 'model/latent/batch',
    required: { samples: link('LATENT'), amount: int({ default: 1, min: 1, max: 64 }) },
    run(inputs) {
      const latent = inputs.value('samples', 'latent');
      return { outputs: [{ ...latent, batch: latent.batch * inputs.integer('amount') }] };
    },
  },
];
