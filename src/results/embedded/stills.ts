/** Texts of OpenEXR (its attributes), TIFF (its tags) and GIF (its comments). */
import type { ByteSource } from '../bytes.ts';
import { exrAttributes } from '../formats/exr.ts';
import { readExif } from './exif.ts';
import { decodeText, readRange, untilNul } from './texts.ts';
import type { TextPile } from './texts.ts';

/** Attributes of type `string` under any name; packs write `prompt` and `workflow`. */
export async function readExr(source: ByteSource, pile: TextPile): Promise<void> {
  for await (const { name, type, at, length } of exrAttributes(source)) {
    if (pile.isFull) return;
    if (type !== 'string') continue;
    const text = await readRange(source, at, length);
    if (text === null) pile.leaveOut(name);
    else pile.add(name, decodeText(untilNul(text)));
  }
}

/** Tags may lie anywhere in the file; of a larger one only the beginning is looked into. */
const LONGEST_TIFF = 16 * 1024 * 1024;

/** A TIFF is one large Exif block. */
export async function readTiff(source: ByteSource, pile: TextPile): Promise<void> {
  const block = await readRange(source, 0, Math.min(source.size, LONGEST_TIFF));
  if (block !== null) readExif(block, pile);
}

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const COMMENT = 0xfe;
const MOST_BLOCKS = 10_000;
const MOST_PARTS = 100_000;
const LONGEST_COMMENT = 1024 * 1024;

/** Comments before the last picture; each is a row of parts of up to 255 bytes. */
export async function readGif(source: ByteSource, pile: TextPile): Promise<void> {
  const flags = (await source.read(10, 1))[0] ?? 0;
  let at = 13 + tableLength(flags);
  let parts = 0;
  for (let count = 0; count < MOST_BLOCKS && !pile.isFull; count += 1) {
    const head = await source.read(at, 10);
    const isComment = head[0] === EXTENSION && head[1] === COMMENT;
    if (head[0] === EXTENSION) at += 2;
    else if (head[0] === IMAGE && head.length === 10) at += 10 + tableLength(head[9] ?? 0) + 1;
    else return;
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (; parts < MOST_PARTS; parts += 1) {
      const [length = 0] = await source.read(at, 1);
      at += 1;
      if (length === 0) break;
      if (isComment && size < LONGEST_COMMENT) pieces.push(Uint8Array.from(await source.read(at, length)));
      size += length;
      at += length;
    }
    if (!isComment) continue;
    if (size > LONGEST_COMMENT) pile.leaveOut('comment');
    else pile.add('comment', decodeText(untilNul(Buffer.concat(pieces))));
  }
}

function tableLength(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}
