/** GIF: screen size, and the trailer as the sign of a whole file (https://www.w3.org/Graphics/GIF/spec-gif89a.txt). */
import { viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, sized } from './measured.ts';
import type { Measured } from './measured.ts';

const TRAILER = 0x3b;
const TAIL = 1024;

export async function measureGif(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 13);
  if (head.length < 13) return faulty('its header is cut short');
  const tail = await source.read(Math.max(13, source.size - TAIL), TAIL);
  let end = tail.length;
  while (end > 0 && tail[end - 1] === 0) end -= 1;
  if (tail[end - 1] !== TRAILER) return faulty('its end is missing, it was cut short');
  const view = viewOf(head);
  return sized(view.getUint16(6, true), view.getUint16(8, true));
}
