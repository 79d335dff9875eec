/** What is sent of a PNG where its pixels are asked for: the same each time, whatever is written into the file, and not a pixel less. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type Pixels, pixelsOf } from '#results/pixels.ts';
import { freshDirectory, pngChunk } from './samples.ts';

const PLAIN = await sharp({ create: { width: 6, height: 4, channels: 4, background: { r: 9, g: 200, b: 30, alpha: 0.5 } } })
  .png()
  .toBuffer();
const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const text = (content: string, type = 'tEXt') => pngChunk(type, Buffer.from(content, 'latin1'));
/** Right after the header, and before the end. */
const withChunks = (early: readonly Buffer[], late: readonly Buffer[] = []): Buffer =>
  Buffer.concat([PLAIN.subarray(0, 33), ...early, PLAIN.subarray(33, -12), ...late, PLAIN.subarray(-12)]);
/** An Exif block of one short value. */
const exif = (tag: number, value: number): Buffer => {
  const block = Buffer.alloc(26);
  block.write('II*\0', 'latin1');
  block.writeUInt32LE(8, 4);
  block.writeUInt16LE(1, 8);
  block.writeUInt16LE(tag, 10);
  block.writeUInt16LE(3, 12);
  block.writeUInt32LE(1, 14);
  block.writeUInt16LE(value, 18);
  return pngChunk('eXIf', block);
};

async function seen(file: Buffer): Promise<{ readonly pixels: Pixels | undefined; readonly sent: Buffer }> {
  const path = join(freshDirectory(), 'picture.png');
  writeFileSync(path, file);
  const pixels = await pixelsOf(path, sha256(file));
  return { pixels, sent: Buffer.concat((pixels?.stretches ?? []).map(({ start, end }) => readFileSync(path).subarray(start, end))) };
}

describe('the pixels of a PNG', () => {
  it.each([
    ['the graph of its attempt', withChunks([text('prompt\0{"1":{}}')], [text('workflow\0{}', 'iTXt'), text('a\0\0b', 'zTXt')])],
    ['a time', withChunks([], [pngChunk('tIME', Buffer.alloc(7))])],
    ['what a program appended', Buffer.concat([withChunks([text('prompt\0{}')]), Buffer.from('more')])],
  ])('are the file without %s', async (_, file) => {
    const { pixels, sent } = await seen(file);
    expect(sent.equals(PLAIN)).toBe(true);
    expect(pixels).toMatchObject({ bytes: PLAIN.length, sha256: sha256(PLAIN) });
  });

  it('keep what tells of colours, of transparency and of frames, byte for byte', async () => {
    const chunks = ['gAMA', 'cHRM', 'sRGB', 'iCCP', 'sBIT', 'cICP', 'tRNS', 'pHYs', 'acTL', 'fcTL', 'fdAT', 'prVt'].map((type) =>
      pngChunk(type, Buffer.from(type)),
    );
    expect((await seen(withChunks([...chunks, text('prompt\0{}')]))).sent.equals(withChunks(chunks))).toBe(true);
  });

  it.each([
    ['Exif', exif(0x0112, 6)],
    // With it gone a reader would look into the next place.
    ['Exif that turns nothing', exif(0x0131, 1)],
    ['Exif that nobody can read', pngChunk('eXIf', Buffer.from('nonsense'))],
    ['XMP', text('XML:com.adobe.xmp\0\0\0\0\0<tiff:Orientation>6</tiff:Orientation>', 'iTXt')],
    ['Exif as a text', text('Raw profile type exif\0...')],
    ['Exif as a text of another kind', text('exif\0...')],
    ['XMP as a text of another kind', text('xmp\0...')],
  ])('keep what a reader may turn the picture by: %s', async (_, chunk) => {
    expect((await seen(withChunks([chunk, text('prompt\0{}')]))).sent.equals(withChunks([chunk]))).toBe(true);
    expect((await seen(withChunks([chunk]))).pixels).toBeUndefined();
  });

  it.each([
    ['there is nothing to leave out', PLAIN],
    ['it is no PNG', Buffer.from('GIF89a and so on')],
    ['it is cut short', withChunks([text('prompt\0{}')]).subarray(0, -20)],
  ])('are not told where %s', async (_, file) => {
    expect((await seen(file)).pixels).toBeUndefined();
  });

  it('are not told of a file that is another by now', async () => {
    const path = join(freshDirectory(), 'picture.png');
    writeFileSync(path, withChunks([text('prompt\0{}')]));
    expect(await pixelsOf(path, sha256('what it was'))).toBeUndefined();
  });
});
