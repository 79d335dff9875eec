/** Pictures by sharp, inside the converter's own process. */
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { MOST_FRAMES, rhythmOf } from './beat.ts';
import type { FramesJob, JobFacts, LinearJob, StillJob } from './jobs.ts';

/** Larger ones are refused by their header, before anything is decoded. 16K by 8K is 134 million. */
export const MOST_PIXELS = 160_000_000;

// Loaders of formats that nobody makes here stay shut.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadPng',
    'VipsForeignLoadJpeg',
    'VipsForeignLoadWebp',
    'VipsForeignLoadTiff',
    'VipsForeignLoadHeif',
    'VipsForeignLoadNsgif',
  ],
});
sharp.concurrency(2);
sharp.cache(false);

export async function stillOf({ input, output, to, quality, maxSize }: StillJob): Promise<JobFacts> {
  const { image, isDeep } = await opened(input, maxSize);
  const kept = isDeep && (to === 'png' || to === 'tiff') ? image.toColourspace('rgb16') : image;
  await encoded(kept, to, quality).toFile(output);
  return {};
}

function encoded(image: Sharp, to: StillJob['to'], quality: number): Sharp {
  switch (to) {
    case 'png':
      return image.keepIccProfile().png({ compressionLevel: 6 });
    case 'tiff':
      return image.keepIccProfile().tiff({ compression: 'deflate', predictor: 'horizontal' });
    case 'webp':
      return image.keepIccProfile().webp({ quality });
    default:
      // JPEG knows no transparency: what is seen through is black, as in front of nothing.
      return image
        .keepIccProfile()
        .flatten({ background: 'black' })
        .jpeg({ quality, mozjpeg: false, chromaSubsampling: quality >= 90 ? '4:4:4' : '4:2:0' });
  }
}

/** scRGB is linear light with the primaries of sRGB, as floats: what Blender calls Linear Rec.709. */
export async function linearOf({ input, output, maxSize }: LinearJob): Promise<JobFacts> {
  const { image } = await opened(input, maxSize);
  const { data, info } = await image.toColourspace('scrgb').raw({ depth: 'float' }).toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const floats = new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  const size = width * height;
  if (channels !== 3 && channels !== 4) throw new Error(`it has ${String(channels)} channels`);
  const hasAlpha = channels === 4;
  const handle = await open(output, 'wx');
  try {
    const plane = new Float32Array(size);
    for (const channel of hasAlpha ? [1, 2, 0, 3] : [1, 2, 0]) {
      for (let at = 0; at < size; at += 1) {
        const value = floats[at * channels + channel] ?? 0;
        // Colours in OpenEXR are what shines through: multiplied by their alpha.
        plane[at] = hasAlpha && channel < 3 ? value * (floats[at * channels + 3] ?? 1) : value;
      }
      await handle.write(new Uint8Array(plane.buffer));
    }
  } finally {
    await handle.close();
  }
  return { width, height, alpha: hasAlpha };
}

export async function framesOf({ input, directory }: FramesJob): Promise<JobFacts> {
  const { pages = 1, delay = [] } = await sharp(input, { limitInputPixels: MOST_PIXELS }).metadata();
  const { times, ...rate } = rhythmOf(delay.length === pages ? delay : Array.from({ length: pages }, () => 0), 1000);
  let frames = 0;
  for (const [page, count] of times.entries()) {
    const frame = await sharp(input, { page, pages: 1, limitInputPixels: MOST_PIXELS }).png({ compressionLevel: 1 }).toBuffer();
    for (let time = 0; time < count; time += 1) {
      frames += 1;
      if (frames > MOST_FRAMES) throw new Error(`it has more than ${String(MOST_FRAMES)} frames`);
      await writeFile(join(directory, `${String(frames).padStart(6, '0')}.png`), frame, { flag: 'wx' });
    }
  }
  return { frames, ...rate };
}

async function opened(input: string, maxSize: number | undefined): Promise<{ readonly image: Sharp; readonly isDeep: boolean }> {
  const image = sharp(input, { limitInputPixels: MOST_PIXELS, failOn: 'error' });
  const { depth } = await image.metadata();
  const turned = image.autoOrient();
  const sized =
    maxSize === undefined ? turned : turned.resize({ width: maxSize, height: maxSize, fit: 'inside', withoutEnlargement: true });
  return { image: sized, isDeep: depth === 'ushort' || depth === 'float' };
}
