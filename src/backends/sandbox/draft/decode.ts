/** From a drafted latent to pictures: the card alone, or the source picture with the card over it. */
import { compositeMasked } from '../nodes/compose.ts';
import { channelOf, mapPixels, type Pixels, withChannels, blank } from '../images/pixels.ts';
import { resize } from '../images/resample.ts';
import type { ImageValue, LatentValue, Shot } from '../values.ts';
import { drawCard } from './card.ts';

/** `progress` below 1 gives the picture as a preview shows it. */
export async function decodeLatent(latent: LatentValue, progress = 1): Promise<ImageValue> {
  const shot = latent.shots.at(-1);
  const frames: Pixels[] = [];
  for (let index = 0; index < latent.batch; index++) frames.push(await decodeOne(latent, shot, index, progress));
  return { kind: 'image', frames, draft: true };
}

async function decodeOne(latent: LatentValue, shot: Shot | undefined, index: number, progress: number): Promise<Pixels> {
  const { width, height, source, mask } = latent;
  const under = pick(source?.frames, index);
  const base = under === undefined ? undefined : withChannels(fit(under, width, height), 3);
  // An empty latent that no sampler touched decodes to grey in ComfyUI, too.
  if (shot === undefined) return base ?? blank(width, height, 3, 0.5);
  const card = await drawCard({ width, height, shot, index, progress, band: base !== undefined });
  if (base === undefined) return withChannels(card, 3);
  const cover = channelOf(card, 3);
  const region = pick(mask?.frames, index);
  const tint = region === undefined ? base : tinted(base, fit(region, width, height), shot.denoise);
  return compositeMasked(tint, withChannels(card, 3), cover, 0, 0);
}

function pick(frames: readonly Pixels[] | undefined, index: number): Pixels | undefined {
  return frames === undefined || frames.length === 0 ? undefined : frames[index % frames.length];
}

function fit(image: Pixels, width: number, height: number): Pixels {
  return image.width === width && image.height === height ? image : resize(image, width, height, 'bilinear');
}

/** Shows which region an inpainting sampler would have repainted. */
function tinted(base: Pixels, mask: Pixels, denoise: number): Pixels {
  const colour: Pixels = { ...base, data: Float32Array.from(base.data, (value, place) => (value + ([1, 0.82, 0.4][place % 3] ?? 0)) / 2) };
  return compositeMasked(
    base,
    colour,
    mapPixels(mask, (value) => value * 0.5 * denoise),
    0,
    0,
  );
}
