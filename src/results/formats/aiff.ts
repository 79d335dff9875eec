/** AIFF: format and length from the common chunk, and whether it is as long as it says. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { codecName } from './codecs.ts';
import { faulty, lasting, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_CHUNKS = 1000;

export async function measureAiff(source: ByteSource): Promise<Measured> {
  let found: Measured | undefined;
  let at = 12;
  for (let count = 0; count < MOST_CHUNKS && at + 8 <= source.size; count += 1) {
    const head = await source.read(at, 8);
    if (head.length < 8) break;
    const length = viewOf(head).getUint32(4);
    const kind = textAt(head, 0, 4);
    if (at + 8 + length > source.size) return faulty('it is shorter than its header says');
    if (kind === 'COMM') found = await commonOf(source, at + 8, length);
    at += 8 + length + (length % 2);
  }
  return found ?? faulty('its header is missing, it was cut short');
}

async function commonOf(source: ByteSource, at: number, length: number): Promise<Measured> {
  const bytes = await source.read(at, Math.min(22, length));
  const view = viewOf(bytes);
  if (view.byteLength < 18) return faulty('its header is cut short');
  const sampleRate = extended(view, 8);
  const codec = view.byteLength >= 22 ? codecName(textAt(bytes, 18, 4)) : 'pcm';
  return {
    ...lasting(view.getUint32(2) / sampleRate),
    ...withFacts({ channels: view.getUint16(0), depth: view.getUint16(6), sampleRate, codec }),
  };
}

/** A float of 80 bits: sign and exponent, then 64 bits whose first is one. */
function extended(view: DataView, at: number): number {
  return Number(view.getBigUint64(at + 2)) * 2 ** ((view.getUint16(at) & 0x7fff) - 16_383 - 63);
}
