// What can be seen through, where the format that is asked for knows no alpha or one bit of it: one rule for stills, frames and films.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FilmWish } from '#results/convert/ffmpeg-args.ts';
import { ffmpegPath } from '#results/convert/find-ffmpeg.ts';
import { freshDirectory } from '../samples.ts';
import { apng, type Colour, convertedTo, exrOf, movingWebp, near, plain } from './moving-pictures.ts';

const FFMPEG = ffmpegPath() !== undefined;
if (!FFMPEG) console.warn('SKIPPED: alpha is not looked at in films and frames, because there is no ffmpeg on PATH');

const ORANGE = { r: 200, g: 100, b: 50 };
const HALF: Colour = { ...ORANGE, alpha: 0.5 };
const FAINT: Colour = { ...ORANGE, alpha: 0.25 };
const [HALF_OVER_BLACK, FAINT_OVER_BLACK] = [
  { r: 100, g: 50, b: 25 },
  { r: 50, g: 25, b: 12 },
];

/** A still, and the same colour as moving PNG and WebP. */
async function kindsOf(colour: Colour): Promise<readonly Buffer[]> {
  const frame = [colour, 1, 10] as const;
  return [
    await plain(colour).png().toBuffer(),
    await plain(colour).webp({ lossless: true }).toBuffer(),
    await apng([frame, frame]),
    // Equal frames would be joined.
    await movingWebp([colour, { ...colour, r: colour.r - 3 }], [100, 100]),
  ];
}

async function pixelsOf(wish: FilmWish, contents: readonly Buffer[]): Promise<readonly (readonly number[])[]> {
  return (await Promise.all(contents.map(async (content) => (await convertedTo(wish, [content])).pixels))).flat();
}

describe.skipIf(!FFMPEG)('a picture with alpha', () => {
  it.each<FilmWish>([{ to: 'jpg', quality: 95 }, { to: 'frames', format: 'jpg', quality: 100 }, { to: 'mp4' }, { to: 'webm' }])(
    'is seen over black in %j',
    async (wish) => {
      for (const [colour, seen] of [
        [HALF, HALF_OVER_BLACK],
        [FAINT, FAINT_OVER_BLACK],
      ] as const) {
        const pixels = await pixelsOf(wish, await kindsOf(colour));
        expect(pixels.length).toBeGreaterThanOrEqual(4);
        expect(pixels.filter((pixel) => !near(seen)(pixel))).toEqual([]);
      }
    },
  );

  it('is in a GIF either as it is, from one half on, or not there', async () => {
    const seen = await pixelsOf({ to: 'gif' }, [
      ...(await kindsOf(HALF)),
      await plain({ ...ORANGE, alpha: 127 / 255 })
        .png()
        .toBuffer(),
    ]);
    expect(seen.filter((pixel) => !near(ORANGE, 4)(pixel))).toEqual([]);
    const unseen = await pixelsOf({ to: 'gif' }, await kindsOf(FAINT));
    expect(unseen.map(([, , , alpha]) => alpha)).toEqual(unseen.map(() => 0));
  });

  it.each<FilmWish>([
    { to: 'png', maxSize: 24 },
    { to: 'tiff', maxSize: 24 },
    { to: 'frames', maxSize: 24 },
    { to: 'frames', format: 'tiff' },
  ])('keeps it in %j', async (wish) => {
    const pixels = await pixelsOf(wish, await kindsOf(HALF));
    expect(pixels.length).toBeGreaterThanOrEqual(4);
    expect(pixels.filter((pixel) => !near(HALF)(pixel))).toEqual([]);
  });

  it.each([
    ['VP9 in WebM', 'film.webm', ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p', '-lossless', '1']],
    ['ProRes', 'film.mov', ['-c:v', 'prores_ks', '-profile:v', '4444', '-pix_fmt', 'yuva444p10le', '-alpha_bits', '16']],
    ['PNG in QuickTime', 'film.mov', ['-c:v', 'png', '-pix_fmt', 'rgba']],
  ])('is what a film is as well: %s', async (_, name, codec) => {
    const directory = freshDirectory();
    const [still, path] = [join(directory, 'still.png'), join(directory, name)];
    writeFileSync(still, await plain(HALF).png().toBuffer());
    execFileSync(ffmpegPath() ?? '', ['-v', 'error', '-loop', '1', '-i', still, '-frames:v', '3', ...codec, path]);
    const film = [readFileSync(path)];
    expect((await pixelsOf({ to: 'frames' }, film)).filter((pixel) => !near(HALF, 8)(pixel))).toEqual([]);
    expect((await pixelsOf({ to: 'frames', format: 'jpg' }, film)).filter((pixel) => !near(HALF_OVER_BLACK, 8)(pixel))).toEqual([]);
    expect((await pixelsOf({ to: 'gif' }, film)).filter((pixel) => !near(ORANGE, 8)(pixel))).toEqual([]);
  });
});

/** In linear light half as bright: what shines through, before nothing. */
const HALF_OF_THE_LIGHT = { r: 147, g: 72, b: 34 };

describe.skipIf(!FFMPEG)('an OpenEXR picture, whose colours are multiplied by their alpha', () => {
  it.each<FilmWish>([{ to: 'jpg', quality: 95 }, { to: 'frames', format: 'jpg', quality: 100 }, { to: 'mp4' }, { to: 'webm' }])(
    'is seen over black in %j, and not multiplied again',
    async (wish) => {
      const pixels = await pixelsOf(wish, [await exrOf(HALF)]);
      expect(pixels).toHaveLength(1);
      expect(pixels.filter((pixel) => !near(HALF_OF_THE_LIGHT)(pixel))).toEqual([]);
    },
  );

  it.each<FilmWish>([
    { to: 'png' },
    { to: 'tiff' },
    { to: 'webp', quality: 100 },
    { to: 'frames', format: 'png' },
    { to: 'frames', format: 'tiff' },
  ])('has its colours whole beside their alpha in %j', async (wish) => {
    for (const colour of [HALF, FAINT]) {
      const pixels = await pixelsOf(wish, [await exrOf(colour)]);
      expect(pixels.filter((pixel) => !near(colour)(pixel))).toEqual([]);
    }
  });

  it('has its own colours where it is seen in a GIF', async () => {
    expect((await pixelsOf({ to: 'gif' }, [await exrOf({ ...ORANGE, alpha: 0.6 })])).filter((pixel) => !near(ORANGE)(pixel))).toEqual([]);
  });

  it('stays what it is when it is made smaller', async () => {
    const smaller = await exrOf(HALF, { maxSize: 24 });
    expect((await pixelsOf({ to: 'png' }, [smaller])).filter((pixel) => !near(HALF)(pixel))).toEqual([]);
  });

  it('without alpha is as bright as what it was made of, in stills and in films', async () => {
    for (const wish of [{ to: 'png' }, { to: 'jpg', quality: 95 }, { to: 'mp4' }, { to: 'frames', format: 'png' }] as const)
      expect((await pixelsOf(wish, [await exrOf(ORANGE)])).filter((pixel) => !near(ORANGE)(pixel))).toEqual([]);
  });
});
