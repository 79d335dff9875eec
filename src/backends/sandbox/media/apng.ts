/** Joins PNGs of equal size into an animated one (https://www.w3.org/TR/png-3/#apng-frame-based-animation). */
import { crc32 } from 'node:zlib';

const SIGNATURE = 8;

/** Each frame is shown for one `fps`th of a second, over and over. */
export function joinApng(pngs: readonly Buffer[], fps: number): Buffer {
  const [first] = pngs;
  if (first === undefined) throw new Error('an animation needs at least one frame');
  const header = chunksIn(first).find(({ type }) => type === 'IHDR');
  if (header === undefined) throw new Error('a frame has no header');
  let sequence = 0;
  const frames = pngs.flatMap((png, index) => {
    const control = Buffer.alloc(26);
    control.writeUInt32BE(sequence++, 0);
    header.data.copy(control, 4, 0, 8);
    // A fraction of 16 bits each: thousandths are enough for any rate.
    control.writeUInt16BE(Math.min(65_535, Math.round(1000 / fps)), 20);
    control.writeUInt16BE(1000, 22);
    const data = chunksIn(png).filter(({ type }) => type === 'IDAT');
    const parts = data.map((part) => {
      if (index === 0) return chunk('IDAT', part.data);
      const number = Buffer.alloc(4);
      number.writeUInt32BE(sequence++);
      return chunk('fdAT', Buffer.concat([number, part.data]));
    });
    return [chunk('fcTL', control), ...parts];
  });
  const animation = Buffer.alloc(8);
  animation.writeUInt32BE(pngs.length, 0);
  return Buffer.concat([
    first.subarray(0, SIGNATURE),
    chunk('IHDR', header.data),
    chunk('acTL', animation),
    ...frames,
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunksIn(png: Buffer): { readonly type: string; readonly data: Buffer }[] {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = SIGNATURE; at + 12 <= png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(named.length + 8);
  out.writeUInt32BE(data.length);
  named.copy(out, 4);
  out.writeUInt32BE(crc32(named), named.length + 4);
  return out;
}
