/** JPEG: size, depth and colours from the first frame header, wholeness from the end marker (ITU-T T.81 annex B). */
import { viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_SEGMENTS = 10_000;
const TAIL = 1024;

export async function measureJpeg(source: ByteSource): Promise<Measured> {
  if (!(await hasEnd(source))) return faulty('its end is missing, it was cut short');
  let at = 2;
  for (let count = 0; count < MOST_SEGMENTS; count += 1) {
    const head = await source.read(at, 10);
    const marker = head[1] ?? 0;
    if (head.length < 4 || head[0] !== 0xff) return faulty('its frame header is missing');
    if (marker === 0xff) {
      at += 1;
    } else if (isFrame(marker)) {
      if (head.length < 10) return faulty('its frame header is cut short');
      const view = viewOf(head);
      const facts = withFacts({ depth: view.getUint8(4), channels: view.getUint8(9), alpha: false });
      return { ...sized(view.getUint16(7), view.getUint16(5)), ...facts };
    } else if (marker === 0xda || marker === 0xd9) {
      return faulty('its frame header is missing');
    } else if (hasNoLength(marker)) {
      at += 2;
    } else {
      at += 2 + Math.max(2, viewOf(head).getUint16(2));
    }
  }
  return faulty('its frame header is missing');
}

/** SOF0 to SOF15 without DHT, JPG and DAC, which share the range. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function hasNoLength(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** Padding with zeros after the end is common and harmless. */
async function hasEnd(source: ByteSource): Promise<boolean> {
  const tail = await source.read(Math.max(0, source.size - TAIL), TAIL);
  let end = tail.length;
  while (end > 0 && tail[end - 1] === 0) end -= 1;
  return end >= 2 && tail[end - 2] === 0xff && tail[end - 1] === 0xd9;
}
