/** One track of an MP4 or QuickTime film: what it is, how long, and by which codec (ISO/IEC 14496-12 8.3 to 8.6). */
import { textAt } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { boxesIn, contentOf, findBox } from './boxes.ts';
import type { Box } from './boxes.ts';
import { codecName, colourOf } from './codecs.ts';

export interface Track {
  readonly id: number;
  /** `vide`, `soun` …; empty when the file does not say. */
  readonly handler: string;
  /** Units of time in a second. */
  readonly timescale: number;
  readonly width?: number;
  readonly height?: number;
  readonly codec?: string;
  readonly frames?: number;
  readonly seconds?: number;
  readonly depth?: number;
  readonly alpha?: boolean;
  readonly channels?: number;
  readonly sampleRate?: number;
}

/** Entries of a table of times; films of constant rate have one or two. */
const MOST_ENTRIES = 100_000;
const ENTRIES_AT_ONCE = 1000;
/** Boxes that configure a codec. */
const CONFIGS: ReadonlySet<string> = new Set(['avcC', 'hvcC', 'av1C', 'vpcC']);
/** From the start of a sample entry to its child boxes (12.1.3, 12.2.3). */
const VIDEO_ENTRY = 78;
const AUDIO_ENTRY = 28;

export async function readTrack(source: ByteSource, track: Box): Promise<Track> {
  const header = await findBox(source, track, 'tkhd');
  const size = header === null ? { id: 0 } : await headerOf(source, header);
  const media = await findBox(source, track, 'mdia');
  if (media === null) return { ...size, handler: '', timescale: 1 };
  const handlerBox = await findBox(source, media, 'hdlr');
  const handler = handlerBox === null ? '' : textAt(await source.read(handlerBox.start, 12), 8, 4);
  const timescale = await timescaleOf(source, media);
  const info = await findBox(source, media, 'minf');
  const table = info && (await findBox(source, info, 'stbl'));
  if (table === null) return { ...size, handler, timescale };
  const { samples, units } = await timesOf(source, table);
  const times = { frames: samples, seconds: units / timescale };
  const description = await findBox(source, table, 'stsd');
  const entry = description && (await firstOf(source, description));
  if (entry === null) return { ...size, handler, timescale, ...times };
  if (handler === 'soun') return { id: size.id, handler, timescale, seconds: times.seconds, ...(await soundOf(source, entry)) };
  return { ...size, handler, timescale, ...times, ...(await pictureOf(source, entry)) };
}

/** Width and height are 16.16 fixed point, after the matrix; sound tracks say 0 × 0. */
async function headerOf(
  source: ByteSource,
  header: Box,
): Promise<{ readonly id: number; readonly width?: number; readonly height?: number }> {
  const view = await contentOf(source, header, 96);
  if (view.byteLength < 84) return { id: 0 };
  const isLong = view.getUint8(0) !== 0;
  const at = isLong ? 88 : 76;
  const id = view.getUint32(isLong ? 20 : 12);
  if (view.byteLength < at + 8) return { id };
  return { id, width: Math.round(view.getUint32(at) / 65_536), height: Math.round(view.getUint32(at + 4) / 65_536) };
}

async function timescaleOf(source: ByteSource, media: Box): Promise<number> {
  const header = await findBox(source, media, 'mdhd');
  if (header === null) return 1;
  const view = await contentOf(source, header, 24);
  const at = view.byteLength > 0 && view.getUint8(0) !== 0 ? 20 : 12;
  return view.byteLength < at + 4 ? 1 : Math.max(1, view.getUint32(at));
}

/** `stts`: how many samples last how long. */
async function timesOf(source: ByteSource, table: Box): Promise<{ readonly samples: number; readonly units: number }> {
  const times = await findBox(source, table, 'stts');
  let samples = 0;
  let units = 0;
  const view = times && (await contentOf(source, times, 8));
  if (times === null || view === null || view.byteLength < 8) return { samples, units };
  const count = Math.min(view.getUint32(4), MOST_ENTRIES, Math.floor((times.end - times.start - 8) / 8));
  for (let entry = 0; entry < count; entry += ENTRIES_AT_ONCE) {
    const bytes = await source.read(times.start + 8 + entry * 8, 8 * Math.min(ENTRIES_AT_ONCE, count - entry));
    const part = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (part.byteLength < 8) break;
    for (let at = 0; at + 8 <= part.byteLength; at += 8) {
      samples += part.getUint32(at);
      units += part.getUint32(at) * part.getUint32(at + 4);
    }
  }
  return { samples, units };
}

