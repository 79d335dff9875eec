/** Ogg: what the first pages begin, duration from the last page, and whether that page is whole (RFC 3533, RFC 7845). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, lasting, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const PAGE = 27;
/** A page has at most 65,307 bytes. */
const TAIL = 2 * 65_307;
const MOST_STREAMS = 16;

interface Stream {
  readonly serial: number;
  readonly codec: string;
  readonly channels?: number;
  readonly sampleRate?: number;
  readonly depth?: number;
  readonly picture?: { readonly width: number; readonly height: number; readonly fps: number };
  /** Units of a page's position in a second, and how many of them come before the beginning. */
  readonly rate: number;
  readonly skip: number;
}

export async function measureOgg(source: ByteSource): Promise<Measured> {
  const streams = await streamsOf(source);
  if (streams.length === 0) return faulty('it holds no stream of a known kind');
  const picture = streams.find((stream) => stream.picture !== undefined);
  const sound = streams.find((stream) => stream.channels !== undefined);
  const { last, isWhole } = await lastPages(source);
  if (!isWhole) return faulty('its last page is cut short');
  const seconds = Math.max(0, ...streams.map(({ serial, rate, skip }) => ((last.get(serial) ?? 0) - skip) / rate));
  if (seconds === 0) return faulty('it has no sound in it, it was cut short');
  const heard = { channels: sound?.channels, sampleRate: sound?.sampleRate };
  if (picture?.picture === undefined) return { ...lasting(seconds), ...withFacts({ ...heard, depth: sound?.depth, codec: sound?.codec }) };
  const { width, height, fps } = picture.picture;
  const facts = { ...heard, codec: picture.codec, audioCodec: sound?.codec, fps, frames: Math.round(fps * seconds) };
  return { ...sized(width, height, seconds), ...withFacts(facts) };
}

/** The first page of each stream holds its first packet and nothing else, and all of them come first. */
async function streamsOf(source: ByteSource): Promise<readonly Stream[]> {
  const streams: Stream[] = [];
  let at = 0;
  for (let count = 0; count < MOST_STREAMS; count += 1) {
    const head = await source.read(at, PAGE + 255);
    if (textAt(head, 0, 4) !== 'OggS' || head.length < PAGE || ((head[5] ?? 0) & 2) === 0) break;
    const segments = head[26] ?? 0;
    const length = head.subarray(PAGE, PAGE + segments).reduce((sum, part) => sum + part, 0);
    const start = at + PAGE + segments;
    const stream = streamOf(await source.read(start, Math.min(length, 128)), viewOf(head).getUint32(14, true));
    if (stream !== undefined) streams.push(stream);
    at = start + length;
  }
  return streams;
}

function streamOf(packet: Uint8Array, serial: number): Stream | undefined {
  const view = viewOf(packet);
  if (textAt(packet, 0, 8) === 'OpusHead' && packet.length >= 19) {
    // Positions count at 48 kHz whatever went in.
    return { serial, codec: 'opus', channels: view.getUint8(9), sampleRate: 48_000, rate: 48_000, skip: view.getUint16(10, true) };
  }
  if (textAt(packet, 0, 7) === '\x01vorbis' && packet.length >= 30) {
    const sampleRate = view.getUint32(12, true);
    return { serial, codec: 'vorbis', channels: view.getUint8(11), sampleRate, rate: sampleRate, skip: 0 };
  }
  if (textAt(packet, 0, 5) === '\x7fFLAC' && packet.length >= 35) {
    const bits = view.getBigUint64(27);
    const sampleRate = Number(bits >> 44n);
    const depth = Number((bits >> 36n) & 31n) + 1;
    return { serial, codec: 'flac', channels: Number((bits >> 41n) & 7n) + 1, sampleRate, depth, rate: sampleRate, skip: 0 };
  }
  if (textAt(packet, 0, 7) === '\x80theora' && packet.length >= 42) {
    const fps = view.getUint32(22) / view.getUint32(26);
    const size = { width: view.getUint32(14) >>> 8, height: view.getUint32(17) >>> 8 };
    // Positions of pictures are packed; the sound tells the time, or nothing does.
    return { serial, codec: 'theora', picture: { ...size, fps }, rate: Number.POSITIVE_INFINITY, skip: 0 };
  }
  return undefined;
}

/** Positions of the last pages, by stream. */
async function lastPages(source: ByteSource): Promise<{ readonly last: ReadonlyMap<number, number>; readonly isWhole: boolean }> {
  const start = Math.max(0, source.size - TAIL);
  const bytes = await source.read(start, TAIL);
  const view = viewOf(bytes);
  const last = new Map<number, number>();
  let isWhole = false;
  for (let at = 0; at + PAGE <= bytes.length; at += 1) {
    if (bytes[at] !== 0x4f || textAt(bytes, at, 4) !== 'OggS') continue;
    const segments = bytes[at + 26] ?? 0;
    const lacing = bytes.subarray(at + PAGE, at + PAGE + segments);
    const end = at + PAGE + segments + lacing.reduce((sum, part) => sum + part, 0);
    isWhole = lacing.length === segments && end <= bytes.length;
    const position = view.getBigUint64(at + 6, true);
    // All ones: no packet ends on this page.
    if (isWhole && position !== 0xff_ff_ff_ff_ff_ff_ff_ffn) last.set(view.getUint32(at + 14, true), Number(position));
    if (isWhole) at = end - 1;
  }
  return { last, isWhole };
}
