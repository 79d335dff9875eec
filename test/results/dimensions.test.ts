import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { bytesInMemory } from '#results/bytes.ts';
import { measure, measureBytes } from '#results/dimensions.ts';
import { readPngText } from '#results/png-text.ts';
import { sniff } from '#results/sniff.ts';
import { box, element, film, flac, glb, picture, pngChunk, pngWith, safetensors, wav, webm } from './samples.ts';

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

const FILES = {
  png: { bytes: await picture().png().toBuffer(), expected: SIZE },
  jpeg: { bytes: await picture().jpeg().toBuffer(), expected: SIZE },
  'progressive jpeg': { bytes: await picture().jpeg({ progressive: true }).withMetadata().toBuffer(), expected: SIZE },
  'lossy webp': { bytes: await picture().webp().toBuffer(), expected: SIZE },
  'lossless webp': { bytes: await picture().webp({ lossless: true }).toBuffer(), expected: SIZE },
  'animated webp': { bytes: animated, expected: { ...SIZE, duration: 0.75 } },
  gif: { bytes: await picture().gif().toBuffer(), expected: SIZE },
  avif: { bytes: await picture().avif({ effort: 0 }).toBuffer(), expected: SIZE },
  mp4: { bytes: film(), expected: { width: 640, height: 360, duration: 2.5 } },
  mov: { bytes: film('qt  '), expected: { width: 640, height: 360, duration: 2.5 } },
  webm: { bytes: webm(), expected: { width: 320, height: 180, duration: 1.25 } },
  wav: { bytes: wav(), expected: { duration: 0.5 } },
  flac: { bytes: flac(), expected: { duration: 2 } },
  glb: { bytes: glb(), expected: {} },
  safetensors: { bytes: safetensors(), expected: {} },
};

const ALL = Object.values(FILES).map(({ bytes }) => bytes);

/** Everything that is done with a foreign file: it may say what it likes, but it must come to an end without throwing. */
async function look(bytes: Uint8Array): Promise<void> {
  const { mediaType } = sniff(bytes.subarray(0, 4096));
  const measured = measureBytes(bytes, mediaType);
  await expect(measured).resolves.toBeTypeOf('object');
  await expect(readPngText(bytesInMemory(bytes))).resolves.toBeInstanceOf(Map);
}

describe('measure', () => {
  for (const [name, { bytes, expected }] of Object.entries(FILES)) {
    it(`reads the headers of ${name}`, async () => {
      expect(await measureBytes(bytes, sniff(bytes.subarray(0, 4096)).mediaType)).toEqual(expected);
    });
  }

  for (const name of ['png', 'jpeg', 'lossy webp', 'gif', 'avif', 'mp4', 'webm', 'wav', 'safetensors'] as const) {
    it(`notices that ${name} was cut short at any byte`, async () => {
      const { bytes } = FILES[name];
      const { mediaType } = sniff(bytes);
      for (let length = 64; length < bytes.length; length += Math.max(1, Math.floor(bytes.length / 200))) {
        const { fault } = await measureBytes(bytes.subarray(0, length), mediaType);
        expect(fault, `${name} cut to ${length} of ${bytes.length}`).toBeTypeOf('string');
      }
    });
  }

  it('takes a PNG and a JPEG with something appended', async () => {
    const tail = Buffer.from('notes of some program');
    expect(await measureBytes(Buffer.concat([FILES.png.bytes, tail]), 'image/png')).toEqual(SIZE);
    expect(await measureBytes(Buffer.concat([FILES.jpeg.bytes, Buffer.alloc(16)]), 'image/jpeg')).toEqual(SIZE);
  });

  it('refuses a picture of no size', async () => {
    const bytes = Buffer.from(FILES.png.bytes);
    bytes.writeUInt32BE(0, 16);
    expect((await measureBytes(bytes, 'image/png')).fault).toMatch(/0 × 32/);
    bytes.writeUInt32BE(2 ** 31, 16);
    expect((await measureBytes(bytes, 'image/png')).fault).toMatch(/2147483648 × 32/);
  });
});

describe('hostile files', () => {
  const start = box('ftyp', Buffer.from('isom\0\0\0\0'));
  const zero = Buffer.alloc(8);
  const large = Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from('moov'), Buffer.alloc(8, 0xff)]);
  const tiny = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('moov')]);

  it('end the walk at boxes of size zero, of impossible size and of 2^64 − 1 bytes', async () => {
    for (const bad of [zero, tiny, large]) {
      expect((await measureBytes(Buffer.concat([start, bad, zero, zero]), 'video/mp4')).fault).toBeTypeOf('string');
    }
    const inside = Buffer.concat([start, box('mdat'), box('moov', zero, zero)]);
    expect(await measureBytes(inside, 'video/mp4')).toEqual({});
  });

  it('may hold a hundred thousand boxes or elements of no length', async () => {
    const boxes = Buffer.concat([start, Buffer.concat(Array.from({ length: 100_000 }, () => box('free')))]);
    expect((await measureBytes(boxes, 'video/mp4')).fault).toBeTypeOf('string');
    const elements = Buffer.concat(Array.from({ length: 100_000 }, () => element(0xec, Buffer.alloc(0))));
    expect((await measureBytes(Buffer.concat([element(0x1a45dfa3, Buffer.from('webm')), elements]), 'video/webm')).fault).toBeTypeOf(
      'string',
    );
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
    await measure(watched, 'image/png');
    await readPngText(watched);
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
