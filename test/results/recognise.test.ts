import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { bytesInMemory } from '#results/bytes.ts';
import { readEmbedded } from '#results/embedded/read.ts';
import { recognise, recogniseBytes } from '#results/recognise.ts';
import { box, element, film, glb, picture, pngChunk, pngWith, safetensors, wav, webm } from './samples.ts';

const frames = await Promise.all(
  [0, 1].map((n) =>
    picture()
      .linear(1, n * 20)
      .png()
      .toBuffer(),
  ),
);
const animated = await sharp(frames, { join: { animated: true } })
  .webp({ delay: [300, 450] })
  .toBuffer();

const SIZE = { width: 48, height: 32 };
const RGB = { channels: 3, depth: 8, alpha: false };
const still = (facts: object = RGB) => ({ kind: 'image', ...SIZE, facts });

const FILES = {
  png: { bytes: await picture().png().toBuffer(), expected: still() },
  'png with alpha': { bytes: await picture().ensureAlpha().png().toBuffer(), expected: still({ channels: 4, depth: 8, alpha: true }) },
  jpeg: { bytes: await picture().jpeg().toBuffer(), expected: still() },
  'grey jpeg': { bytes: await picture().toColourspace('b-w').jpeg().toBuffer(), expected: still({ channels: 1, depth: 8, alpha: false }) },
  'progressive jpeg': { bytes: await picture().jpeg({ progressive: true }).withMetadata().toBuffer(), expected: still() },
  'lossy webp': { bytes: await picture().webp().toBuffer(), expected: still() },
  'lossless webp': { bytes: await picture().webp({ lossless: true }).toBuffer(), expected: still() },
  'webp with alpha': { bytes: await picture().ensureAlpha(0.5).webp().toBuffer(), expected: still({ channels: 4, depth: 8, alpha: true }) },
  'animated webp': {
    bytes: animated,
    expected: { kind: 'animation', ...SIZE, duration: 0.75, facts: { ...RGB, frames: 2, fps: 2.667 } },
  },
  gif: { bytes: await picture().gif().toBuffer(), expected: still({ ...RGB, alpha: true }) },
  avif: { bytes: await picture().avif({ effort: 0 }).toBuffer(), expected: still() },
  'avif with alpha': {
    bytes: await picture().ensureAlpha(0.5).avif({ effort: 0 }).toBuffer(),
    expected: still({ channels: 4, depth: 8, alpha: true }),
  },
  mp4: { bytes: film(), expected: { kind: 'video', width: 640, height: 360, duration: 2.5 } },
  mov: { bytes: film('qt  '), expected: { kind: 'video', width: 640, height: 360, duration: 2.5 } },
  webm: { bytes: webm(), expected: { kind: 'video', width: 320, height: 180, duration: 1.25, facts: { alpha: false } } },
  wav: { bytes: wav(), expected: { kind: 'audio', duration: 0.5, facts: { codec: 'pcm', channels: 1, sampleRate: 8000, depth: 16 } } },
  glb: { bytes: glb(), expected: { kind: 'model3d' } },
  safetensors: { bytes: safetensors(), expected: { kind: 'file' } },
  latent: { bytes: safetensors('latent_tensor'), expected: { kind: 'latent' } },
  svg: { bytes: Buffer.from('<svg viewBox="0 0 40.4 20" width="100%"><g/></svg>'), expected: { kind: 'image', width: 40, height: 20 } },
  'svg of no size': { bytes: Buffer.from('<svg xmlns="x"/>'), expected: { kind: 'image' } },
  hdr: {
    bytes: Buffer.from('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 32 +X 48\n...'),
    expected: { kind: 'image', ...SIZE, facts: { channels: 3 } },
  },
  text: { bytes: Buffer.from('a caption'), expected: { kind: 'text' } },
  nothing: { bytes: Buffer.alloc(0), expected: { kind: 'text' } },
  unknown: { bytes: Buffer.from([1, 2, 3]), expected: { kind: 'file' } },
};

const ALL = Object.values(FILES).map(({ bytes }) => bytes);

/** Everything that is done with a foreign file: it may say what it likes, but it must come to an end without throwing. */
async function look(bytes: Uint8Array): Promise<void> {
  await expect(recogniseBytes(bytes)).resolves.toBeTypeOf('object');
  await expect(readEmbedded(bytesInMemory(bytes))).resolves.toBeTypeOf('object');
}

