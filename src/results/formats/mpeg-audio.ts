/** MP3 and AAC (ADTS): format from the first frame, duration from the encoder's count or from size and rate (ISO/IEC 11172-3, 13818-7). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, lasting, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

/** Between the tag and the first frame: padding, and pictures that the tag forgot to count. */
const SEARCH = 64 * 1024;
const MOST_FRAMES = 2_000_000;

/** Kilobits a second by layer and version, by the four bits of the header. */
const RATES: Readonly<Record<string, readonly number[]>> = {
  V1L1: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  V1L2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  V1L3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  V2L1: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  V2L2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  V2L3: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const SAMPLING = [44_100, 48_000, 32_000];

interface Frame {
  readonly at: number;
  readonly length: number;
  readonly sampleRate: number;
  readonly channels: number;
  readonly samples: number;
  /** Bits a second. */
  readonly bitRate: number;
  readonly layer: number;
  readonly isFirstVersion: boolean;
}

export async function measureMp3(source: ByteSource): Promise<Measured> {
  const start = await afterTag(source);
  if (start >= source.size) return faulty('it has no sound in it, it was cut short');
  const frame = findFrame(await source.read(start, SEARCH));
  if (frame === undefined) return faulty('it has no frame of sound in it');
  const first = start + frame.at;
  const facts = withFacts({ channels: frame.channels, sampleRate: frame.sampleRate, codec: `mp${String(frame.layer)}` });
  const counted = await encodersCount(source, first, frame);
  // The count of bytes begins with the frame that holds it.
  if (counted?.bytes !== undefined && first + counted.bytes > source.size) return faulty('it is shorter than its header says');
  const samples = counted?.frames === undefined ? undefined : counted.frames * frame.samples - counted.silence;
  const seconds = samples === undefined ? ((source.size - first) * 8) / frame.bitRate : samples / frame.sampleRate;
  return { ...lasting(seconds), ...facts };
}

async function afterTag(source: ByteSource): Promise<number> {
  const head = await source.read(0, 10);
  if (textAt(head, 0, 3) !== 'ID3' || head.length < 10) return 0;
  const size = [6, 7, 8, 9].reduce((value, at) => value * 128 + ((head[at] ?? 0) & 0x7f), 0);
  return 10 + size + (((head[5] ?? 0) & 0x10) === 0 ? 0 : 10);
}

/** The first frame that another one follows, or that the file ends with. */
function findFrame(bytes: Uint8Array): Frame | undefined {
  for (let at = 0; at + 4 <= bytes.length; at += 1) {
    const frame = readFrame(bytes, at);
    if (frame === undefined) continue;
    const next = at + frame.length;
    if (next + 4 > bytes.length || readFrame(bytes, next) !== undefined) return frame;
  }
  return undefined;
}

function readFrame(bytes: Uint8Array, at: number): Frame | undefined {
  const [b1 = 0, b2 = 0, b3 = 0] = [bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  if (bytes[at] !== 0xff || (b1 & 0xe0) !== 0xe0) return undefined;
  const version = (b1 >> 3) & 3;
  const layer = 4 - ((b1 >> 1) & 3);
  const sampling = SAMPLING[(b2 >> 2) & 3];
  const isFirstVersion = version === 3;
  const bitRate = (RATES[`V${isFirstVersion ? 1 : 2}L${String(layer)}`]?.[b2 >> 4] ?? 0) * 1000;
  if (version === 1 || layer === 4 || sampling === undefined || bitRate === 0) return undefined;
  const sampleRate = isFirstVersion ? sampling : sampling / (version === 2 ? 2 : 4);
  const samples = layer === 1 ? 384 : layer === 3 && !isFirstVersion ? 576 : 1152;
  const padding = (b2 >> 1) & 1;
  const length =
    layer === 1 ? (Math.floor((12 * bitRate) / sampleRate) + padding) * 4 : Math.floor((samples / 8) * (bitRate / sampleRate)) + padding;
  return { at, length, sampleRate, channels: b3 >> 6 === 3 ? 1 : 2, samples, bitRate, layer, isFirstVersion };
}

interface Count {
  readonly frames?: number;
  readonly bytes?: number;
  /** Samples that the encoder added at both ends. */
  readonly silence: number;
}

/** Xing, Info (LAME) or VBRI in the first frame, which then holds no sound. */
async function encodersCount(source: ByteSource, at: number, frame: Frame): Promise<Count | undefined> {
  const bytes = await source.read(at, 200);
  const view = viewOf(bytes);
  if (textAt(bytes, 36, 4) === 'VBRI' && bytes.length >= 54) return { frames: view.getUint32(50), bytes: view.getUint32(46), silence: 0 };
  const side = frame.isFirstVersion ? (frame.channels === 1 ? 17 : 32) : frame.channels === 1 ? 9 : 17;
  const start = 4 + side;
  const name = textAt(bytes, start, 4);
  if ((name !== 'Xing' && name !== 'Info') || bytes.length < start + 160) return undefined;
  const flags = view.getUint32(start + 4);
  const frames = (flags & 1) === 0 ? undefined : view.getUint32(start + 8);
  const size = (flags & 2) === 0 ? undefined : view.getUint32(start + 8 + ((flags & 1) === 0 ? 0 : 4));
  const lame = start + 8 + (flags & 1 && 4) + (flags & 2 && 4) + (flags & 4 && 100) + (flags & 8 && 4);
  // Twelve bits each of delay and padding, 21 bytes into LAME's part.
  const has = /^(?:LAME|Lavc|Lavf)/.test(textAt(bytes, lame, 4)) && lame + 24 <= bytes.length;
  const silence = has
    ? ((bytes[lame + 21] ?? 0) << 4) + ((bytes[lame + 22] ?? 0) >> 4) + (((bytes[lame + 22] ?? 0) & 15) << 8) + (bytes[lame + 23] ?? 0)
    : 0;
  return { ...(frames === undefined ? {} : { frames }), ...(size === undefined ? {} : { bytes: size }), silence };
}

const AAC_RATES = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];
const AAC_SAMPLES = 1024;

/** ADTS has no header of its own: frame after frame is stepped over. */
export async function measureAac(source: ByteSource): Promise<Measured> {
  let at = await afterTag(source);
  let frames = 0;
  let sampleRate = 0;
  let channels = 0;
  for (; frames < MOST_FRAMES; frames += 1) {
    const head = await source.read(at, 7);
    if (head.length < 7 || head[0] !== 0xff || ((head[1] ?? 0) & 0xf6) !== 0xf0) break;
    const view = viewOf(head);
    const length = (view.getUint32(3) >>> 13) & 0x1fff;
    if (length < 7) break;
    if (at + length > source.size) return faulty('its last frame is cut short');
    sampleRate = AAC_RATES[(view.getUint8(2) >> 2) & 15] ?? 0;
    channels = ((view.getUint8(2) & 1) << 2) | (view.getUint8(3) >> 6);
    at += length;
  }
  if (frames === 0) return faulty('it has no frame of sound in it');
  return { ...lasting((frames * AAC_SAMPLES) / sampleRate), ...withFacts({ channels, sampleRate, codec: 'aac' }) };
}
