/**
 * Texts into MP4 and QuickTime: `moov/udta/meta` with `keys` and `ilst`, where ComfyUI writes its own. The index of the film is moved when
 * it stands before the samples; the samples themselves are copied (ISO/IEC 14496-12 8.10 and 8.7.5).
 */
import type { ByteSource } from '../bytes.ts';
import { type Box, boxesIn } from '../formats/boxes.ts';
import { bytesInMemory } from '../bytes.ts';
import { readWhole } from './read-whole.ts';
import { joined, type Piece, type Plan, type Texts, totalOf, uint32 } from './pieces.ts';

/** Of the index; that of a feature film has some ten MiB. */
const LARGEST_INDEX = 256 * 1024 * 1024;
const LARGEST_OFFSET = 0xff_ff_ff_ff;
/** Of these, the places of samples stand elsewhere too. */
const FRAGMENTS = new Set(['moof', 'sidx', 'mfra', 'styp', 'meta']);

interface Placed extends Box {
  /** Where its header begins. */
  readonly at: number;
}

export async function planFilm(source: ByteSource, texts: Texts): Promise<Plan> {
  const boxes = await childrenOf(source, 0, source.size);
  const movies = boxes.filter(({ type }) => type === 'moov');
  const [movie] = movies;
  if (movie === undefined || movies.length > 1 || boxes.some(({ isWhole }) => !isWhole)) return { refused: 'its boxes are not whole' };
  if (boxes.some(({ type }) => FRAGMENTS.has(type))) return { refused: 'it is fragmented' };
  const content = movie.end - movie.start > LARGEST_INDEX ? null : await readWhole(source, movie.start, movie.end - movie.start);
  if (content === null) return { refused: 'its index is not whole, or too large' };
  const index = await withTexts(content, texts);
  const grown = totalOf([index]) + 8 - (movie.end - movie.at);
  const isBeforeSamples = boxes.some(({ at, type }) => type === 'mdat' && at > movie.at);
  if (isBeforeSamples && !(await moveOffsets(index, movie.end, grown)))
    return { refused: 'its samples would be too far away for its index' };
  const size = index.length + 8;
  if (size > LARGEST_OFFSET) return { refused: 'its index is too large' };
  const pieces: Piece[] = [
    { start: 0, end: movie.at },
    uint32(size),
    Buffer.from('moov', 'latin1'),
    index,
    { start: movie.end, end: source.size },
  ];
  return { pieces: joined(pieces) };
}

// --- helpers ---

/** With the length of each header found from the end of the box before. */
async function childrenOf(source: ByteSource, from: number, to: number): Promise<readonly Placed[]> {
  const children: Placed[] = [];
  let at = from;
  for await (const box of boxesIn(source, from, to)) {
    children.push({ ...box, at });
    at = box.end;
  }
  return children;
}

/** The content of `moov` with our texts in it, in the place of those of the same name. */
async function withTexts(movie: Buffer, texts: Texts): Promise<Buffer> {
  const source = bytesInMemory(movie);
  const children = await childrenOf(source, 0, movie.length);
  const data = children.find(({ type }) => type === 'udta');
  const boxes = data === undefined ? [] : await childrenOf(source, data.start, data.end);
  const own = await keyedMeta(movie, boxes);
  const entries = (own?.entries ?? []).filter(({ key }) => !texts.has(key.toLowerCase()));
  const others = boxes.filter((box) => box !== own?.box && box.isWhole).map(({ at, end }) => movie.subarray(at, end));
  // First, because readers of ComfyUI's page look no further than the first.
  const meta = metaOf([...entries, ...[...texts].map(([key, text]) => ({ key, data: textData(text) }))]);
  const rest = children.filter((box) => box !== data).map(({ at, end }) => movie.subarray(at, end));
  return Buffer.concat([...rest, boxOf('udta', meta, ...others)]);
}

interface Entry {
  readonly key: string;
  /** Its `data` boxes as they are. */
  readonly data: Buffer;
}

