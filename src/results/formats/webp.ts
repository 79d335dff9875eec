/** WebP: canvas size, frames' duration, wholeness from the RIFF length (https://developers.google.com/speed/webp/docs/riff_container). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, sized } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_CHUNKS = 100_000;

export async function measureWebp(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 30);
  if (head.length < 30) return faulty('its header is cut short');
  const view = viewOf(head);
  if (view.getUint32(4, true) + 8 > source.size) return faulty('it is shorter than its header says');
  const kind = textAt(head, 12, 4);
  if (kind === 'VP8X') return sized(1 + uint24(view, 24), 1 + uint24(view, 27), await animation(source));
  if (kind === 'VP8 ') return sized(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return sized(1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff));
  }
  return faulty('its first chunk is of no known kind');
}

/** Sum over the frames, in seconds; undefined for a still picture. */
async function animation(source: ByteSource): Promise<number | undefined> {
  let milliseconds = 0;
  let at = 12;
  for (let count = 0; count < MOST_CHUNKS && at + 8 <= source.size; count += 1) {
    const head = await source.read(at, 24);
    if (head.length < 8) break;
    const view = viewOf(head);
    if (textAt(head, 0, 4) === 'ANMF' && head.length >= 24) milliseconds += uint24(view, 20);
    const length = view.getUint32(4, true);
    at += 8 + length + (length % 2);
  }
  return milliseconds === 0 ? undefined : milliseconds / 1000;
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) + view.getUint8(at + 2) * 0x1_00_00;
}
