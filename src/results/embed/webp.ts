/** Texts into WebP: an EXIF chunk, and the extended header that announces it (https://developers.google.com/speed/webp/docs/riff_container). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { exifBlock } from './exif-block.ts';
import { joined, type Piece, type Plan, totalOf, type Texts, uint32LE } from './pieces.ts';

const MOST_CHUNKS = 100_000;
const HEAD = 12;
const LARGEST = 0xff_ff_ff_f0;
const HAS_EXIF = 0x08;
const HAS_ALPHA = 0x10;

interface Chunk {
  readonly type: string;
  /** Of the whole chunk, padding included. */
  readonly start: number;
  readonly end: number;
}

/** Exif of its own, as of a camera, is replaced: nothing that makes pictures here writes any. */
export async function planWebp(source: ByteSource, texts: Texts): Promise<Plan> {
  const chunks = await chunksOf(source);
  const header = chunks === undefined ? undefined : await extendedHeader(source, chunks[0]);
  if (chunks === undefined || header === undefined) return { refused: 'its chunks are not whole' };
  const kept = chunks.filter(({ type }) => type !== 'VP8X' && type !== 'EXIF');
  // Readers of ComfyUI's page do not skip the padding of chunks: the first place after the header is safe.
  const body: readonly Piece[] = [header, chunkOf('EXIF', exifBlock(texts)), ...kept];
  const size = totalOf(body) + 4;
  if (size > LARGEST) return { refused: 'it would be too large for its format' };
  const head = Buffer.concat([Buffer.from('RIFF', 'latin1'), uint32LE(size), Buffer.from('WEBP', 'latin1')]);
  return { pieces: joined([head, ...body]) };
}

// --- helpers ---

async function chunksOf(source: ByteSource): Promise<readonly Chunk[] | undefined> {
  const head = await source.read(0, HEAD);
  const end = head.length < HEAD ? 0 : viewOf(head).getUint32(4, true) + 8;
  if (end > source.size) return undefined;
  const chunks: Chunk[] = [];
  let at = HEAD;
  while (at + 8 <= end && chunks.length < MOST_CHUNKS) {
    const chunk = await source.read(at, 8);
    if (chunk.length < 8) return undefined;
    const length = viewOf(chunk).getUint32(4, true);
    const next = at + 8 + length + (length % 2);
    // Some writers leave out the last padding.
    if (at + 8 + length > end) return undefined;
    chunks.push({ type: textAt(chunk, 0, 4), start: at, end: Math.min(next, end) });
    at = next;
  }
  const last = chunks.at(-1);
  return last === undefined || (last.end - last.start) % 2 === 1 ? undefined : chunks;
}

/** The one that is there with the flag set, or one made of what the picture says of itself. */
async function extendedHeader(source: ByteSource, first: Chunk | undefined): Promise<Buffer | undefined> {
  if (first === undefined) return undefined;
  const bytes = Buffer.from(await source.read(first.start, 30));
  if (first.type === 'VP8X' && bytes.length >= 18) {
    const header = Buffer.from(bytes.subarray(0, 18));
    header[8] = (header[8] ?? 0) | HAS_EXIF;
    return header;
  }
  if (first.type === 'VP8L' && bytes.length >= 13) {
    const bits = bytes.readUInt32LE(9);
    return headerOf(bits & 0x3fff, (bits >>> 14) & 0x3fff, ((bits >>> 28) & 1) === 1);
  }
  if (first.type === 'VP8 ' && bytes.length >= 18)
    return headerOf((bytes.readUInt16LE(14) & 0x3fff) - 1, (bytes.readUInt16LE(16) & 0x3fff) - 1, false);
  return undefined;
}

/** Sizes less one, as the format has them. */
function headerOf(width: number, height: number, alpha: boolean): Buffer {
  const content = Buffer.alloc(10);
  content[0] = HAS_EXIF | (alpha ? HAS_ALPHA : 0);
  content.writeUIntLE(width, 4, 3);
  content.writeUIntLE(height, 7, 3);
  return chunkOf('VP8X', content);
}

function chunkOf(type: string, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), uint32LE(content.length), content, Buffer.alloc(content.length % 2)]);
}
