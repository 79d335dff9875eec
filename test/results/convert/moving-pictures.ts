/** Moving pictures of plain colours with times of their own, and what can be seen in what was made of them. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { bytesOfFile } from '#results/bytes.ts';
import { convertFiles } from '#results/convert/convert.ts';
import type { FilmWish } from '#results/convert/ffmpeg-args.ts';
import { findFfmpeg } from '#results/convert/find-ffmpeg.ts';
import { everyFrame } from '#results/convert/picture-args.ts';
import type { ConvertRequest, ConvertSource } from '#results/convert/request.ts';
import { recognise } from '#results/recognise.ts';
import { freshDirectory, pngChunk } from '../samples.ts';

export type Colour = { readonly r: number; readonly g: number; readonly b: number; readonly alpha?: number };
export const RED: Colour = { r: 255, g: 0, b: 0 };
export const GREEN: Colour = { r: 0, g: 255, b: 0 };
export const BLUE: Colour = { r: 0, g: 0, b: 255 };

const SIZE = { width: 32, height: 16 };

export function plain({ alpha, ...colour }: Colour) {
  const background = alpha === undefined ? colour : { ...colour, alpha };
  return sharp({ create: { ...SIZE, channels: alpha === undefined ? 3 : 4, background } });
}

function chunksIn(png: Buffer): readonly { readonly type: string; readonly data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}

/** Each frame is shown for its fraction of a second. */
export async function apng(frames: readonly (readonly [Colour, number, number])[]): Promise<Buffer> {
  let number = 0;
  const chunks: Buffer[] = [];
  for (const [index, [colour, count, parts]] of frames.entries()) {
    const made = chunksIn(await plain(colour).png().toBuffer());
    if (index === 0) {
      const control = Buffer.alloc(8);
      control.writeUInt32BE(frames.length);
      chunks.push(pngChunk('IHDR', made.find(({ type }) => type === 'IHDR')?.data ?? Buffer.alloc(0)), pngChunk('acTL', control));
    }
    const control = Buffer.alloc(26);
    control.writeUInt32BE(number++, 0);
    control.writeUInt32BE(SIZE.width, 4);
    control.writeUInt32BE(SIZE.height, 8);
    control.writeUInt16BE(count, 20);
    control.writeUInt16BE(parts, 22);
    chunks.push(pngChunk('fcTL', control));
    for (const { type, data } of made) {
      if (type !== 'IDAT') continue;
      const order = Buffer.alloc(4);
      if (index > 0) order.writeUInt32BE(number++);
      chunks.push(index === 0 ? pngChunk('IDAT', data) : pngChunk('fdAT', Buffer.concat([order, data])));
    }
  }
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks, pngChunk('IEND', Buffer.alloc(0))]);
}

/** `delay` of each frame in milliseconds. */
export async function movingWebp(colours: readonly Colour[], delay: readonly number[]): Promise<Buffer> {
  const frames = await Promise.all(colours.map((colour) => plain(colour).png().toBuffer()));
  return sharp(frames, { join: { animated: true } })
    .webp({ lossless: true, delay: [...delay] })
    .toBuffer();
}

/** `delay` of each frame in milliseconds. */
export async function movingGif(colours: readonly Colour[], delay: readonly number[]): Promise<Buffer> {
  const frames = await Promise.all(colours.map((colour) => plain(colour).png().toBuffer()));
  return sharp(frames, { join: { animated: true } })
    .gif({ delay: [...delay] })
    .toBuffer();
}

/** OpenEXR of one colour; with more that is asked for made of it once more. */
export async function exrOf(colour: Colour, again?: Omit<FilmWish, 'to'>): Promise<Buffer> {
  const first = await exrFrom(await plain(colour).png().toBuffer(), {});
  return again === undefined ? first : exrFrom(first, again);
}

async function exrFrom(content: Buffer, options: Omit<FilmWish, 'to'>): Promise<Buffer> {
  const directory = freshDirectory();
  const path = join(directory, 'given');
  writeFileSync(path, content);
  const { signal } = new AbortController();
  const wish = { ...options, to: 'exr' } as const;
  return convertFiles({ sources: [await sourceOf(path)], wish, directory, signal }, async (made) =>
    readFile(made.kind === 'file' ? made.path : ''),
  );
}

async function sourceOf(path: string): Promise<ConvertSource> {
  const handle = await open(path, 'r');
  try {
    const { fault: _, extension: __, ...known } = await recognise(bytesOfFile(handle, (await handle.stat()).size));
    return { path, ...known };
  } finally {
    await handle.close();
  }
}

export interface Seen {
  readonly source: ConvertSource;
  /** Of the file, or of the first frame. */
  readonly known: ConvertSource;
  readonly fps?: number;
  /** Of each picture the middle, as red, green, blue and alpha. */
  readonly pixels: readonly (readonly number[])[];
}

/** Throws what the conversion throws. */
export async function convertedTo(wish: FilmWish, contents: readonly Buffer[], more: Pick<ConvertRequest, 'ffmpeg'> = {}): Promise<Seen> {
  const directory = freshDirectory();
  const paths = contents.map((content, index) => {
    const path = join(directory, `given-${String(index)}`);
    writeFileSync(path, content);
    return path;
  });
  const sources = await Promise.all(paths.map(sourceOf));
  const { signal } = new AbortController();
  return convertFiles({ sources, wish, directory, signal, ...more }, async (made) => {
    const files = made.kind === 'file' ? [made.path] : made.paths;
    const pixels = (await Promise.all(files.map(pixelsOf))).flat();
    const rate = made.kind === 'frames' && made.fps !== undefined ? { fps: made.fps } : {};
    return { source: sources[0] as ConvertSource, known: await sourceOf(files[0] ?? ''), ...rate, pixels };
  });
}

async function pixelsOf(path: string): Promise<readonly (readonly number[])[]> {
  const { path: program, version } = await findFfmpeg();
  const middle = [...everyFrame(version), '-vf', 'format=rgba,crop=1:1:16:8', '-f', 'rawvideo', '-'];
  const bytes = execFileSync(program, ['-v', 'error', '-i', path, ...middle]);
  return Array.from({ length: bytes.length / 4 }, (_, n) => [...bytes.subarray(n * 4, n * 4 + 4)]);
}

/** What the colours of films, which are not exact, are meant to be. */
export function near({ r, g, b, alpha = 1 }: Colour, by = 6): (pixel: readonly number[]) => boolean {
  return (pixel) => [r, g, b, alpha * 255].every((value, n) => Math.abs((pixel[n] ?? -1000) - value) <= by);
}
