/** Texts into FLAC (RFC 9639 8.6), MP3 (ID3v2.3 and 2.4) and WAV: what stands beside the sound; the sound itself is copied. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { readRange } from '../embedded/texts.ts';
import { joined, type Piece, type Plan, type Texts, totalOf, uint32, uint32LE } from './pieces.ts';

const MOST_BLOCKS = 1000;
const COMMENTS = 4;
const PADDING = 1;
const LONGEST_BLOCK = 0xff_ff_ff;

/** The block of comments with those of the same name replaced, or one right after the stream's own. */
export async function planFlac(source: ByteSource, texts: Texts): Promise<Plan> {
  const blocks: { readonly type: number; readonly start: number; readonly end: number }[] = [];
  let at = 4;
  for (let isLast = false; !isLast;) {
    const head = await source.read(at, 4);
    if (head.length < 4 || blocks.length > MOST_BLOCKS) return { refused: 'its header is not whole' };
    const word = viewOf(head).getUint32(0);
    const end = at + 4 + (word & LONGEST_BLOCK);
    if (end > source.size) return { refused: 'its header is not whole' };
    blocks.push({ type: (word >>> 24) & 0x7f, start: at + 4, end });
    isLast = word >>> 31 === 1;
    at = end;
  }
  const old = blocks.find(({ type }) => type === COMMENTS);
  const block = old === undefined ? null : await readRange(source, old.start, old.end - old.start);
  if (old !== undefined && block === null) return { refused: 'its comments are not whole' };
  const comments = vorbisComments(block, texts);
  if (comments === undefined || comments.length > LONGEST_BLOCK) return { refused: 'its comments are not whole, or would be too long' };
  const pieces: Piece[] = [Buffer.from('fLaC', 'latin1')];
  // Padding is there to be used up by whoever adds comments.
  const kept = blocks.filter(({ type }) => type !== COMMENTS && type !== PADDING);
  for (const [index, { type, start, end }] of kept.entries()) {
    pieces.push(blockHead(type, end - start, false), { start, end });
    if (index === 0) pieces.push(blockHead(COMMENTS, comments.length, kept.length === 1), comments);
  }
  if (kept.length > 1) markLast(pieces);
  return kept.length === 0 ? { refused: 'its header is not whole' } : { pieces: joined([...pieces, { start: at, end: source.size }]) };
}

function blockHead(type: number, length: number, isLast: boolean): Buffer {
  return uint32((isLast ? 0x80 : 0) * 0x1_00_00_00 + type * 0x1_00_00_00 + length);
}

/** The head before the last block. */
function markLast(pieces: Piece[]): void {
  const head = pieces.at(-2);
  if (head instanceof Uint8Array) head[0] = (head[0] ?? 0) | 0x80;
}

/** Vendor and comments (https://xiph.org/vorbis/doc/v-comment.html). Undefined for a block that is not whole. */
function vorbisComments(block: Buffer | null, texts: Texts): Buffer | undefined {
  const names = new Set([...texts.keys()].map((name) => name.toLowerCase()));
  const kept: Buffer[] = [];
  let vendor: Buffer = Buffer.from('Callsheet', 'utf8');
  if (block !== null) {
    if (block.length < 8 || 4 + block.readUInt32LE(0) + 4 > block.length) return undefined;
    let at = 4 + block.readUInt32LE(0);
    vendor = block.subarray(4, at);
    const count = block.readUInt32LE(at);
    at += 4;
    for (let n = 0; n < count; n += 1) {
      const end = at + 4 > block.length ? Infinity : at + 4 + block.readUInt32LE(at);
      if (end > block.length) return undefined;
      const comment = block.subarray(at + 4, end);
      const split = comment.indexOf(0x3d);
      if (!names.has(comment.toString('latin1', 0, Math.max(0, split)).toLowerCase())) kept.push(comment);
      at = end;
    }
  }
  const all = [...kept, ...[...texts].map(([name, text]) => Buffer.from(`${name}=${text}`, 'latin1'))];
  return Buffer.concat([uint32LE(vendor.length), vendor, uint32LE(all.length), ...all.flatMap((one) => [uint32LE(one.length), one])]);
}

const ID3_HEAD = 10;
const LONGEST_TAG = 0x0f_ff_ff_ff;

