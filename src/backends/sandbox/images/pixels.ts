/** Pictures and masks in memory as ComfyUI holds them: float32, rows of interleaved channels, 0..1. */

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1 for a mask, 3 or 4 for a picture. */
  readonly channels: number;
  /** height × width × channels. */
  readonly data: Float32Array;
}

export function blank(width: number, height: number, channels: number, value = 0): Pixels {
  const data = new Float32Array(width * height * channels);
  if (value !== 0) data.fill(value);
  return { width, height, channels, data };
}

/** byte / 255 in float32, for every byte. */
const UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

export function fromBytes(bytes: Uint8Array, width: number, height: number, channels: number): Pixels {
  const data = new Float32Array(width * height * channels);
  for (let index = 0; index < data.length; index++) data[index] = UNIT[bytes[index] ?? 0] ?? 0;
  return { width, height, channels, data };
}

export function mapPixels(image: Pixels, change: (value: number) => number): Pixels {
  const data = new Float32Array(image.data.length);
  for (let index = 0; index < data.length; index++) data[index] = change(image.data[index] ?? 0);
  return { ...image, data };
}

/** Samples outside the picture are a defect of the caller, not of the data. */
export function at(image: Pixels, x: number, y: number, channel: number): number {
  return image.data[(y * image.width + x) * image.channels + channel] ?? 0;
}

/** The rectangle [x, x+width) × [y, y+height), cut off at the edges. */
export function crop(image: Pixels, x: number, y: number, width: number, height: number): Pixels {
  const right = Math.min(image.width, x + width);
  const bottom = Math.min(image.height, y + height);
  const out = blank(Math.max(0, right - x), Math.max(0, bottom - y), image.channels);
  for (let row = 0; row < out.height; row++) {
    const start = ((y + row) * image.width + x) * image.channels;
    out.data.set(image.data.subarray(start, start + out.width * image.channels), row * out.width * image.channels);
  }
  return out;
}

/** More channels are filled with 1 (opaque), surplus ones are dropped. */
export function withChannels(image: Pixels, channels: number): Pixels {
  if (image.channels === channels) return image;
  const out = blank(image.width, image.height, channels, 1);
  const shared = Math.min(channels, image.channels);
  for (let pixel = 0; pixel < image.width * image.height; pixel++) {
    for (let channel = 0; channel < shared; channel++) {
      out.data[pixel * channels + channel] = image.data[pixel * image.channels + channel] ?? 0;
    }
  }
  return out;
}

/** One channel as a mask. */
export function channelOf(image: Pixels, channel: number): Pixels {
  const out = blank(image.width, image.height, 1);
  for (let pixel = 0; pixel < out.data.length; pixel++) out.data[pixel] = image.data[pixel * image.channels + channel] ?? 0;
  return out;
}

/** A mask as a picture with equal channels. */
export function spread(mask: Pixels, channels: number): Pixels {
  const out = blank(mask.width, mask.height, channels);
  for (let index = 0; index < out.data.length; index++) out.data[index] = mask.data[Math.floor(index / channels)] ?? 0;
  return out;
}

export function clamp01(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
