/** WebP: canvas, alpha, frames and their times, wholeness from the RIFF length (https://developers.google.com/speed/webp/docs/riff_container). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, moving, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_CHUNKS = 50_000;
const HAS_ALPHA = 0x10;

export async function measureWebp(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 30);
  if (head.length < 30) return faulty('its header is cut short');
  const view = viewOf(head);
  if (view.getUint32(4, true) + 8 > source.size) return faulty('it is shorter than its header says');
  const kind = textAt(head, 12, 4);
  if (kind === 'VP8X') {
    const { frames, seconds } = await animation(source);
    const motion = moving(frames, seconds);
    const size = sized(1 + uint24(view, 24), 1 + uint24(view, 27), frames > 1 ? seconds : undefined);
    const colours = coloursOf((view.getUint8(20) & HAS_ALPHA) !== 0);
    return { ...size, ...withFacts({ ...motion.found, ...colours }), ...(motion.kind === undefined ? {} : { kind: motion.kind }) };
  }
  if (kind === 'VP8 ') {
    const size = sized(view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
    return { ...size, ...withFacts(coloursOf(false)) };
  }
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return { ...sized(1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff)), ...withFacts(coloursOf(((bits >>> 28) & 1) === 1)) };
  }
  return faulty('its first chunk is of no known kind');
}

function coloursOf(alpha: boolean) {
  return { channels: alpha ? 4 : 3, depth: 8, alpha };
}

async function animation(source: ByteSource): Promise<{ readonly frames: number; readonly seconds: number }> {
  let frames = 0;
  let milliseconds = 0;
  let at = 12;
  for (let count = 0; count < MOST_CHUNKS && at + 8 <= source.size; count += 1) {
    const head = await source.read(at, 24);
    if (head.length < 8) break;
    const view = viewOf(head);
    if (textAt(head, 0, 4) === 'ANMF' && head.length >= 24) {
      frames += 1;
      milliseconds += uint24(view, 20);
    }
    const length = view.getUint32(4, true);
    at += 8 + length + (length % 2);
  }
  return { frames, seconds: milliseconds / 1000 };
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) + view.getUint8(at + 2) * 0x1_00_00;
}