async function firstOf(source: ByteSource, description: Box): Promise<Box | null> {
  for await (const entry of boxesIn(source, description.start + 8, description.end)) return entry;
  return null;
}

async function pictureOf(source: ByteSource, entry: Box): Promise<Partial<Track>> {
  const view = await contentOf(source, entry, VIDEO_ENTRY);
  if (view.byteLength < VIDEO_ENTRY) return { codec: codecName(entry.type) };
  let config: { readonly type: string; readonly view: DataView } | undefined;
  for await (const box of boxesIn(source, entry.start + VIDEO_ENTRY, entry.end)) {
    if (!CONFIGS.has(box.type)) continue;
    config = { type: box.type, view: await contentOf(source, box, 4096) };
    break;
  }
  const codec = codecName(entry.type);
  const real = codec === 'mpeg4' ? await streamConfig(source, entry, VIDEO_ENTRY) : {};
  return { codec: real.codec ?? codec, ...colourOf(entry.type, config?.type, config?.view, view.getUint16(74)) };
}

async function soundOf(source: ByteSource, entry: Box): Promise<Partial<Track>> {
  const view = await contentOf(source, entry, 64);
  const named = codecName(entry.type);
  const real = named === 'aac' ? await streamConfig(source, entry, AUDIO_ENTRY) : {};
  const codec = real.codec ?? named;
  if (view.byteLength < AUDIO_ENTRY) return { codec };
  // QuickTime's second version keeps the real numbers after the old ones, as 64-bit float and 32-bit integer.
  if (view.getUint16(8) === 2 && view.byteLength >= 52) {
    const found = { channels: view.getUint32(40), sampleRate: view.getFloat64(32) };
    return { codec, ...found, ...(codec === 'pcm' ? { depth: view.getUint32(48) } : {}) };
  }
  const bits = { in24: 24, in32: 32, fl32: 32, fl64: 64 }[entry.type] ?? view.getUint16(18);
  const isLossless = codec === 'pcm' || codec === 'alac' || codec === 'flac';
  return {
    codec,
    channels: real.channels ?? view.getUint16(16),
    sampleRate: view.getUint32(24) / 65_536,
    ...(isLossless ? { depth: bits } : {}),
  };
}

/** Object types in `esds` (https://mp4ra.org/registered-types/object-types): one entry serves several codecs. */
const OBJECT_TYPES: ReadonlyMap<number, string> = new Map([
  [0x20, 'mpeg4'],
  [0x40, 'aac'],
  [0x66, 'aac'],
  [0x67, 'aac'],
  [0x68, 'aac'],
  [0x69, 'mp3'],
  [0x6b, 'mp3'],
  [0x6c, 'mjpeg'],
  [0x6d, 'png'],
  [0xad, 'opus'],
]);

interface StreamConfig {
  readonly codec?: string;
  /** Of AAC, whose sample entry always says two. */
  readonly channels?: number;
}

/** `esds` (ISO/IEC 14496-1 7.2.6): descriptors of a tag, a length of one to four bytes, and what they hold. */
async function streamConfig(source: ByteSource, entry: Box, children: number): Promise<StreamConfig> {
  const box = await findBox(source, { start: entry.start + children, end: entry.end }, 'esds');
  if (box === null) return {};
  const bytes = await source.read(box.start, Math.min(128, box.end - box.start));
  const content = (from: number, tag: number): number => {
    for (let at = from; at + 6 < bytes.length; at += 1) {
      if (bytes[at] !== tag) continue;
      let next = at + 1;
      while (next < at + 4 && ((bytes[next] ?? 0) & 0x80) !== 0) next += 1;
      return next + 1;
    }
    return bytes.length;
  };
  const decoder = content(4, DECODER);
  const codec = OBJECT_TYPES.get(bytes[decoder] ?? 0);
  if (codec !== 'aac') return codec === undefined ? {} : { codec };
  // After the type: 12 bytes of buffers and rates, then the codec's own configuration (ISO/IEC 14496-3 1.6.2.1).
  const config = content(decoder + 13, CODEC_CONFIG);
  const bits = ((bytes[config] ?? 0) << 16) | ((bytes[config + 1] ?? 0) << 8) | (bytes[config + 2] ?? 0);
  const isPlain = bits >>> 19 !== 31 && ((bits >>> 15) & 15) !== 15;
  const layout = (bits >>> 11) & 15;
  return { codec, ...(isPlain && layout >= 1 && layout <= 7 ? { channels: layout === 7 ? 8 : layout } : {}) };
}

const DECODER = 4;
const CODEC_CONFIG = 5;