/** The `meta` that has named entries. One of iTunes, with names of four letters, stays beside it. */
async function keyedMeta(
  movie: Buffer,
  boxes: readonly Placed[],
): Promise<{ readonly box: Placed; readonly entries: readonly Entry[] } | undefined> {
  const source = bytesInMemory(movie);
  for (const box of boxes.filter(({ type }) => type === 'meta')) {
    // MP4 puts version and flags before the children, QuickTime does not.
    const start = box.start + (movie.toString('latin1', box.start + 4, box.start + 8) === 'hdlr' ? 0 : 4);
    const children = await childrenOf(source, start, box.end);
    const keys = children.find(({ type }) => type === 'keys');
    const list = children.find(({ type }) => type === 'ilst');
    if (keys === undefined || list === undefined) continue;
    const names = (await childrenOf(source, keys.start + 8, keys.end)).map((key) => movie.toString('utf8', key.start, key.end));
    const items = await childrenOf(source, list.start, list.end);
    const entries = items.flatMap((item) => {
      const key = names[Buffer.from(item.type, 'latin1').readUInt32BE(0) - 1];
      return key === undefined ? [] : [{ key, data: movie.subarray(item.start, item.end) }];
    });
    return { box, entries };
  }
  return undefined;
}

function metaOf(entries: readonly Entry[]): Buffer {
  const handler = boxOf('hdlr', Buffer.from('\0\0\0\0\0\0\0\0mdta', 'latin1'), Buffer.alloc(13));
  const keys = boxOf('keys', Buffer.alloc(4), uint32(entries.length), ...entries.map(({ key }) => boxOf('mdta', Buffer.from(key, 'utf8'))));
  const list = boxOf('ilst', ...entries.map(({ data }, index) => Buffer.concat([uint32(data.length + 8), uint32(index + 1), data])));
  return boxOf('meta', Buffer.alloc(4), handler, keys, list);
}

/** Type 1 is UTF-8, of no certain language. */
function textData(text: string): Buffer {
  return boxOf('data', uint32(1), uint32(0), Buffer.from(text, 'utf8'));
}

function boxOf(type: string, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([uint32(length), Buffer.from(type, 'latin1'), ...content]);
}

/** Adds to every place that lies behind the index, in the bytes themselves. False when one does not fit any more. */
async function moveOffsets(movie: Buffer, behind: number, by: number): Promise<boolean> {
  const source = bytesInMemory(movie);
  for (const track of await inside(source, [{ start: 0, end: movie.length }], ['trak', 'mdia', 'minf', 'stbl'])) {
    for (const table of await childrenOf(source, track.start, track.end)) {
      const width = table.type === 'stco' ? 4 : table.type === 'co64' ? 8 : 0;
      if (width === 0 || table.end - table.start < 8) continue;
      const count = Math.min(movie.readUInt32BE(table.start + 4), Math.floor((table.end - table.start - 8) / width));
      for (let n = 0; n < count; n += 1) {
        const at = table.start + 8 + n * width;
        const offset = width === 4 ? movie.readUInt32BE(at) : Number(movie.readBigUInt64BE(at));
        if (offset < behind) continue;
        if (width === 4 && offset + by > LARGEST_OFFSET) return false;
        if (width === 4) movie.writeUInt32BE(offset + by, at);
        else movie.writeBigUInt64BE(BigInt(offset + by), at);
      }
    }
  }
  return true;
}

async function inside(
  source: ByteSource,
  parents: readonly Pick<Box, 'start' | 'end'>[],
  path: readonly string[],
): Promise<readonly Pick<Box, 'start' | 'end'>[]> {
  const [next, ...rest] = path;
  if (next === undefined) return parents;
  const found = await Promise.all(parents.map(({ start, end }) => childrenOf(source, start, end)));
  return inside(
    source,
    found.flat().filter(({ type }) => type === next),
    rest,
  );
}
