/** Resizing as torch's `interpolate` and Pillow's LANCZOS do it; the rules of each are named at its function. */
import { lanczos } from './lanczos.ts';
import { at, blank, crop, type Pixels } from './pixels.ts';

export const IMAGE_METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;
export type ResizeMethod = (typeof IMAGE_METHODS)[number];

/** Python's round(): halves go to the even neighbour. */
export function pyRound(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** ComfyUI's common_upscale: an optional crop to the target's aspect around the centre, then the method. */
export function resize(
  image: Pixels,
  width: number,
  height: number,
  method: ResizeMethod,
  cropping: 'disabled' | 'center' = 'disabled',
): Pixels {
  const source = cropping === 'center' ? cropToAspect(image, width / height) : image;
  if (method === 'lanczos') return lanczos(source, width, height);
  if (method === 'nearest-exact') return nearest(source, width, height);
  if (method === 'area') return area(source, width, height);
  return separable(source, width, height, method === 'bilinear' ? bilinearTaps : bicubicTaps);
}

function cropToAspect(image: Pixels, aspect: number): Pixels {
  const own = image.width / image.height;
  const x = own > aspect ? pyRound((image.width - image.width * (aspect / own)) / 2) : 0;
  const y = own < aspect ? pyRound((image.height - image.height * (own / aspect)) / 2) : 0;
  return crop(image, x, y, image.width - 2 * x, image.height - 2 * y);
}

/** torch, nearest-exact: floor((i + 0.5) × scale) with the scale and the product in float32. */
function nearestIndex(length: number, target: number): Int32Array {
  const scale = Math.fround(length / target);
  return Int32Array.from({ length: target }, (_, index) => Math.min(length - 1, Math.floor(Math.fround((index + 0.5) * scale))));
}

function nearest(image: Pixels, width: number, height: number): Pixels {
  const columns = nearestIndex(image.width, width);
  const rows = nearestIndex(image.height, height);
  const out = blank(width, height, image.channels);
  let target = 0;
  for (const row of rows) {
    for (const column of columns) {
      const source = (row * image.width + column) * image.channels;
      for (let channel = 0; channel < image.channels; channel++) out.data[target++] = image.data[source + channel] ?? 0;
    }
  }
  return out;
}

/** torch, area: the mean of [floor(i·in/out), ceil((i+1)·in/out)) in both directions. */
function area(image: Pixels, width: number, height: number): Pixels {
  const out = blank(width, height, image.channels);
  for (let row = 0; row < height; row++) {
    const top = Math.floor((row * image.height) / height);
    const bottom = Math.ceil(((row + 1) * image.height) / height);
    for (let column = 0; column < width; column++) {
      const left = Math.floor((column * image.width) / width);
      const right = Math.ceil(((column + 1) * image.width) / width);
      for (let channel = 0; channel < image.channels; channel++) {
        let sum = 0;
        for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += at(image, x, y, channel);
        out.data[(row * width + column) * image.channels + channel] = sum / ((bottom - top) * (right - left));
      }
    }
  }
  return out;
}

interface Taps {
  readonly index: readonly number[];
  readonly weight: readonly number[];
}

/** torch, bilinear without align_corners and antialias: the source position is clamped at 0. */
function bilinearTaps(position: number, length: number): Taps {
  const clamped = Math.max(0, position);
  const first = Math.min(length - 1, Math.floor(clamped));
  const rest = Math.fround(clamped - first);
  return { index: [first, Math.min(length - 1, first + 1)], weight: [Math.fround(1 - rest), rest] };
}

/** torch, bicubic: Keys' kernel with a = −0.75, edges repeated. */
function bicubicTaps(position: number, length: number): Taps {
  const a = -0.75;
  const first = Math.floor(position);
  const t = Math.fround(position - first);
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  const clampIndex = (index: number): number => Math.min(length - 1, Math.max(0, index));
  return {
    index: [first - 1, first, first + 1, first + 2].map(clampIndex),
    weight: [far(t + 1), near(t), near(1 - t), far(2 - t)].map(Math.fround),
  };
}

function separable(image: Pixels, width: number, height: number, taps: (position: number, length: number) => Taps): Pixels {
  const plan = (length: number, target: number): Taps[] => {
    const scale = Math.fround(length / target);
    return Array.from({ length: target }, (_, index) => taps(Math.fround(Math.fround(scale * (index + 0.5)) - 0.5), length));
  };
  const { channels } = image;
  const wide = blank(width, image.height, channels);
  for (const [column, { index, weight }] of plan(image.width, width).entries()) {
    for (let row = 0; row < image.height; row++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let tap = 0; tap < index.length; tap++) sum += at(image, index[tap] ?? 0, row, channel) * (weight[tap] ?? 0);
        wide.data[(row * width + column) * channels + channel] = sum;
      }
    }
  }
  const out = blank(width, height, channels);
  for (const [row, { index, weight }] of plan(image.height, height).entries()) {
    for (let offset = 0; offset < width * channels; offset++) {
      let sum = 0;
      for (let tap = 0; tap < index.length; tap++)
        sum += (wide.data[(index[tap] ?? 0) * width * channels + offset] ?? 0) * (weight[tap] ?? 0);
      out.data[row * width * channels + offset] = sum;
    }
  }
  return out;
}
