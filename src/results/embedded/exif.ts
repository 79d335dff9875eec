/** Texts of an Exif block (TIFF 6.0 section 2, Exif 2.32 4.6): ComfyUI writes `prompt:{…}` into any text tag, Wan2GP a UserComment. */
import { textAt, viewOf } from '../bytes.ts';
import { decodeText, untilNul } from './texts.ts';
import type { TextPile } from './texts.ts';

const EXIF_FOLDER = 0x8769;
const USER_COMMENT = 0x9286;
const ASCII = 2;
const UNDEFINED = 7;
const MOST_ENTRIES = 500;
const MOST_FOLDERS = 8;

/** The block may be preceded by `Exif\0\0`, as in JPEG. */
export function readExif(block: Uint8Array, pile: TextPile): void {
  const bytes = textAt(block, 0, 6) === 'Exif\0\0' ? block.subarray(6) : block;
  const order = textAt(bytes, 0, 2);
  if (bytes.length < 8 || (order !== 'II' && order !== 'MM')) return;
  const little = order === 'II';
  const view = viewOf(bytes);
  if (view.getUint16(2, little) !== 42) return;
  const folders = [view.getUint32(4, little)];
  const seen = new Set<number>();
  for (let at = folders.shift(); at !== undefined; at = folders.shift()) {
    if (seen.has(at) || seen.size >= MOST_FOLDERS || pile.isFull) continue;
    seen.add(at);
    readFolder(bytes, at, little, pile, folders);
  }
}

function readFolder(bytes: Uint8Array, at: number, little: boolean, pile: TextPile, folders: number[]): void {
  const view = viewOf(bytes);
  if (at + 2 > bytes.length) return;
  const count = Math.min(view.getUint16(at, little), MOST_ENTRIES);
  for (let n = 0; n < count && !pile.isFull; n += 1) {
    const entry = at + 2 + n * 12;
    if (entry + 12 > bytes.length) return;
    const tag = view.getUint16(entry, little);
    const type = view.getUint16(entry + 2, little);
    const length = view.getUint32(entry + 4, little);
    if (tag === EXIF_FOLDER) {
      folders.push(view.getUint32(entry + 8, little));
      continue;
    }
    if (type !== ASCII && !(type === UNDEFINED && tag === USER_COMMENT)) continue;
    const start = length <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
    if (start + length > bytes.length) {
      pile.leaveOut(nameOf(tag));
      continue;
    }
    const value = bytes.subarray(start, start + length);
    addNamed(nameOf(tag), tag === USER_COMMENT ? userComment(value, little) : decodeText(untilNul(value)), pile);
  }
  const next = at + 2 + count * 12;
  if (next + 4 <= bytes.length) {
    const link = view.getUint32(next, little);
    if (link !== 0) folders.push(link);
  }
}

function nameOf(tag: number): string {
  return tag === USER_COMMENT ? 'UserComment' : `0x${tag.toString(16).padStart(4, '0')}`;
}

/** Eight bytes say how the rest is written. */
function userComment(value: Uint8Array, little: boolean): string {
  const kind = textAt(value, 0, 8);
  const rest = value.subarray(8);
  if (kind !== 'UNICODE\0') return decodeText(untilNul(kind === 'ASCII\0\0\0' || kind === '\0\0\0\0\0\0\0\0' ? rest : value));
  // Wan2GP writes little-endian whatever the block says; the first character of a JSON object tells.
  const isLittle = rest[0] === 0x7b || (rest[0] !== 0 && little);
  return new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be').decode(rest).replace(/\0+$/, '');
}

/** `workflow:{…}`: the name is part of the text, because Exif has no tag for it. */
function addNamed(tag: string, text: string, pile: TextPile): void {
  const named = /^([A-Za-z_][A-Za-z0-9_ -]{0,40}):\s*(?=[{[])/.exec(text);
  if (named === null) pile.add(tag, text);
  else pile.add(named[1] ?? tag, text.slice(named[0].length));
}