describe('recognise', () => {
  for (const [name, { bytes, expected }] of Object.entries(FILES)) {
    it(`reads the headers of ${name}`, async () => {
      const { mediaType: _, extension: _own, ...found } = await recogniseBytes(bytes);
      expect(found).toEqual(expected);
    });
  }

  for (const name of [
    'png',
    'jpeg',
    'lossy webp',
    'gif',
    'avif',
    'mp4',
    'webm',
    'wav',
    'safetensors',
    'latent',
    'animated webp',
  ] as const) {
    it(`notices that ${name} was cut short at any byte`, async () => {
      const { bytes } = FILES[name];
      for (let length = 64; length < bytes.length; length += Math.max(1, Math.floor(bytes.length / 200))) {
        const { fault } = await recogniseBytes(bytes.subarray(0, length));
        expect(fault, `${name} cut to ${length} of ${bytes.length}`).toBeTypeOf('string');
      }
    });
  }

  it('names a latent as ComfyUI wants to load it', async () => {
    expect(await recogniseBytes(FILES.latent.bytes)).toMatchObject({ mediaType: 'application/x-comfy-latent', extension: 'latent' });
  });

  it('takes a film that holds sound alone for a sound', async () => {
    const { fault, ...found } = await recogniseBytes(
      Buffer.concat([
        film().subarray(0, 16),
        box('mdat'),
        box('moov', box('trak', box('mdia', box('hdlr', Buffer.from('\0\0\0\0\0\0\0\0soun'))))),
      ]),
    );
    expect(fault).toBeUndefined();
    expect(found).toMatchObject({ kind: 'audio', mediaType: 'audio/mp4', extension: 'm4a' });
  });

  it('takes a PNG and a JPEG with something appended', async () => {
    const tail = Buffer.from('notes of some program');
    expect(await recogniseBytes(Buffer.concat([FILES.png.bytes, tail]))).toMatchObject(still());
    expect(await recogniseBytes(Buffer.concat([FILES.jpeg.bytes, Buffer.alloc(16)]))).toMatchObject(still());
  });

  it('refuses a picture of no size', async () => {
    const bytes = Buffer.from(FILES.png.bytes);
    bytes.writeUInt32BE(0, 16);
    expect((await recogniseBytes(bytes)).fault).toMatch(/0 × 32/);
    bytes.writeUInt32BE(2 ** 31, 16);
    expect((await recogniseBytes(bytes)).fault).toMatch(/2147483648 × 32/);
  });
});

describe('hostile files', () => {
  it.each([31, 34])('an Ogg page whose FLAC packet ends after %i bytes, in the middle of its numbers, is no failure', async (length) => {
    const page = Buffer.alloc(28);
    page.write('OggS');
    // The first page of its stream, with one packet.
    page[5] = 2;
    page[26] = 1;
    page[27] = length;
    const packet = Buffer.alloc(length);
    packet.write('\x7fFLAC', 'latin1');
    await expect(recogniseBytes(Buffer.concat([page, packet]))).resolves.toBeTypeOf('object');
  });

  const start = box('ftyp', Buffer.from('isom\0\0\0\0'));
  const zero = Buffer.alloc(8);
  const large = Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from('moov'), Buffer.alloc(8, 0xff)]);
  const tiny = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('moov')]);

  it('end the walk at boxes of size zero, of impossible size and of 2^64 − 1 bytes', async () => {
    for (const bad of [zero, tiny, large]) {
      expect((await recogniseBytes(Buffer.concat([start, bad, zero, zero]))).fault).toBeTypeOf('string');
    }
    const inside = Buffer.concat([start, box('mdat'), box('moov', zero, zero)]);
    expect(await recogniseBytes(inside)).toEqual({ mediaType: 'video/mp4', extension: 'mp4', kind: 'video' });
  });

  it('may hold a hundred thousand boxes or elements of no length', async () => {
    const boxes = Buffer.concat([start, Buffer.concat(Array.from({ length: 100_000 }, () => box('free')))]);
    expect((await recogniseBytes(boxes)).fault).toBeTypeOf('string');
    const elements = Buffer.concat(Array.from({ length: 100_000 }, () => element(0xec, Buffer.alloc(0))));
    expect((await recogniseBytes(Buffer.concat([element(0x1a45dfa3, Buffer.from('webm')), elements]))).fault).toBeTypeOf('string');
  });

  it('do not make the reader take more memory than its limit', async () => {
    const lengths: number[] = [];
    const source = bytesInMemory(await pngWith(pngChunk('tEXt', Buffer.alloc(2 * 1024 * 1024, 65))));
    const watched = {
      size: source.size,
      read(at: number, length: number) {
        lengths.push(length);
        return source.read(at, length);
      },
    };
    await recognise(watched);
    await readEmbedded(watched);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(1024 * 1024);
  });

  it('never throw, cut at any place', async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ALL), fc.double({ min: 0, max: 1, noNaN: true }), async (bytes, part) => {
        await look(bytes.subarray(0, Math.floor(bytes.length * part)));
      }),
      { numRuns: 500 },
    );
  });

  it('never throw, changed at any place', async () => {
    expect.hasAssertions();
    const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ALL), changes, fc.boolean(), async (bytes, places, isNearStart) => {
        const copy = Buffer.from(bytes);
        const reach = isNearStart ? Math.min(copy.length, 200) : copy.length;
        for (const [part, value] of places) copy[Math.floor(part * (reach - 1))] = value;
        await look(copy);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throw, however they begin', async () => {
    expect.hasAssertions();
    const beginnings = ALL.map((bytes) => bytes.subarray(0, 16));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 400 }), async (start16, rest) => {
        await look(Buffer.concat([start16, rest]));
      }),
      { numRuns: 2000 },
    );
  });
});
