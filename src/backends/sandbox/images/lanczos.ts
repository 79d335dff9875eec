/** Pillow's 8-bit LANCZOS (ComfyUI's "lanczos" goes through Pillow): fixed-point weights, rows first, bytes between the passes. */
import { toBytes } from './codec.ts';
import { fromBytes, type Pixels } from './pixels.ts';

/** Pillow's PRECISION_BITS: 32 − 8 − 2. */
const BITS = 22;
const SUPPORT = 3;

interface Window {
  readonly first: number;
  readonly weights: readonly number[];
}

export function lanczos(image: Pixels, width: number, height: number): Pixels {
  const { channels } = image;
  let bytes = toBytes(image);
  if (width !== image.width) {
    const windows = plan(image.width, width);
    const out = new Uint8Array(width * image.height * channels);
    for (let row = 0; row < image.height; row++) {
      windows.forEach((window, column) => {
        for (let channel = 0; channel < channels; channel++) {
          const start = (row * image.width + window.first) * channels + channel;
          out[(row * width + column) * channels + channel] = weigh(bytes, start, channels, window);
        }
      });
    }
    bytes = out;
  }
  if (height !== image.height) {
    const stride = width * channels;
    const out = new Uint8Array(stride * height);
    plan(image.height, height).forEach((window, row) => {
      for (let offset = 0; offset < stride; offset++)
        out[row * stride + offset] = weigh(bytes, window.first * stride + offset, stride, window);
    });
    bytes = out;
  }
  return fromBytes(bytes, width, height, channels);
}

function weigh(bytes: Uint8Array, start: number, stride: number, { weights }: Window): number {
  let sum = 2 ** (BITS - 1);
  for (let tap = 0; tap < weights.length; tap++) sum += (bytes[start + tap * stride] ?? 0) * (weights[tap] ?? 0);
  return Math.min(255, Math.max(0, Math.floor(sum / 2 ** BITS)));
}

function plan(length: number, target: number): Window[] {
  const scale = length / target;
  const stretch = Math.max(1, scale);
  const support = SUPPORT * stretch;
  return Array.from({ length: target }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(length, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: last - first }, (_unused, tap) => kernel((tap + first - centre + 0.5) / stretch));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { first, weights: raw.map((weight) => fixed(sum === 0 ? weight : weight / sum)) };
  });
}

function fixed(weight: number): number {
  return Math.trunc(weight * 2 ** BITS + (weight < 0 ? -0.5 : 0.5));
}

function kernel(x: number): number {
  return x >= -SUPPORT && x < SUPPORT ? sinc(x) * sinc(x / SUPPORT) : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
