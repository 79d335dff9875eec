/** Nodes that compute new pixel values from one or two pictures. */
import { blank, clamp01, crop, mapPixels, type Pixels, spread, withChannels } from '../images/pixels.ts';
import { resize } from '../images/resample.ts';
import type { ImageValue, MaskValue } from '../values.ts';
import { bool, combo, float, int, link, MAX_SIDE, type NodeDefinition, side } from './define.ts';

const BLEND: Readonly<Record<string, (a: number, b: number) => number>> = {
  normal: (_a, b) => b,
  multiply: (a, b) => a * b,
  screen: (a, b) => 1 - (1 - a) * (1 - b),
  overlay: (a, b) => (a <= 0.5 ? 2 * a * b : 1 - 2 * (1 - a) * (1 - b)),
  soft_light: (a, b) => (b <= 0.5 ? a - (1 - 2 * b) * a * (1 - a) : a + (2 * b - 1) * (softCurve(a) - a)),
  difference: (a, b) => a - b,
};

function softCurve(value: number): number {
  return value <= 0.25 ? ((16 * value - 12) * value + 4) * value : Math.sqrt(value);
}

function blend(one: Pixels, two: Pixels, factor: number, mode: (a: number, b: number) => number): Pixels {
  const data = new Float32Array(one.data.length);
  for (let index = 0; index < data.length; index++) {
    const a = one.data[index] ?? 0;
    data[index] = clamp01(a * (1 - factor) + mode(a, two.data[index] ?? 0) * factor);
  }
  return { ...one, data };
}

/** The element of a batch that belongs to place `index` when the other batch is longer. */
function cycle<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new Error('the batch is empty');
  return item;
}

/** mask × source + (1 − mask) × target, each product rounded to float32, inside the part that is visible. */
export function compositeMasked(target: Pixels, source: Pixels, mask: Pixels | undefined, x: number, y: number): Pixels {
  const out: Pixels = { ...target, data: Float32Array.from(target.data) };
  const visible = crop(source, 0, 0, Math.min(source.width, target.width - x), Math.min(source.height, target.height - y));
  for (let row = 0; row < visible.height; row++) {
    for (let column = 0; column < visible.width; column++) {
      const cover = mask?.data[row * mask.width + column] ?? 1;
      const rest = Math.fround(1 - cover);
      for (let channel = 0; channel < target.channels; channel++) {
        const index = ((row + y) * target.width + column + x) * target.channels + channel;
        const over = visible.data[(row * visible.width + column) * visible.channels + channel] ?? 0;
        out.data[index] = Math.fround(cover * over) + Math.fround(rest * (target.data[index] ?? 0));
      }
    }
  }
  return out;
}

function composite(target: ImageValue, source: ImageValue, mask: MaskValue | undefined, x: number, y: number, fit: boolean): ImageValue {
  const frames = target.frames.map((frame, index) => {
    const over = withChannels(cycle(source.frames, index), frame.channels);
    const fitted = fit ? resize(over, frame.width, frame.height, 'bilinear') : over;
    const cover = mask === undefined ? undefined : resize(cycle(mask.frames, index), fitted.width, fitted.height, 'bilinear');
    return compositeMasked(frame, fitted, cover, Math.min(x, frame.width), Math.min(y, frame.height));
  });
  return { kind: 'image', frames, draft: target.draft || source.draft || (mask?.draft ?? false) };
}

