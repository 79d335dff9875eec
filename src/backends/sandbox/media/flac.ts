/** Writes FLAC: constant blocks where nothing sounds, verbatim ones elsewhere. Not small, but plain and exact (RFC 9639). */
import type { Tag } from './tags.ts';

export interface Sound {
  readonly sampleRate: number;
  /** One array of samples (−1 to 1) for each channel, all of one length. */
  readonly channels: readonly Float32Array[];
}

const BLOCK = 4096;
const DEPTH = 16;
/** What the header calls blocks whose length it tells in 16 bits, and depths of 16 bits. */
const LENGTH_FOLLOWS = 7;
const SIXTEEN_BITS = 4;
/** Rates that a frame can tell in four bits; of others the header speaks for all. */
const RATES: ReadonlyMap<number, number> = new Map([
  [88_200, 1],
  [176_400, 2],
  [192_000, 3],
  [8000, 4],
  [16_000, 5],
  [22_050, 6],
  [24_000, 7],
  [32_000, 8],
  [44_100, 9],
  [48_000, 10],
  [96_000, 11],
]);

export function encodeFlac(sound: Sound, tags: readonly Tag[]): Buffer {
  const frames = framesOf(sound);
  return Buffer.concat([Buffer.from('fLaC'), streamInfo(sound, frames), comments(tags), ...frames]);
}

/** The stream information block alone, as MP4 wants it, and the frames with their lengths in samples. */
export function flacFrames(sound: Sound): {
  readonly info: Buffer;
  readonly frames: readonly { readonly bytes: Buffer; readonly samples: number }[];
} {
  const frames = framesOf(sound);
  const total = sound.channels[0]?.length ?? 0;
  const told = frames.map((bytes, index) => ({ bytes, samples: Math.min(BLOCK, total - index * BLOCK) }));
  const info = streamInfo(sound, frames);
  // Last of the blocks, since no other follows there.
  info[0] = 0x80;
  return { info, frames: told };
}

function framesOf({ channels, sampleRate }: Sound): readonly Buffer[] {
  const total = channels[0]?.length ?? 0;
  const frames: Buffer[] = [];
  for (let start = 0; start < total; start += BLOCK) {
    const blocks = channels.map((samples) => Int16Array.from(samples.subarray(start, start + BLOCK), toSixteen));
    frames.push(frame(blocks, frames.length, RATES.get(sampleRate) ?? 0));
  }
  return frames;
}

function toSixteen(value: number): number {
  return Math.round(Math.max(-1, Math.min(1, value)) * 32_767);
}

function streamInfo({ sampleRate, channels }: Sound, frames: readonly Buffer[]): Buffer {
  const block = Buffer.alloc(4 + 34);
  block.writeUIntBE(34, 1, 3);
  block.writeUInt16BE(BLOCK, 4);
  block.writeUInt16BE(BLOCK, 6);
  block.writeUIntBE(Math.min(...frames.map(({ length }) => length), 0xff_ff_ff), 8, 3);
  block.writeUIntBE(Math.max(...frames.map(({ length }) => length), 0), 11, 3);
  const samples = BigInt(channels[0]?.length ?? 0);
  block.writeBigUInt64BE((BigInt(sampleRate) << 44n) | (BigInt(channels.length - 1) << 41n) | (BigInt(DEPTH - 1) << 36n) | samples, 14);
  // No MD5 of the samples: zeros mean that nobody took it.
  return block;
}

function comments(tags: readonly Tag[]): Buffer {
  const texts = [Buffer.from('callsheet sandbox'), ...tags.map(({ key, text }) => Buffer.from(`${key}=${text}`))].map(withLength);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(tags.length);
  const [vendor = Buffer.alloc(4), ...entries] = texts;
  const body = Buffer.concat([vendor, count, ...entries]);
  const head = Buffer.alloc(4);
  head[0] = 0x84;
  head.writeUIntBE(body.length, 1, 3);
  return Buffer.concat([head, body]);
}

function withLength(text: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text]);
}

/** Every subframe begins on a byte here, since 8 bits of header and 16 of each sample leave nothing over. */
function frame(blocks: readonly Int16Array[], number: number, rate: number): Buffer {
  const samples = blocks[0]?.length ?? 0;
  const start = [
    0xff,
    0xf8,
    (LENGTH_FOLLOWS << 4) | rate,
    ((blocks.length - 1) << 4) | (SIXTEEN_BITS << 1),
    ...coded(number),
    (samples - 1) >> 8,
    (samples - 1) & 0xff,
  ];
  const head = Buffer.from([...start, check(Buffer.from(start), 8, 0x07)]);
  const body = Buffer.concat([head, ...blocks.map(subframe)]);
  const sum = check(body, 16, 0x8005);
  return Buffer.concat([body, Buffer.from([sum >> 8, sum & 0xff])]);
}

function subframe(samples: Int16Array): Buffer {
  const [first = 0] = samples;
  const isConstant = samples.every((sample) => sample === first);
  const out = Buffer.alloc(1 + 2 * (isConstant ? 1 : samples.length));
  out[0] = isConstant ? 0 : 2;
  for (let index = 0; index < (isConstant ? 1 : samples.length); index += 1) out.writeInt16BE(samples[index] ?? 0, 1 + 2 * index);
  return out;
}

/** A number as UTF-8 spells it, to 36 bits. */
function coded(value: number): readonly number[] {
  if (value < 0x80) return [value];
  const tail: number[] = [];
  let rest = value;
  // One byte more leaves one bit less in the first.
  while (rest >= 2 ** (6 - tail.length)) {
    tail.unshift(0x80 | (rest % 64));
    rest = Math.floor(rest / 64);
  }
  return [(0xff & (0xff << (6 - tail.length + 1))) | rest, ...tail].map((byte) => byte & 0xff);
}

function check(bytes: Uint8Array, bits: 8 | 16, polynomial: number): number {
  const top = 2 ** (bits - 1);
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << (bits - 8);
    for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ ((sum & top) === 0 ? 0 : polynomial)) & (2 * top - 1);
  }
  return sum;
}
