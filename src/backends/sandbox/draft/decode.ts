/** From a drafted latent to pictures: the card alone, or the source picture with the card over it. */
import sharp, { type Sharp } from 'sharp';
import { toBytes } from '../images/codec.ts';
import { blank, fromBytes, type Pixels, withChannels } from '../images/pixels.ts';
import { resize } from '../images/resample.ts';
import type { ImageValue, LatentValue } from '../values.ts';
import { cardSvg } from './card.ts';

/** ComfyUI's preview size. */
const PREVIEW_SIDE = 512;
/** The tint over the region that an inpainting sampler would have repainted. */
const TINT = [255, 209, 102] as const;

/** `vae` is the name of what decodes: another one gives another picture. */
export async function decodeLatent(latent: LatentValue, vae: string): Promise<ImageValue> {
  const frames: Pixels[] = [];
  for (let index = 0; index < latent.batch; index++) {
    // The bar of a film's card grows from its first picture to its last.
    const isFilm = latent.isFilm === true;
    const decoded = { ...latent, marks: [...(latent.marks ?? []), `vae ${vae}`] };
    const { data, info } = await paint(decoded, isFilm ? 0 : index, isFilm ? (index + 1) / latent.batch : 1, isFilm)
      .raw()
      .toBuffer({ resolveWithObject: true });
    frames.push(fromBytes(data, info.width, info.height, info.channels));
  }
  return { kind: 'image', frames, draft: true };
}

/** The first picture of the batch as a JPEG of at most 512 pixels a side; `progress` is 0..1. */
export async function previewLatent(latent: LatentValue, progress: number): Promise<Buffer> {
  const factor = Math.min(1, PREVIEW_SIDE / Math.max(latent.width, latent.height));
  const width = Math.max(8, Math.round(latent.width * factor));
  const height = Math.max(8, Math.round(latent.height * factor));
  return await paint({ ...latent, width, height }, 0, progress)
    .jpeg({ quality: 95 })
    .toBuffer();
}

/** Drawn by sharp, off this thread. Always three channels. */
function paint(latent: LatentValue, index: number, progress: number, isFilm = false): Sharp {
  const { width, height, source, mask, shots } = latent;
  const shot = shots.at(-1);
  const marks = [...(latent.marks ?? []), ...shots.slice(0, -1).map((earlier) => JSON.stringify(earlier))];
  const under = pick(source?.frames, index);
  // An empty latent that no sampler touched decodes to grey in ComfyUI, too.
  const base = under === undefined ? undefined : raster(fit(withChannels(under, 3), width, height), 3);
  if (shot === undefined) return base ?? raster(blank(width, height, 3, 0.5), 3);
  const card = Buffer.from(cardSvg({ width, height, shot, index, progress, counts: !isFilm, band: base !== undefined, marks }));
  if (base === undefined) return sharp(card).removeAlpha();
  const region = pick(mask?.frames, index);
  const tint =
    region === undefined ? [] : [{ input: tintOf(fit(region, width, height), shot.denoise), raw: { width, height, channels: 4 } as const }];
  return base.composite([...tint, { input: card }]).removeAlpha();
}

function pick(frames: readonly Pixels[] | undefined, index: number): Pixels | undefined {
  return frames === undefined || frames.length === 0 ? undefined : frames[index % frames.length];
}

function fit(image: Pixels, width: number, height: number): Pixels {
  return image.width === width && image.height === height ? image : resize(image, width, height, 'bilinear');
}

function raster({ width, height, ...image }: Pixels, channels: 3 | 4): Sharp {
  return sharp(toBytes({ width, height, ...image }), { raw: { width, height, channels } });
}

function tintOf(mask: Pixels, denoise: number): Buffer {
  const bytes = Buffer.alloc(mask.width * mask.height * 4);
  for (let pixel = 0; pixel < mask.data.length; pixel++) {
    bytes.set(TINT, pixel * 4);
    bytes[pixel * 4 + 3] = Math.round((mask.data[pixel] ?? 0) * 128 * denoise);
  }
  return bytes;
}
