/**
 * What of a PNG its pixels are made of: the file without texts and times, which are other ones each time it is written. Nothing is decoded, and what
 * tells of colours stays (PNG 11.3). ComfyUI's LoadImage turns pictures by their orientation, so that every place in which
 * Pillow looks for one stays as well: with one of them gone it would look into the next.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type ByteSource, bytesOfFile, READ_LIMIT, textAt } from './bytes.ts';
import { joined, type Stretch } from './embed/pieces.ts';
import { type PngChunk, pngChunks } from './formats/png.ts';

export interface Pixels {
  readonly stretches: readonly Stretch[];
  /** Of the stretches, one after the other. */
  readonly bytes: number;
  readonly sha256: string;
}

/** Undefined where there is nothing to leave out, and for what is no whole PNG of this hash. Throws what the disk says. */
export async function pixelsOf(path: string, sha256: string): Promise<Pixels | undefined> {
  const handle = await open(path, 'r');
  try {
    const source = bytesOfFile(handle, (await handle.stat()).size);
    const stretches = await stretchesOf(source);
    if (stretches === undefined) return undefined;
    const bytes = stretches.reduce((sum, { start, end }) => sum + end - start, 0);
    if (bytes === source.size || (await hashOf(source, [{ start: 0, end: source.size }])) !== sha256) return undefined;
    return { stretches, bytes, sha256: await hashOf(source, stretches) };
  } finally {
    await handle.close();
  }
}

// --- helpers ---

const SIGNATURE = '\x89PNG\r\n\x1a\n';

async function stretchesOf(source: ByteSource): Promise<readonly Stretch[] | undefined> {
  if (textAt(await source.read(0, SIGNATURE.length), 0, SIGNATURE.length) !== SIGNATURE) return undefined;
  const kept: Stretch[] = [{ start: 0, end: SIGNATURE.length }];
  for await (const chunk of pngChunks(source)) {
    const { type, at, length } = chunk;
    if (await isOfPixels(source, chunk)) kept.push({ start: at - 8, end: at + length + 4 });
    // What some programs append nobody reads.
    if (type === 'IEND') return joined(kept) as readonly Stretch[];
  }
  return undefined;
}

async function isOfPixels(source: ByteSource, { type, at, length }: PngChunk): Promise<boolean> {
  if (type === 'tIME') return false;
  if (type !== 'tEXt' && type !== 'zTXt' && type !== 'iTXt') return true;
  // Exif and XMP as texts, in which Pillow looks for an orientation too (PngImagePlugin, Image.getexif).
  return /^(?:Raw profile type |XML:com\.adobe\.xmp\0|exif\0|xmp\0)/.test(
    textAt(await source.read(at, Math.min(length, 32)), 0, Math.min(length, 32)),
  );
}

async function hashOf(source: ByteSource, stretches: readonly Stretch[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { start, end } of stretches)
    for (let at = start; at < end; at += READ_LIMIT) hash.update(await source.read(at, Math.min(READ_LIMIT, end - at)));
  return hash.digest('hex');
}
