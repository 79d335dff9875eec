/** An Exif block with texts in it: little-endian TIFF with one folder, each text as `name:{…}` under the tag where ComfyUI has it (TIFF 6.0 section 2). */
import type { Texts } from './pieces.ts';

/** Model and Make, where ComfyUI puts its two; Software. In the order in which a folder must list them. */
const TAGS: readonly (readonly [number, string])[] = [
  [0x010f, 'workflow'],
  [0x0110, 'prompt'],
  [0x0131, 'callsheet'],
];
const ASCII = 2;
const HEAD = 8;
const ENTRY = 12;

export function exifBlock(texts: Texts): Buffer {
  const values = TAGS.flatMap(([tag, name]) => {
    const text = texts.get(name);
    return text === undefined ? [] : [{ tag, bytes: Buffer.from(`${name}:${text}\0`, 'latin1') }];
  });
  const folder = Buffer.alloc(2 + values.length * ENTRY + 4);
  folder.writeUInt16LE(values.length, 0);
  let at = HEAD + folder.length;
  for (const [index, { tag, bytes }] of values.entries()) {
    const entry = 2 + index * ENTRY;
    folder.writeUInt16LE(tag, entry);
    folder.writeUInt16LE(ASCII, entry + 2);
    folder.writeUInt32LE(bytes.length, entry + 4);
    folder.writeUInt32LE(at, entry + 8);
    at += bytes.length;
  }
  return Buffer.concat([Buffer.from('II*\0\b\0\0\0', 'latin1'), folder, ...values.map(({ bytes }) => bytes)]);
}
