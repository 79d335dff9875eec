/** Between files and float32 pixels, with ComfyUI's own arithmetic at both ends. */
import sharp, { type Sharp } from 'sharp';
import { blank, fromBytes, type Pixels } from './pixels.ts';

/** The alpha channel as it was stored (0..1), when the file has one. */
export interface Decoded {
  readonly image: Pixels;
  readonly alpha?: Pixels;
}

/**
 * Decodes every frame as ComfyUI's LoadImage does: EXIF orientation applied, colour profile ignored, three channels,
 * alpha apart, value/255 in float32. Frames of another size than the first cannot occur: sharp pads animations itself.
 */
export async function decodeFrames(bytes: Uint8Array): Promise<Decoded[]> {
  const { pages = 1 } = await sharp(bytes).metadata();
  const decoded: Decoded[] = [];
  for (let page = 0; page < pages; page++) decoded.push(await decodePage(bytes, page));
  return decoded;
}

async function decodePage(bytes: Uint8Array, page: number): Promise<Decoded> {
  const { data, info } = await sharp(bytes, { page, ignoreIcc: true, limitInputPixels: 16384 * 16384 })
    .autoOrient()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const image = blank(width, height, 3);
  const colours = channels >= 3 ? 3 : 1;
  const alpha = channels === 2 || channels === 4 ? blank(width, height, 1) : undefined;
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[pixel * 3 + channel] = (data[pixel * channels + (colours === 3 ? channel : 0)] ?? 0) / 255;
    }
    if (alpha !== undefined) alpha.data[pixel] = (data[pixel * channels + channels - 1] ?? 0) / 255;
  }
  return alpha === undefined ? { image } : { image, alpha };
}

/** 255 × value in float32, clipped, cut (not rounded) to a byte: ComfyUI's own way to 8 bits. */
export function toBytes(image: Pixels): Uint8Array {
  const bytes = new Uint8Array(image.data.length);
  for (let index = 0; index < bytes.length; index++) {
    const scaled = Math.fround(255 * (image.data[index] ?? 0));
    bytes[index] = scaled >= 255 ? 255 : scaled > 0 ? Math.floor(scaled) : 0;
  }
  return bytes;
}

function toSharp(image: Pixels): Sharp {
  const channels = image.channels === 1 ? 1 : image.channels === 4 ? 4 : 3;
  return sharp(toBytes(image), { raw: { width: image.width, height: image.height, channels } });
}

/** `level` is zlib's 0..9. */
export async function encodePng(image: Pixels, level: number): Promise<Buffer> {
  return await toSharp(image).png({ compressionLevel: level, adaptiveFiltering: false }).toBuffer();
}

/** Enlarges off this thread; for drafts, where no arithmetic has to agree with anybody's. */
export async function enlarge(image: Pixels, width: number, height: number): Promise<Pixels> {
  const { data, info } = await toSharp(image)
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return fromBytes(data, info.width, info.height, info.channels);
}

export interface WebpOptions {
  readonly fps: number;
  readonly lossless: boolean;
  readonly quality: number;
  /** 0 fastest … 6 smallest. */
  readonly effort: number;
  /** Under names of Exif tags, as ComfyUI writes them: `prompt:{…}` as the camera's model. */
  readonly exif: Readonly<Record<string, string>>;
}

/** One animated WebP of frames of equal size. */
export async function encodeWebp(frames: readonly Pixels[], options: WebpOptions): Promise<Buffer> {
  const [first] = frames;
  if (first === undefined) throw new Error('an animation needs at least one frame');
  const strip = Buffer.concat(frames.map(toBytes));
  const channels = first.channels === 4 ? 4 : 3;
  const raw = { width: first.width, height: first.height * frames.length, channels, pageHeight: first.height } as const;
  const delay = frames.map(() => Math.trunc(1000 / options.fps));
  const { lossless, quality, effort, exif } = options;
  return await sharp(strip, { raw }).withExif({ IFD0: exif }).webp({ lossless, quality, effort, delay, loop: 0 }).toBuffer();
}
