/**
 * What of a PNG its pixels are made of: the file without texts and times, which are other ones each time it is written. Nothing is decoded, and what
 * tells of colours stays (PNG 11.3). ComfyUI's LoadImage turns pictures by their orientation, so that what tells one stays as well.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type ByteSource, bytesOfFile, READ_LIMIT, textAt, viewOf } from './bytes.ts';
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
  if (type === 'eXIf') return tellsOrientation(await source.read(at, Math.min(length, READ_LIMIT)));
  if (type !== 'tEXt' && type !== 'zTXt' && type !== 'iTXt') return true;
  // Exif and XMP as texts, in which Pillow looks for an orientation too.
  return /^(?:Raw profile type |XML:com\.adobe\.xmp\0)/.test(textAt(await source.read(at, Math.min(length, 32)), 0, Math.min(length, 32)));
}

const ORIENTATION = 0x0112;

/** In its first folder (TIFF 6.0 section 2); true where it cannot be read. */
function tellsOrientation(block: Uint8Array): boolean {
  const order = textAt(block, 0, 2);
  if (block.length < 8 || (order !== 'II' && order !== 'MM')) return true;
  const little = order === 'II';
  const view = viewOf(block);
  const folder = view.getUint32(4, little);
  if (folder + 2 > block.length) return true;
  const count = view.getUint16(folder, little);
  if (folder + 2 + count * 12 > block.length) return true;
  return Array.from({ length: count }, (_, n) => view.getUint16(folder + 2 + n * 12, little)).includes(ORIENTATION);
}

async function hashOf(source: ByteSource, stretches: readonly Stretch[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { start, end } of stretches)
    for (let at = start; at < end; at += READ_LIMIT) hash.update(await source.read(at, Math.min(READ_LIMIT, end - at)));
  return hash.digest('hex');
}
