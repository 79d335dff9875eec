/** Pictures that requests refer to: smooth shapes from a seed, always the same. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Spec } from './spec.ts';

/** Writes them into `dir`; the paths by name. */
export async function makePictures(dir: string, pictures: Spec['pictures']): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  for (const [name, { width, height, seed }] of Object.entries(pictures)) {
    const data = Buffer.alloc(width * height * 3);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let channel = 0; channel < 3; channel++) {
          const wave = Math.sin((x * (channel + 1)) / (40 + 7 * seed)) + Math.cos((y * (3 - channel)) / (55 + 5 * seed));
          data[(y * width + x) * 3 + channel] = Math.round(127 + 60 * wave);
        }
    const path = join(dir, `${name}.png`);
    writeFileSync(
      path,
      await sharp(data, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    );
    paths.set(name, path);
  }
  return paths;
}
