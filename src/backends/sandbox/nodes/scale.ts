/** Nodes that change the size of pictures. */
import { IMAGE_METHODS, pyRound, resize, type ResizeMethod } from '../images/resample.ts';
import type { ImageValue } from '../values.ts';
import { combo, float, int, link, type NodeDefinition, side } from './define.ts';
import type { Inputs } from './inputs.ts';

const method = combo(IMAGE_METHODS);

function scaled(
  value: ImageValue,
  width: number,
  height: number,
  inputs: Inputs,
  cropping: 'disabled' | 'center' = 'disabled',
): { outputs: [ImageValue] } {
  if (width < 1 || height < 1) throw new RangeError(`the target size ${width} × ${height} is empty`);
  const how = methodOf(inputs.string('upscale_method'));
  return { outputs: [{ ...value, frames: value.frames.map((frame) => resize(frame, width, height, how, cropping)) }] };
}

function methodOf(name: string): ResizeMethod {
  const known = IMAGE_METHODS.find((candidate) => candidate === name);
  if (known === undefined) throw new Error(`unknown upscale method ${name}`);
  return known;
}

function sizeOf(value: ImageValue): { width: number; height: number } {
  const [first] = value.frames;
  if (first === undefined) throw new Error('the batch is empty');
  return first;
}

export const SCALE_NODES: readonly NodeDefinition[] = [
  {
    name: 'ImageScale',
    displayName: 'Upscale Image',
    category: 'image/upscaling',
    module: 'nodes',
    schema: 'v1',
    required: {
      image: link('IMAGE'),
      upscale_method: method,
      width: side(512, 0),
      height: side(512, 0),
      crop: combo(['disabled', 'center']),
    },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const own = sizeOf(value);
      let width = inputs.integer('width');
      let height = inputs.integer('height');
      if (width === 0 && height === 0) return { outputs: [value] };
      if (width === 0) width = Math.max(1, pyRound((own.width * height) / own.height));
      if (height === 0) height = Math.max(1, pyRound((own.height * width) / own.width));
      return scaled(value, width, height, inputs, inputs.string('crop') === 'center' ? 'center' : 'disabled');
    },
  },
  {
    name: 'ImageScaleBy',
    displayName: 'Upscale Image By',
    category: 'image/upscaling',
    module: 'nodes',
    schema: 'v1',
    required: { image: link('IMAGE'), upscale_method: method, scale_by: float({ default: 1, min: 0.01, max: 8, step: 0.01 }) },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const own = sizeOf(value);
      const factor = inputs.number('scale_by');
      return scaled(value, pyRound(own.width * factor), pyRound(own.height * factor), inputs);
    },
  },
  {
    name: 'ImageScaleToTotalPixels',
    displayName: 'Scale Image to Total Pixels',
    category: 'image/upscaling',
    module: 'comfy_extras.nodes_post_processing',
    schema: 'v3',
    required: {
      image: link('IMAGE'),
      upscale_method: method,
      megapixels: float({ default: 1, min: 0.01, max: 16, step: 0.01 }),
      resolution_steps: int({ default: 1, min: 1, max: 256, advanced: true }),
    },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const own = sizeOf(value);
      const grid = inputs.integer('resolution_steps');
      const factor = Math.sqrt((inputs.number('megapixels') * 1024 * 1024) / (own.width * own.height));
      return scaled(value, pyRound((own.width * factor) / grid) * grid, pyRound((own.height * factor) / grid) * grid, inputs);
    },
  },
  {
    name: 'ImageScaleToMaxDimension',
    displayName: 'Scale Image to Max Dimension',
    category: 'image/upscaling',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    required: {
      image: link('IMAGE'),
      upscale_method: combo(['area', 'lanczos', 'bilinear', 'nearest-exact', 'bilinear', 'bicubic']),
      largest_size: side(512, 0),
    },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const own = sizeOf(value);
      const largest = inputs.integer('largest_size');
      const wide = own.width >= own.height;
      const short = pyRound((wide ? own.height / own.width : own.width / own.height) * largest);
      return scaled(value, wide ? largest : short, wide ? short : largest, inputs);
    },
  },
];
