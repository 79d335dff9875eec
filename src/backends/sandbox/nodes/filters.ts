/** Convolutions: blur and sharpen, as ComfyUI's post-processing nodes compute them. */
import { at, blank, clamp01, type Pixels } from '../images/pixels.ts';
import { float, int, link, type NodeDefinition } from './define.ts';

/** ComfyUI's kernel: a Gaussian over [-1, 1] in both directions, so sigma is relative to the radius. Sums to 1. */
function gaussian(radius: number, sigma: number): Float64Array {
  const size = 2 * radius + 1;
  const kernel = new Float64Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const squared = (x / radius - 1) ** 2 + (y / radius - 1) ** 2;
      kernel[y * size + x] = Math.exp(-squared / (2 * sigma * sigma));
    }
  }
  const sum = kernel.reduce((total, value) => total + value, 0);
  return kernel.map((value) => value / sum);
}

function mirror(index: number, length: number): number {
  const positive = Math.abs(index);
  return positive < length ? positive : 2 * (length - 1) - positive;
}

/** Edges are mirrored without repeating the edge itself (torch's `reflect`), so a picture must be larger than the radius. */
function convolve(image: Pixels, radius: number, kernel: Float64Array): Pixels {
  const { width, height, channels } = image;
  if (radius >= width || radius >= height) {
    throw new RangeError(
      `Padding size should be less than the corresponding input dimension, but got: padding ${radius} for a picture of ${width} × ${height}`,
    );
  }
  const size = 2 * radius + 1;
  const out = blank(width, height, channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let row = 0; row < size; row++) {
          const sourceY = mirror(y + row - radius, height);
          for (let column = 0; column < size; column++) {
            sum += (kernel[row * size + column] ?? 0) * at(image, mirror(x + column - radius, width), sourceY, channel);
          }
        }
        out.data[(y * width + x) * channels + channel] = sum;
      }
    }
  }
  return out;
}

export const FILTER_NODES: readonly NodeDefinition[] = [
  {
    name: 'ImageBlur',
    displayName: 'Blur Image',
    category: 'image/filters',
    module: 'comfy_extras.nodes_post_processing',
    schema: 'v3',
    required: {
      image: link('IMAGE'),
      blur_radius: int({ default: 1, min: 1, max: 31, step: 1 }),
      sigma: float({ default: 1, min: 0.1, max: 10, step: 0.1 }),
    },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const radius = inputs.integer('blur_radius');
      // Its bounds hold for what is written only: a linked 0 comes through.
      if (radius === 0) return { outputs: [value] };
      const kernel = gaussian(radius, inputs.number('sigma'));
      return { outputs: [{ ...value, frames: value.frames.map((frame) => convolve(frame, radius, kernel)) }] };
    },
  },
  {
    name: 'ImageSharpen',
    displayName: 'Sharpen Image',
    category: 'image/filters',
    module: 'comfy_extras.nodes_post_processing',
    schema: 'v3',
    required: {
      image: link('IMAGE'),
      sharpen_radius: int({ default: 1, min: 1, max: 31, step: 1, advanced: true }),
      sigma: float({ default: 1, min: 0.1, max: 10, step: 0.01, advanced: true }),
      alpha: float({ default: 1, min: 0, max: 5, step: 0.01, advanced: true }),
    },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const radius = inputs.integer('sharpen_radius');
      if (radius === 0) return { outputs: [value] };
      const strength = inputs.number('alpha') * 10;
      const kernel = gaussian(radius, inputs.number('sigma')).map((weight) => -weight * strength);
      const centre = (kernel.length - 1) / 2;
      kernel[centre] = (kernel[centre] ?? 0) - kernel.reduce((total, weight) => total + weight, 0) + 1;
      const frames = value.frames.map((frame) => {
        const sharp = convolve(frame, radius, kernel);
        return { ...sharp, data: sharp.data.map(clamp01) };
      });
      return { outputs: [{ ...value, frames }] };
    },
  },
];
