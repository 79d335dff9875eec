// Moving pictures that become films and frames: none of their frames is lost, and each is seen for its time.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rhythmOf } from '#results/convert/beat.ts';
import { ffmpegPath, findFfmpeg } from '#results/convert/find-ffmpeg.ts';
import { freshDirectory } from '../samples.ts';
import { apng, BLUE, convertedTo, GREEN, movingGif, movingWebp, plain, RED } from './moving-pictures.ts';

const FFMPEG = ffmpegPath() !== undefined;
if (!FFMPEG) console.warn('SKIPPED: no moving picture is converted, because there is no ffmpeg on PATH');

const steady = () =>
  apng([
    [RED, 1, 6],
    [GREEN, 1, 6],
    [BLUE, 1, 6],
  ]);
/** The strongest of red, green and blue. */
const named = (pixels: readonly (readonly number[])[]): string =>
  pixels.map((pixel) => 'rgb'[pixel.indexOf(Math.max(...pixel.slice(0, 3)))] ?? '?').join('');

describe.skipIf(!FFMPEG)('a moving picture', () => {
  it.each(['mp4', 'webm', 'gif', 'frames'] as const)('gives %s all its frames, be it PNG or WebP', async (to) => {
    for (const content of [await steady(), await movingWebp([RED, GREEN, BLUE], [160, 160, 160])]) {
      const { source, pixels } = await convertedTo({ to }, [content]);
      expect(source).toMatchObject({ kind: 'animation', facts: { frames: 3 } });
      expect(named(pixels)).toBe('rgb');
    }
  });

  it('keeps the times of its frames, where these differ as well', async () => {
    const uneven = await apng([
      [RED, 1, 10],
      [GREEN, 3, 10],
      [BLUE, 20, 100],
    ]);
    for (const content of [uneven, await movingWebp([RED, GREEN, BLUE], [100, 300, 200])]) {
      const { fps, pixels } = await convertedTo({ to: 'frames' }, [content]);
      expect(fps).toBe(10);
      expect(named(pixels)).toBe('rgggbb');
    }
    expect((await convertedTo({ to: 'mp4' }, [uneven])).known).toMatchObject({ facts: { frames: 6, fps: 10 } });
  });

  it('that is a GIF gives each of its frames once, whatever their times', async () => {
    for (const delay of [
      [100, 300, 200],
      [20, 1000, 70],
      [0, 0, 500],
    ]) {
      const content = await movingGif([RED, GREEN, BLUE], delay);
      const { source, pixels, fps } = await convertedTo({ to: 'frames' }, [content]);
      expect(source).toMatchObject({ kind: 'animation', facts: { frames: 3 } });
      expect(named(pixels)).toBe('rgb');
      expect(fps).toBe(source.facts?.fps);
      expect(named((await convertedTo({ to: 'frames', format: 'jpg' }, [content])).pixels)).toBe('rgb');
    }
  });

  it('that is a GIF has its times in frames of a rate that is asked for', async () => {
    const content = await movingGif([RED, GREEN, BLUE], [100, 300, 200]);
    expect(named((await convertedTo({ to: 'frames', fps: 10 }, [content])).pixels)).toBe('rgggbb');
  });

  it('is not converted where one picture is all that comes out of it', async () => {
    const folder = freshDirectory();
    const [one, program] = [join(folder, 'one.gif'), join(folder, 'ffmpeg')];
    writeFileSync(one, await plain(RED).gif().toBuffer());
    writeFileSync(program, `#!/bin/sh\ncp ${one} out.gif\n`);
    chmodSync(program, 0o755);
    const ffmpeg = () => Promise.resolve({ path: program, version: '9', encoders: new Set<string>() });
    const moving = readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'media', 'anim.gif'));
    await expect(convertedTo({ to: 'gif', maxSize: 16 }, [moving], { ffmpeg })).rejects.toThrow(
      'one picture is all that came out of its 5 frames',
    );
    // Half a second at one picture a second is one picture.
    expect((await convertedTo({ to: 'gif', fps: 1 }, [moving], { ffmpeg })).pixels).toHaveLength(1);
  });
});

describe('an animated PNG', () => {
  it.each(['mp4', 'gif', 'frames'] as const)('is not converted to %s without ffmpeg, and the cure is told', async (to) => {
    const ffmpeg = () => findFfmpeg({ CALLSHEET_FFMPEG: '/nowhere/ffmpeg' });
    await expect(convertedTo({ to }, [await steady()], { ffmpeg })).rejects.toMatchObject({
      code: 'CONVERSION_FAILED',
      data: { hint: expect.stringContaining('Install ffmpeg') },
    });
  });
});

describe('the beat of a moving picture', () => {
  it.each([
    [[1, 3, 2], 10, [1, 3, 2], 10],
    [[83, 83, 83], 1000, [1, 1, 1], 12.05],
    // No common measure that anybody meant: each once, and on average as fast.
    [[83, 84, 83], 1000, [1, 1, 1], 12],
    [[0, 100, 200], 1000, [1, 1, 2], 13.33],
    [[0, 0], 1000, [1, 1], undefined],
    [[], 1000, [], undefined],
  ])('of %j in parts of 1/%i s shows each frame %j times', (delays, perSecond, times, fps) => {
    expect(rhythmOf(delays, perSecond)).toEqual({ times, ...(fps === undefined ? {} : { fps }) });
  });
});
