/** Tags of MP4, QuickTime, Matroska and WebM. */
import { textAt } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { boxesIn, findBox } from '../formats/boxes.ts';
import type { Box } from '../formats/boxes.ts';
import { elementsIn } from '../formats/ebml.ts';
import { decodeText, readRange, untilNul } from './texts.ts';
import type { TextPile } from './texts.ts';

const MOST_KEYS = 1000;

/** `moov/meta` and `moov/udta/meta` with `keys` + `ilst` or iTunes names, and QuickTime's own texts in `udta`. */
export async function readFilm(source: ByteSource, pile: TextPile): Promise<void> {
  const movie = await findBox(source, { start: 0, end: source.size }, 'moov');
  if (movie === null) return;
  for await (const box of boxesIn(source, movie.start, movie.end)) {
    if (box.type === 'meta') await readMeta(source, box, pile);
    if (box.type !== 'udta') continue;
    for await (const inner of boxesIn(source, box.start, box.end)) {
      if (pile.isFull) return;
      if (inner.type === 'meta') await readMeta(source, inner, pile);
      else if (inner.type.startsWith('\xa9')) await readClassic(source, inner, pile);
    }
  }
}

async function readMeta(source: ByteSource, meta: Box, pile: TextPile): Promise<void> {
  // MP4 puts version and flags before the children, QuickTime does not.
  const head = await source.read(meta.start, 8);
  const children = { start: meta.start + (textAt(head, 4, 4) === 'hdlr' ? 0 : 4), end: meta.end };
  const keys = await findBox(source, children, 'keys');
  const names = keys === null ? [] : await keyNames(source, keys);
  const list = await findBox(source, children, 'ilst');
  if (list === null) return;
  for await (const item of boxesIn(source, list.start, list.end)) {
    if (pile.isFull) return;
    const name = await itemName(source, item, names);
    const data = await findBox(source, item, 'data');
    // Type and locale, then the value.
    const value = data === null ? null : await readRange(source, data.start + 8, Math.max(0, data.end - data.start - 8));
    if (value === null) pile.leaveOut(name);
    else pile.add(name, decodeText(untilNul(value)));
  }
}

async function itemName(source: ByteSource, item: Box, names: readonly string[]): Promise<string> {
  const index = Buffer.from(item.type, 'latin1').readUInt32BE(0);
  const known = index >= 1 && index <= names.length ? names[index - 1] : undefined;
  if (known !== undefined) return known;
  if (item.type === '\xa9cmt') return 'comment';
  if (item.type !== '----') return item.type;
  const name = await findBox(source, item, 'name');
  const text = name === null ? null : await readRange(source, name.start + 4, Math.max(0, Math.min(200, name.end - name.start - 4)));
  return text === null ? item.type : decodeText(text);
}

async function keyNames(source: ByteSource, keys: Box): Promise<readonly string[]> {
  const names: string[] = [];
  // Version, flags and count, then boxes whose type is the namespace and whose content is the name.
  for await (const key of boxesIn(source, keys.start + 8, keys.end)) {
    if (names.length >= MOST_KEYS) break;
    names.push(decodeText(await source.read(key.start, Math.min(200, key.end - key.start))));
  }
  return names;
}

async function readClassic(source: ByteSource, box: Box, pile: TextPile): Promise<void> {
  const head = await readRange(source, box.start, Math.min(4, box.end - box.start));
  if (head === null || head.length < 4) return;
  const text = await readRange(source, box.start + 4, Math.min(head.readUInt16BE(0), box.end - box.start - 4));
  if (text !== null) pile.add(box.type === '\xa9cmt' ? 'comment' : box.type, decodeText(text));
}

const SEGMENT = 0x18538067;
const TAGS = 0x1254c367;
const TAG = 0x7373;
const SIMPLE_TAG = 0x67c8;
const TAG_NAME = 0x45a3;
const TAG_STRING = 0x4487;
const MOST_TAGS = 1000;

/** RFC 9559 5.1.8. */
export async function readMatroska(source: ByteSource, pile: TextPile): Promise<void> {
  let left = MOST_TAGS;
  for await (const segment of elementsIn(source, { start: 0, end: source.size })) {
    if (segment.id !== SEGMENT) continue;
    for await (const tags of elementsIn(source, segment)) {
      if (tags.id !== TAGS) continue;
      for await (const tag of elementsIn(source, tags)) {
        if (tag.id !== TAG) continue;
        for await (const simple of elementsIn(source, tag)) {
          if (simple.id !== SIMPLE_TAG) continue;
          left -= 1;
          if (left < 0 || pile.isFull) return;
          await readSimpleTag(source, simple, pile);
        }
      }
    }
    return;
  }
}

async function readSimpleTag(source: ByteSource, tag: { readonly start: number; readonly end: number }, pile: TextPile): Promise<void> {
  let name = '';
  for await (const element of elementsIn(source, tag)) {
    const length = element.end - element.start;
    if (element.id === TAG_NAME) name = decodeText(await source.read(element.start, Math.min(200, length)));
    if (element.id !== TAG_STRING) continue;
    const text = element.isWhole ? await readRange(source, element.start, length) : null;
    if (text === null) pile.leaveOut(name);
    else pile.add(name, decodeText(untilNul(text)));
  }
}
