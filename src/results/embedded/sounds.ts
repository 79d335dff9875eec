/** Tags of FLAC, Ogg (Opus, Vorbis, Theora) and MP3. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { decodeText, LONGEST_TEXT, readRange, untilNul } from './texts.ts';
import type { TextPile } from './texts.ts';

const MOST_BLOCKS = 1000;
const MOST_PAGES = 10_000;
const COMMENTS = 4;

/** RFC 9639 8.1: blocks until the one that says it is the last. */
export async function readFlac(source: ByteSource, pile: TextPile): Promise<void> {
  let at = 4;
  for (let count = 0; count < MOST_BLOCKS && at + 4 <= source.size && !pile.isFull; count += 1) {
    const head = await source.read(at, 4);
    if (head.length < 4) return;
    const word = viewOf(head).getUint32(0);
    const length = word & 0xff_ff_ff;
    if (((word >>> 24) & 0x7f) === COMMENTS) {
      const block = await readRange(source, at + 4, length);
      if (block === null) pile.leaveOut('comments');
      else readVorbisComments(block, pile);
    }
    if (word >>> 31 === 1) return;
    at += 4 + length;
  }
}

/** The second packet of the first stream (RFC 3533 6; RFC 7845 5.2). */
export async function readOgg(source: ByteSource, pile: TextPile): Promise<void> {
  const packet = await secondPacket(source);
  if (packet === null) pile.leaveOut('comments');
  else if (textAt(packet, 0, 8) === 'OpusTags') readVorbisComments(packet.subarray(8), pile);
  else if (textAt(packet, 0, 7) === '\x03vorbis' || textAt(packet, 0, 7) === '\x81theora') readVorbisComments(packet.subarray(7), pile);
}

async function secondPacket(source: ByteSource): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  let serial: number | undefined;
  let packets = 0;
  let size = 0;
  let at = 0;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const head = await source.read(at, 27);
    if (head.length < 27 || textAt(head, 0, 4) !== 'OggS') return null;
    const lacing = await source.read(at + 27, head[26] ?? 0);
    const stream = viewOf(head).getUint32(14, true);
    serial ??= stream;
    let from = at + 27 + lacing.length;
    for (const length of lacing) {
      if (stream === serial && packets === 1) {
        size += length;
        const part = size > LONGEST_TEXT ? null : await readRange(source, from, length);
        if (part === null) return null;
        parts.push(part);
      }
      from += length;
      // A packet ends with the first segment that is not full.
      if (length === 255 || stream !== serial) continue;
      packets += 1;
      if (packets === 2) return Buffer.concat(parts);
    }
    at = from;
  }
  return null;
}

/** Vendor, count, then `NAME=value` each with its length (https://xiph.org/vorbis/doc/v-comment.html). */
function readVorbisComments(block: Buffer, pile: TextPile): void {
  if (block.length < 8) return;
  let at = 4 + block.readUInt32LE(0);
  if (at + 4 > block.length) return;
  const count = block.readUInt32LE(at);
  at += 4;
  for (let n = 0; n < count && at + 4 <= block.length && !pile.isFull; n += 1) {
    const length = block.readUInt32LE(at);
    const end = at + 4 + length;
    if (end > block.length) {
      pile.leaveOut('comments');
      return;
    }
    const split = block.indexOf(0x3d, at + 4);
    if (split > 0 && split < end)
      pile.add(block.toString('latin1', at + 4, Math.min(split, at + 204)), decodeText(block.subarray(split + 1, end)));
    at = end;
  }
}

/** ID3v2.2 to 2.4: user texts (TXXX) and comments (COMM). */
export async function readMp3(source: ByteSource, pile: TextPile): Promise<void> {
  const head = Buffer.from(await source.read(0, 10));
  if (head.length < 10 || textAt(head, 0, 3) !== 'ID3') return;
  const version = head[3] ?? 0;
  const flags = head[5] ?? 0;
  const raw = await readRange(source, 10, Math.min(syncSafe(head, 6), source.size - 10));
  if (raw === null || version < 2 || version > 4) {
    pile.leaveOut('ID3');
    return;
  }
  const tag = (flags & 0x80) !== 0 && version < 4 ? withoutStuffing(raw) : raw;
  const [nameLength, headLength] = version === 2 ? [3, 6] : [4, 10];
  let at = version > 2 && (flags & 0x40) !== 0 ? extendedHeader(tag, version) : 0;
  for (let count = 0; count < MOST_BLOCKS && at + headLength <= tag.length && !pile.isFull; count += 1) {
    const name = tag.toString('latin1', at, at + nameLength);
    const length = version === 2 ? tag.readUIntBE(at + 3, 3) : version === 3 ? tag.readUInt32BE(at + 4) : syncSafe(tag, at + 4);
    const start = at + headLength;
    if (!/^[A-Z0-9]+$/.test(name) || length < 1 || start + length > tag.length) return;
    const isText = name === 'TXXX' || name === 'TXX';
    if (isText || name === 'COMM' || name === 'COM') {
      const { description, text } = described(tag.subarray(start, start + length), isText ? 1 : 4);
      pile.add(description === '' ? (isText ? 'text' : 'comment') : description, text);
    }
    at = start + length;
  }
}

function extendedHeader(tag: Buffer, version: number): number {
  if (tag.length < 4) return tag.length;
  return version === 4 ? syncSafe(tag, 0) : 4 + tag.readUInt32BE(0);
}

function syncSafe(bytes: Buffer, at: number): number {
  return [0, 1, 2, 3].reduce((value, n) => value * 128 + ((bytes[at + n] ?? 0) & 0x7f), 0);
}

/** Unsynchronisation: a zero was put after every 0xff. */
function withoutStuffing(bytes: Buffer): Buffer {
  const out = Buffer.alloc(bytes.length);
  let size = 0;
  for (let n = 0; n < bytes.length; n += 1) {
    if (bytes[n] === 0 && n > 0 && bytes[n - 1] === 0xff) continue;
    out[size] = bytes[n] ?? 0;
    size += 1;
  }
  return out.subarray(0, size);
}

function described(frame: Buffer, from: number): { readonly description: string; readonly text: string } {
  const encoding = frame[0] ?? 0;
  const body = frame.subarray(from);
  if (encoding !== 1 && encoding !== 2) {
    const split = body.indexOf(0);
    if (split < 0) return { description: '', text: decodeText(body) };
    return { description: decodeText(body.subarray(0, split)), text: decodeText(untilNul(body.subarray(split + 1))) };
  }
  let split = 0;
  while (split + 1 < body.length && (body[split] !== 0 || body[split + 1] !== 0)) split += 2;
  return { description: utf16(body.subarray(0, split), encoding), text: utf16(body.subarray(split + 2), encoding) };
}

function utf16(bytes: Buffer, encoding: number): string {
  const isBig = encoding === 2 || (bytes[0] === 0xfe && bytes[1] === 0xff);
  return new TextDecoder(isBig ? 'utf-16be' : 'utf-16le').decode(bytes).replace(/\0+$/, '');
}