export const COMPOSE_NODES: readonly NodeDefinition[] = [
  {
    name: 'EmptyImage',
    displayName: 'Empty Image',
    category: 'image',
    module: 'nodes',
    schema: 'v1',
    required: {
      width: side(512),
      height: side(512),
      batch_size: int({ default: 1, min: 1, max: 4096 }),
      color: int({ default: 0, min: 0, max: 0xffffff, step: 1, display: 'color' }),
    },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const colour = inputs.integer('color');
      const channels = [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255].map((byte) => byte / 255);
      const frame = blank(inputs.integer('width'), inputs.integer('height'), 3);
      for (let index = 0; index < frame.data.length; index++) frame.data[index] = channels[index % 3] ?? 0;
      return { outputs: [{ kind: 'image', frames: Array.from({ length: inputs.integer('batch_size') }, () => frame), draft: false }] };
    },
  },
  {
    name: 'ImageInvert',
    displayName: 'Invert Image Colors',
    category: 'image/color',
    module: 'nodes',
    schema: 'v1',
    required: { image: link('IMAGE') },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      return { outputs: [{ ...value, frames: value.frames.map((frame) => mapPixels(frame, (sample) => 1 - sample)) }] };
    },
  },
  {
    name: 'ImageBlend',
    displayName: 'Blend Images',
    category: 'image/filters',
    module: 'comfy_extras.nodes_post_processing',
    schema: 'v3',
    required: {
      image1: link('IMAGE'),
      image2: link('IMAGE'),
      blend_factor: float({ default: 0.5, min: 0, max: 1, step: 0.01 }),
      blend_mode: combo(Object.keys(BLEND)),
    },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const one = inputs.value('image1', 'image');
      const two = inputs.value('image2', 'image');
      const factor = Math.fround(inputs.number('blend_factor'));
      const mode = BLEND[inputs.string('blend_mode')];
      if (mode === undefined) throw new Error(`Unsupported blend mode: ${inputs.string('blend_mode')}`);
      const count = Math.max(one.frames.length, two.frames.length);
      const frames = Array.from({ length: count }, (_, index) => {
        const base = cycle(one.frames, index);
        const over = withChannels(cycle(two.frames, index), base.channels);
        const fits = over.width === base.width && over.height === base.height;
        return blend(base, fits ? over : resize(over, base.width, base.height, 'bicubic', 'center'), factor, mode);
      });
      return { outputs: [{ kind: 'image', frames, draft: one.draft || two.draft }] };
    },
  },
  {
    name: 'ImageCompositeMasked',
    displayName: 'Image Composite Masked',
    category: 'image/compositing',
    module: 'comfy_extras.nodes_mask',
    schema: 'v3',
    required: {
      destination: link('IMAGE'),
      source: link('IMAGE'),
      x: int({ default: 0, min: 0, max: MAX_SIDE, step: 1 }),
      y: int({ default: 0, min: 0, max: MAX_SIDE, step: 1 }),
      resize_source: bool(false),
    },
    optional: { mask: link('MASK') },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const target = inputs.value('destination', 'image');
      const source = inputs.value('source', 'image');
      const mask = inputs.optional('mask', 'mask');
      return { outputs: [composite(target, source, mask, inputs.integer('x'), inputs.integer('y'), inputs.boolean('resize_source'))] };
    },
  },
  {
    name: 'JoinImageWithAlpha',
    displayName: 'Join Image with Alpha',
    category: 'image/compositing',
    module: 'comfy_extras.nodes_compositing',
    schema: 'v3',
    required: { image: link('IMAGE'), alpha: link('MASK') },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const alpha = inputs.value('alpha', 'mask');
      const count = Math.max(value.frames.length, alpha.frames.length);
      const frames = Array.from({ length: count }, (_, index) => {
        const out = withChannels(withChannels(cycle(value.frames, index), 3), 4);
        const cover = resize(cycle(alpha.frames, index), out.width, out.height, 'bilinear');
        for (let pixel = 0; pixel < cover.data.length; pixel++) out.data[pixel * 4 + 3] = 1 - (cover.data[pixel] ?? 0);
        return out;
      });
      return { outputs: [{ kind: 'image', frames, draft: value.draft || alpha.draft }] };
    },
  },
  {
    name: 'SplitImageWithAlpha',
    displayName: 'Split Image with Alpha',
    category: 'image/compositing',
    module: 'comfy_extras.nodes_compositing',
    schema: 'v3',
    required: { image: link('IMAGE') },
    outputs: [
      ['IMAGE', 'IMAGE'],
      ['MASK', 'MASK'],
    ],
    run(inputs) {
      const { frames, draft } = inputs.value('image', 'image');
      const masks = frames.map(({ width, height, channels, data }) => {
        const mask = blank(width, height, 1);
        if (channels > 3) for (let pixel = 0; pixel < mask.data.length; pixel++) mask.data[pixel] = 1 - (data[pixel * channels + 3] ?? 0);
        return mask;
      });
      return {
        outputs: [
          { kind: 'image', frames: frames.map((frame) => withChannels(frame, 3)), draft },
          { kind: 'mask', frames: masks, draft },
        ],
      };
    },
  },
  {
    name: 'MaskToImage',
    displayName: 'Convert Mask to Image',
    category: 'image/mask',
    module: 'comfy_extras.nodes_mask',
    schema: 'v3',
    required: { mask: link('MASK') },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const mask = inputs.value('mask', 'mask');
      return { outputs: [{ kind: 'image', frames: mask.frames.map((frame) => spread(frame, 3)), draft: mask.draft }] };
    },
  },
];
