/** Exif blocks of WebP, JPEG and AVIF, each found in its own container. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { boxesIn, contentOf, findBox } from '../formats/boxes.ts';
import { readExif } from './exif.ts';
import { decodeText, readRange } from './texts.ts';
import type { TextPile } from './texts.ts';

const MOST_CHUNKS = 50_000;
const MOST_ITEMS = 1000;

/** RIFF chunks: `EXIF` of WebP, `json` of WAV (Wan2GP). */
export async function readRiff(source: ByteSource, pile: TextPile): Promise<void> {
  let at = 12;
  for (let count = 0; count < MOST_CHUNKS && at + 8 <= source.size && !pile.isFull; count += 1) {
    const head = await source.read(at, 8);
    if (head.length < 8) return;
    const kind = textAt(head, 0, 4);
    const length = viewOf(head).getUint32(4, true);
    if (kind === 'EXIF' || kind === 'json') {
      const block = await readRange(source, at + 8, length);
      if (block === null) pile.leaveOut(kind);
      else if (kind === 'EXIF') readExif(block, pile);
      else pile.add(kind, decodeText(block));
    }
    at += 8 + length + (length % 2);
  }
}

/** APP1 with Exif, and comments. A segment holds 64 KiB at most, so that large workflows do not fit into a JPEG. */
export async function readJpeg(source: ByteSource, pile: TextPile): Promise<void> {
  let at = 2;
  for (let count = 0; count < MOST_CHUNKS && at + 4 <= source.size && !pile.isFull; count += 1) {
    const head = await source.read(at, 4);
    const marker = head[1] ?? 0;
    if (head.length < 4 || head[0] !== 0xff) return;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0xda || marker === 0xd9) return;
    const length = viewOf(head).getUint16(2);
    if (length < 2) return;
    if (marker === 0xe1 || marker === 0xfe) {
      const content = await readRange(source, at + 4, length - 2);
      if (content === null) pile.leaveOut('segment');
      else if (marker === 0xfe) pile.add('comment', decodeText(content));
      else if (textAt(content, 0, 6) === 'Exif\0\0') readExif(content, pile);
    }
    at += 2 + length;
  }
}

/** The item of type `Exif`: `iinf` names it, `iloc` says where it lies (ISO/IEC 14496-12 8.11.3 and 8.11.6). */
export async function readAvif(source: ByteSource, pile: TextPile): Promise<void> {
  const meta = await findBox(source, { start: 0, end: source.size }, 'meta');
  if (meta === null) return;
  const children = { start: meta.start + 4, end: meta.end };
  const item = await exifItem(source, children);
  const locations = item === undefined ? null : await findBox(source, children, 'iloc');
  if (item === undefined || locations === null) return;
  const place = placeOf(await contentOf(source, locations, 64 * 1024), item);
  const block = place === undefined ? null : await readRange(source, place.at, place.length);
  if (block === null || block.length < 4) {
    pile.leaveOut('Exif');
    return;
  }
  // The block begins with the distance to the TIFF header.
  const skip = block.readUInt32BE(0);
  if (skip <= block.length - 4) readExif(block.subarray(4 + skip), pile);
}

async function exifItem(source: ByteSource, parent: { readonly start: number; readonly end: number }): Promise<number | undefined> {
  const infos = await findBox(source, parent, 'iinf');
  if (infos === null) return undefined;
  const version = (await contentOf(source, infos, 1)).byteLength === 1 ? (await contentOf(source, infos, 1)).getUint8(0) : 0;
  for await (const box of boxesIn(source, infos.start + (version === 0 ? 6 : 8), infos.end)) {
    const view = await contentOf(source, box, 16);
    if (box.type !== 'infe' || view.byteLength < 12) continue;
    const kind = view.getUint8(0);
    const at = kind === 3 ? 10 : 8;
    if (at + 4 > view.byteLength || String.fromCodePoint(...[0, 1, 2, 3].map((n) => view.getUint8(at + n))) !== 'Exif') continue;
    return kind === 3 ? view.getUint32(4) : view.getUint16(4);
  }
  return undefined;
}

function placeOf(view: DataView, wanted: number): { readonly at: number; readonly length: number } | undefined {
  let at = 0;
  const take = (bytes: number): number => {
    if (at + bytes > view.byteLength) throw new RangeError('the box ends');
    let value = 0;
    for (let n = 0; n < bytes; n += 1) value = value * 256 + view.getUint8(at + n);
    at += bytes;
    return value;
  };
  try {
    const version = take(1);
    take(3);
    const sizes = take(2);
    const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
    const indexSize = version === 0 ? 0 : sizes & 15;
    const count = Math.min(take(version < 2 ? 2 : 4), MOST_ITEMS);
    for (let n = 0; n < count; n += 1) {
      const id = take(version < 2 ? 2 : 4);
      const method = version === 0 ? 0 : take(2) & 15;
      take(2);
      const base = take(baseSize);
      const extents = take(2);
      for (let part = 0; part < extents; part += 1) {
        take(indexSize);
        const start = base + take(offsetSize);
        const length = take(lengthSize);
        // In one piece and in the file itself; nobody writes Exif otherwise.
        if (id === wanted) return method === 0 && extents === 1 ? { at: start, length } : undefined;
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}
