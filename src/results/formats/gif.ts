/** GIF: screen size, frames and their times, the trailer as the sign of a whole file (https://www.w3.org/Graphics/GIF/spec-gif89a.txt). */
import { viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, moving, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const TRAILER = 0x3b;
const EXTENSION = 0x21;
const IMAGE = 0x2c;
const GRAPHIC_CONTROL = 0xf9;
const TAIL = 1024;
const MOST_BLOCKS = 50_000;
const MOST_PARTS = 500_000;

export async function measureGif(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 13);
  if (head.length < 13) return faulty('its header is cut short');
  const tail = await source.read(Math.max(13, source.size - TAIL), TAIL);
  let end = tail.length;
  while (end > 0 && tail[end - 1] === 0) end -= 1;
  if (tail[end - 1] !== TRAILER) return faulty('its end is missing, it was cut short');
  const view = viewOf(head);
  const { frames, seconds, isTransparent } = await walk(source, 13 + tableLength(view.getUint8(10)));
  const motion = moving(frames, seconds);
  const size = sized(view.getUint16(6, true), view.getUint16(8, true), frames > 1 ? seconds : undefined);
  const facts = withFacts({ ...motion.found, channels: 3, depth: 8, alpha: isTransparent });
  return { ...size, ...facts, ...(motion.kind === undefined ? {} : { kind: motion.kind }) };
}

/** Bytes of the colour table that these flags announce. */
function tableLength(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

async function walk(source: ByteSource, start: number) {
  let at = start;
  let frames = 0;
  let hundredths = 0;
  let isTransparent = false;
  let parts = 0;
  for (let count = 0; count < MOST_BLOCKS; count += 1) {
    const head = await source.read(at, 10);
    if (head[0] === EXTENSION) {
      if (head[1] === GRAPHIC_CONTROL && head.length >= 7) {
        hundredths += viewOf(head).getUint16(4, true);
        isTransparent ||= (viewOf(head).getUint8(3) & 1) === 1;
      }
      at += 2;
    } else if (head[0] === IMAGE && head.length === 10) {
      frames += 1;
      // After the descriptor and its own colours, one byte before the data.
      at += 10 + tableLength(head[9] ?? 0) + 1;
    } else break;
    // Parts of up to 255 bytes until an empty one.
    for (; parts < MOST_PARTS; parts += 1) {
      const [length] = await source.read(at, 1);
      if (length === undefined) break;
      at += 1 + length;
      if (length === 0) break;
    }
  }
  return { frames, seconds: hundredths / 100, isTransparent };
}