/** The tag that is there keeps its frames; without one there is a tag of version 2.4 from now on. */
export async function planMp3(source: ByteSource, texts: Texts): Promise<Plan> {
  const head = Buffer.from(await source.read(0, ID3_HEAD));
  const hasTag = head.length === ID3_HEAD && textAt(head, 0, 3) === 'ID3';
  const version = hasTag ? (head[3] ?? 0) : 4;
  // Unsynchronised, extended, experimental, with a footer: nobody who makes sounds here writes them.
  if (hasTag && (version < 3 || version > 4 || head[5] !== 0)) return { refused: 'its ID3 tag is of a kind that is not written any more' };
  const length = hasTag ? syncSafe(head, 6) : 0;
  const tag = hasTag ? await readRange(source, ID3_HEAD, length) : Buffer.alloc(0);
  if (tag === null) return { refused: 'its ID3 tag is not whole' };
  const kept = framesOf(tag, version, texts);
  if (kept === undefined) return { refused: 'its ID3 tag is not whole' };
  const frames = [...kept, ...[...texts].map(([name, text]) => textFrame(name, text, version))];
  const size = totalOf(frames);
  if (size > LONGEST_TAG) return { refused: 'its ID3 tag would be too long' };
  const newHead = Buffer.concat([Buffer.from([0x49, 0x44, 0x33, version, 0, 0]), toSyncSafe(size)]);
  return { pieces: joined([newHead, ...frames, { start: hasTag ? ID3_HEAD + length : 0, end: source.size }]) };
}

function framesOf(tag: Buffer, version: number, texts: Texts): readonly Buffer[] | undefined {
  const frames: Buffer[] = [];
  let at = 0;
  while (at + ID3_HEAD <= tag.length && tag[at] !== 0) {
    const name = tag.toString('latin1', at, at + 4);
    const end = at + ID3_HEAD + (version === 4 ? syncSafe(tag, at + 4) : tag.readUInt32BE(at + 4));
    if (!/^[A-Z0-9]{4}$/.test(name) || end > tag.length || frames.length > MOST_BLOCKS) return undefined;
    const content = tag.subarray(at + ID3_HEAD, end);
    const split = content.indexOf(0, 1);
    const isOurs = name === 'TXXX' && split > 0 && texts.has(content.toString('latin1', 1, split));
    if (!isOurs) frames.push(tag.subarray(at, end));
    at = end;
  }
  return frames;
}

/** Latin-1, ended by a zero: by it readers of ComfyUI's page find the end. */
function textFrame(name: string, text: string, version: number): Buffer {
  const content = Buffer.from(`\0${name}\0${text}\0`, 'latin1');
  return Buffer.concat([
    Buffer.from('TXXX', 'latin1'),
    version === 4 ? toSyncSafe(content.length) : uint32(content.length),
    Buffer.alloc(2),
    content,
  ]);
}

/** Four bytes of seven bits each. */
function syncSafe(bytes: Buffer, at: number): number {
  return [0, 1, 2, 3].reduce((value, n) => value * 128 + ((bytes[at + n] ?? 0) & 0x7f), 0);
}

function toSyncSafe(value: number): Buffer {
  return Buffer.from([21, 14, 7, 0].map((shift) => (value >>> shift) & 0x7f));
}

/** A chunk `json` at the end, as Wan2GP writes it. */
export async function planWav(source: ByteSource, texts: Texts): Promise<Plan> {
  const head = await source.read(0, 12);
  const end = head.length < 12 ? 0 : viewOf(head).getUint32(4, true) + 8;
  if (textAt(head, 0, 4) !== 'RIFF' || end > source.size) return { refused: 'its chunks are not whole' };
  const kept: Piece[] = [];
  let at = 12;
  while (at + 8 <= end) {
    const chunk = await source.read(at, 8);
    const length = chunk.length < 8 ? Infinity : viewOf(chunk).getUint32(4, true);
    if (at + 8 + length > end || kept.length > MOST_BLOCKS) return { refused: 'its chunks are not whole' };
    const next = Math.min(end, at + 8 + length + (length % 2));
    if (textAt(chunk, 0, 4) !== 'json') kept.push({ start: at, end: next });
    at = next;
  }
  const members = [...texts].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  const json = Buffer.from(`{${members.join(',')}}`, 'latin1');
  // Of the chunk before, the last padding may have been left out.
  const padding = Buffer.alloc(totalOf(kept) % 2);
  const body = [...kept, padding, Buffer.from('json', 'latin1'), uint32LE(json.length), json, Buffer.alloc(json.length % 2)];
  const size = totalOf(body) + 4;
  if (size > 0xff_ff_ff_f0) return { refused: 'it would be too large for its format' };
  return { pieces: joined([Buffer.from('RIFF', 'latin1'), uint32LE(size), Buffer.from('WAVE', 'latin1'), ...body]) };
}
