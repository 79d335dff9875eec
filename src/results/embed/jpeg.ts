/** Texts into JPEG: an Exif segment, or a comment where the file has Exif of its own. A segment holds 64 KiB, so large workflows do not fit. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { exifBlock } from './exif-block.ts';
import { joined, type Piece, type Plan, type Texts } from './pieces.ts';

const MOST_SEGMENTS = 1000;
const LARGEST_SEGMENT = 0xffff;
const [APP0, APP1, COMMENT, SCAN] = [0xe0, 0xe1, 0xfe, 0xda];
const START = 2;

export async function planJpeg(source: ByteSource, texts: Texts): Promise<Plan> {
  const segments: (Piece & { readonly start: number; readonly end: number; readonly marker: number; readonly isExif: boolean })[] = [];
  let at = START;
  for (;;) {
    const head = await source.read(at, 10);
    if (head.length < 4 || head[0] !== 0xff || segments.length > MOST_SEGMENTS) return { refused: 'its segments are not whole' };
    const marker = head[1] ?? 0;
    const end = at + 2 + viewOf(head).getUint16(2);
    // Everything before the first frame is there once the tables begin.
    if (marker < APP0 && marker !== COMMENT) break;
    if (marker === SCAN || end > source.size) return { refused: 'its segments are not whole' };
    segments.push({ start: at, end, marker, isExif: marker === APP1 && textAt(head, 4, 6) === 'Exif\0\0' });
    at = end;
  }
  const hasExif = segments.some(({ isExif }) => isExif);
  const segment = hasExif ? commentOf(texts) : exifOf(texts);
  if (segment === undefined) return { refused: 'its workflow is longer than the 64 KiB that fit into a JPEG' };
  const first = segments[0]?.marker === APP0 ? (segments[0]?.end ?? START) : START;
  return { pieces: joined([{ start: 0, end: first }, segment, { start: first, end: source.size }]) };
}

// --- helpers ---

function exifOf(texts: Texts): Buffer | undefined {
  return segmentOf(APP1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exifBlock(texts)]));
}

function commentOf(texts: Texts): Buffer | undefined {
  const members = [...texts].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return segmentOf(COMMENT, Buffer.from(`{${members.join(',')}}`, 'latin1'));
}

function segmentOf(marker: number, content: Buffer): Buffer | undefined {
  if (content.length + 2 > LARGEST_SEGMENT) return undefined;
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}
