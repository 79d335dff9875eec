/** Text chunks in PNG files: where ComfyUI keeps the graph that made a picture. */
import { crc32 } from 'node:zlib';

const SIGNATURE_BYTES = 8;
/** IHDR is always first and has 13 bytes of data. */
const AFTER_HEADER = SIGNATURE_BYTES + 4 + 4 + 13 + 4;

/** Adds a tEXt chunk (iTXt when the text is not Latin-1, as Pillow does) per entry right after the header. */
export function addPngText(png: Buffer, entries: Readonly<Record<string, string>>): Buffer {
  const chunks = Object.entries(entries).map(([keyword, text]) => textChunk(keyword, text));
  return Buffer.concat([png.subarray(0, AFTER_HEADER), ...chunks, png.subarray(AFTER_HEADER)]);
}

function textChunk(keyword: string, text: string): Buffer {
  const latin = !/[\u0100-\u{10ffff}]/u.test(text);
  const data = latin
    ? Buffer.concat([Buffer.from(keyword, 'latin1'), Buffer.from([0]), Buffer.from(text, 'latin1')])
    : Buffer.concat([Buffer.from(keyword, 'latin1'), Buffer.from([0, 0, 0, 0, 0]), Buffer.from(text, 'utf8')]);
  const type = Buffer.from(latin ? 'tEXt' : 'iTXt', 'latin1');
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  type.copy(out, 4);
  data.copy(out, 8);
  out.writeUInt32BE(crc32(Buffer.concat([type, data])), 8 + data.length);
  return out;
}
