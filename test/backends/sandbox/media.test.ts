/** Films and sounds that the sandbox writes: what goes in is what a reader of the format finds. */
import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { encodeFlac } from '#backends/sandbox/media/flac.ts';
import { joinApng } from '#backends/sandbox/media/apng.ts';
import { writeCube } from '#backends/sandbox/media/glb.ts';
import { writeMp4 } from '#backends/sandbox/media/mp4.ts';
import { codeFilm } from '#backends/sandbox/media/picture-codecs.ts';
import { readLatent, writeLatent } from '#backends/sandbox/media/safetensors.ts';
import { tagsOf } from '#backends/sandbox/media/tags.ts';
import { writeWebm } from '#backends/sandbox/media/webm.ts';
import { blank } from '#backends/sandbox/images/pixels.ts';
import { bytesInMemory } from '#results/bytes.ts';
import { saysDraft } from '#results/embedded/draft.ts';
import { findWorkflows } from '#results/embedded/find-workflows.ts';
import { readEmbedded } from '#results/embedded/read.ts';
import { recogniseBytes } from '#results/recognise.ts';

const PROMPT = { 1: { class_type: 'A', inputs: { seed: 18446744073709551615n, text: 'größe 中' } } };
const TAGS = tagsOf(PROMPT, { workflow: { nodes: [], links: [] } }, true);
const pictures = [0, 0.25, 0.25, 1].map((value) => blank(33, 17, 3, value));
const silence = (samples: number) => ({ sampleRate: 44_100, channels: [new Float32Array(samples), new Float32Array(samples)] });

async function inside(bytes: Buffer) {
  const embedded = await readEmbedded(bytesInMemory(bytes));
  return { draft: saysDraft(embedded), prompt: findWorkflows(embedded.texts).api?.text };
}

const MARKED = { draft: true, prompt: '{"1":{"class_type":"A","inputs":{"seed":18446744073709551615,"text":"größe 中"}}}' };

describe('media of the sandbox', () => {
  it.each(['vp8', 'av1'] as const)('holds pictures as %s in a WebM, with even sides', async (codec) => {
    const bytes = writeWebm(await codeFilm(pictures, codec), 23.976, TAGS);
    expect(await recogniseBytes(bytes)).toMatchObject({
      mediaType: 'video/webm',
      width: 34,
      height: 18,
      duration: expect.closeTo(4 / 23.976, 3) as number,
      facts: { frames: 4, fps: 23.976, codec },
    });
    expect(await inside(bytes)).toEqual(MARKED);
  });

  it('holds pictures and sound in an MP4', async () => {
    const bytes = writeMp4(await codeFilm(pictures, 'av1'), 23.976, silence(8000), TAGS);
    const found = await recogniseBytes(bytes);
    expect(found.fault).toBeUndefined();
    expect(found).toMatchObject({
      mediaType: 'video/mp4',
      width: 34,
      height: 18,
      facts: { frames: 4, fps: 23.976, codec: 'av1', audioCodec: 'flac', channels: 2, sampleRate: 44_100, depth: 8 },
    });
    expect(await inside(bytes)).toEqual(MARKED);
  });

  it('codes frames that are equal once', async () => {
    const { frames } = await codeFilm(pictures, 'av1');
    expect(frames[1]).toBe(frames[2]);
    expect(frames[0]).not.toBe(frames[1]);
  });

  it('joins PNGs into an animation whose first frame is a picture to every reader', async () => {
    const pngs = await Promise.all(
      ['#ff0000', '#0000ff'].map((background) =>
        sharp({ create: { width: 5, height: 4, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const bytes = joinApng(pngs, 12.5);
    expect(await recogniseBytes(bytes)).toMatchObject({
      kind: 'animation',
      width: 5,
      height: 4,
      duration: 0.16,
      facts: { frames: 2, fps: 12.5 },
    });
    expect([...(await sharp(bytes).raw().toBuffer()).subarray(0, 3)]).toEqual([255, 0, 0]);
  });

  it('writes FLAC of any length, rate and number of channels, whole to a reader that checks its last frame', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20_000 }),
        fc.constantFrom(1, 8000, 44_100, 96_000, 192_000),
        fc.integer({ min: 1, max: 8 }),
        async (samples, sampleRate, count) => {
          const channels = Array.from({ length: count }, (_, channel) =>
            Float32Array.from({ length: samples }, (__, n) => Math.sin(n * (channel + 1))),
          );
          const found = await recogniseBytes(encodeFlac({ sampleRate, channels }, TAGS));
          expect(found.fault).toBeUndefined();
          expect(found.duration).toBeCloseTo(samples / sampleRate, 6);
          expect(found.facts).toEqual({ channels: count, sampleRate, depth: 16, codec: 'flac' });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('marks sounds, shapes and latents as drafts and keeps the graph in them', async () => {
    expect(await inside(encodeFlac(silence(10), TAGS))).toEqual(MARKED);
    expect(await inside(writeCube('a cube', [0.1, 0.2, 0.3], TAGS))).toEqual(MARKED);
    expect(await inside(writeLatent({ batch: 1, width: 64, height: 32 }, TAGS))).toEqual(MARKED);
  });

  it('reads the latents that it writes', () => {
    const written = writeLatent({ batch: 2, width: 64, height: 32 }, TAGS);
    expect(readLatent(written)).toEqual({ batch: 2, width: 64, height: 32, draft: true });
    expect(() => readLatent(Buffer.from('nonsense'))).toThrowError('no latent');
  });
});
