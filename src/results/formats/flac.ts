/** FLAC: stream information, and whether its last frame is whole and the last one that there should be (RFC 9639). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, lasting, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_BLOCKS = 1000;
/** The largest frame that is looked for at the end; usual ones have 4 to 16 KiB. */
const TAIL = 256 * 1024;

export async function measureFlac(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 42);
  if (head.length < 42) return faulty('its header is cut short');
  if (((head[4] ?? 0) & 0x7f) !== 0) return faulty('its stream information is missing');
  // 20 bits of sample rate, 3 of channels, 5 of depth, 36 of sample count.
  const bits = viewOf(head).getBigUint64(18);
  const sampleRate = Number(bits >> 44n);
  const samples = Number(bits & 0xf_ff_ff_ff_ffn);
  const depth = Number((bits >> 36n) & 31n) + 1;
  const channels = Number((bits >> 41n) & 7n) + 1;
  const frames = await framesStart(source);
  if (frames === undefined || frames > source.size) return faulty('it has no sound in it, it was cut short');
  const fault =
    samples === 0
      ? undefined
      : await endFault(source, frames, samples, viewOf(head).getUint16(10), viewOf(head).getUint32(14) & 0xff_ff_ff);
  if (fault !== undefined) return faulty(fault);
  return { ...lasting(samples / sampleRate), ...withFacts({ channels, sampleRate, depth, codec: 'flac' }) };
}

async function framesStart(source: ByteSource): Promise<number | undefined> {
  let at = 4;
  for (let count = 0; count < MOST_BLOCKS; count += 1) {
    const head = await source.read(at, 4);
    if (head.length < 4) return undefined;
    const word = viewOf(head).getUint32(0);
    at += 4 + (word & 0xff_ff_ff);
    if (word >>> 31 === 1) return at;
  }
  return undefined;
}

/** `usual` is the number of samples of all frames but the last, where it is fixed; `largest` bytes of a frame, 0 when nobody counted. */
async function endFault(source: ByteSource, frames: number, samples: number, usual: number, largest: number): Promise<string | undefined> {
  const start = Math.max(frames, source.size - TAIL);
  const tail = await source.read(start, TAIL);
  for (let at = tail.length - 6; at >= 0; at -= 1) {
    // Sound can look like the beginning of a frame; that it looks like the beginning of the last one as well is out of the question.
    if (tail[at] !== 0xff || ((tail[at + 1] ?? 0) & 0xfe) !== 0xf8 || readHeader(tail, at, usual)?.end !== samples) continue;
    // Where something was appended, the check sum is not at the end.
    return hasCheck(tail, at) || hasTag(tail) ? undefined : 'its last frame is damaged or cut short';
  }
  const isInReach = start === frames || (largest > 0 && largest < TAIL);
  return isInReach ? 'it ends before its header says' : undefined;
}

/** A frame's header, proven by its check sum (9.1.8). `end` is the number of the first sample after it. */
function readHeader(bytes: Uint8Array, at: number, fixed: number): { readonly end: number } | undefined {
  const isVariable = ((bytes[at + 1] ?? 0) & 1) === 1;
  const sizeCode = (bytes[at + 2] ?? 0) >> 4;
  const rateCode = (bytes[at + 2] ?? 0) & 15;
  if (sizeCode === 0 || rateCode === 15) return undefined;
  const coded = codedNumber(bytes, at + 4);
  if (coded === undefined) return undefined;
  let next = at + 4 + coded.length;
  let size = sizeCode === 1 ? 192 : sizeCode < 6 ? 144 * 2 ** sizeCode : 2 ** sizeCode;
  if (sizeCode === 6) size = (bytes[next] ?? 0) + 1;
  if (sizeCode === 7) size = (bytes[next] ?? 0) * 256 + (bytes[next + 1] ?? 0) + 1;
  next += sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0;
  next += rateCode === 12 ? 1 : rateCode > 12 ? 2 : 0;
  if (next >= bytes.length || check8(bytes, at, next) !== bytes[next]) return undefined;
  return { end: (isVariable ? coded.value : coded.value * fixed) + size };
}

/** The extension of UTF-8 to seven bytes (9.1.5). */
function codedNumber(bytes: Uint8Array, at: number): { readonly value: number; readonly length: number } | undefined {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { value: first, length: 1 };
  const length = Math.clz32(~(first << 24));
  if (length < 2 || length > 7) return undefined;
  let value = length === 7 ? 0 : first & (0x7f >> length);
  for (let n = 1; n < length; n += 1) {
    const byte = bytes[at + n] ?? 0;
    if ((byte & 0xc0) !== 0x80) return undefined;
    value = value * 64 + (byte & 0x3f);
  }
  return { value, length };
}

function check8(bytes: Uint8Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) {
    sum ^= bytes[at] ?? 0;
    for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ ((sum & 0x80) === 0 ? 0 : 0x07)) & 0xff;
  }
  return sum;
}

/** The last two bytes are the check sum of the frame (9.3). */
function hasCheck(bytes: Uint8Array, from: number): boolean {
  let sum = 0;
  for (let at = from; at < bytes.length - 2; at += 1) {
    sum ^= (bytes[at] ?? 0) << 8;
    for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ ((sum & 0x8000) === 0 ? 0 : 0x8005)) & 0xffff;
  }
  return sum === (bytes[bytes.length - 2] ?? 0) * 256 + (bytes[bytes.length - 1] ?? 0);
}

/** ID3v1 or APE, which some programs append. */
function hasTag(bytes: Uint8Array): boolean {
  return textAt(bytes, Math.max(0, bytes.length - 128), 3) === 'TAG' || textAt(bytes, Math.max(0, bytes.length - 32), 8) === 'APETAGEX';
}
