/** WebM and Matroska: the first picture track and the first sound track, their blocks counted, wholeness of the segment (RFC 9559). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { countBlocks } from './blocks.ts';
import { codecName, colourOf } from './codecs.ts';
import { elementsIn, findElement, floatOf, nameOf, unsignedOf } from './ebml.ts';
import type { Range } from './ebml.ts';
import { faulty, lasting, perSecond, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const NUMBER = 0xd7;
const CODEC = 0x86;
const PRIVATE = 0x63a2;
const USUAL_DURATION = 0x23e383;
const VIDEO = 0xe0;
const PIXEL_WIDTH = 0xb0;
const PIXEL_HEIGHT = 0xba;
const ALPHA_MODE = 0x53c0;
const COLOUR = 0x55b0;
const BITS_PER_CHANNEL = 0x55b2;
const AUDIO = 0xe1;
const SAMPLING_FREQUENCY = 0xb5;
const CHANNELS = 0x9f;
const BIT_DEPTH = 0x6264;
const CLUSTER = 0x1f43b675;
const MOST_TRACKS = 64;

export async function measureMatroska(source: ByteSource): Promise<Measured> {
  const segment = await findElement(source, { start: 0, end: source.size }, SEGMENT);
  if (segment === null) return faulty('its segment is missing, it was cut short');
  if (!segment.isWhole) return faulty('it is shorter than its segment says');
  let scale = 1_000_000;
  let told: number | undefined;
  let tracks: readonly Track[] = [];
  let clusters: number | undefined;
  for await (const element of elementsIn(source, segment)) {
    if (!element.isWhole) return faulty('it is shorter than its elements say');
    if (element.id === INFO) ({ scale, told } = await timesOf(source, element));
    if (element.id === TRACKS) tracks = await tracksIn(source, element);
    if (element.id === CLUSTER) clusters ??= element.start;
    // Walking all clusters once is enough, and it is done below.
    if (element.id === CLUSTER && element.isUnknown) break;
  }
  const picture = tracks.find(({ width }) => width > 0);
  const sound = tracks.find(({ channels }) => channels !== undefined);
  const blocks = clusters === undefined ? undefined : await countBlocks(source, segment, picture?.number ?? sound?.number ?? 1);
  const seconds = told === undefined ? lastOf(blocks, scale) : (told * scale) / 1e9;
  const facts = factsOf(picture, sound, blocks, seconds);
  if (picture === undefined) return { ...lasting(seconds), ...facts, ...(sound === undefined ? {} : { kind: 'audio' }) };
  return { ...sized(picture.width, picture.height, seconds), ...facts };
}

type Blocks = Awaited<ReturnType<typeof countBlocks>> | undefined;

function factsOf(picture: Track | undefined, sound: Track | undefined, blocks: Blocks, seconds: number | undefined) {
  const fps = picture?.usual === undefined ? perSecond(blocks?.count ?? 0, seconds ?? 0) : perSecond(1e9, picture.usual);
  const counted = blocks?.isAll === true ? blocks.count : undefined;
  return withFacts({
    frames: picture === undefined ? undefined : (counted ?? (fps === undefined ? undefined : Math.round(fps * (seconds ?? 0)))),
    fps: picture === undefined ? undefined : fps,
    channels: sound?.channels,
    sampleRate: sound?.sampleRate,
    depth: picture === undefined ? sound?.depth : picture.depth,
    alpha: picture?.alpha,
    codec: picture?.codec ?? sound?.codec,
    audioCodec: picture === undefined ? undefined : sound?.codec,
  });
}

/** The end of the last block, for files of live streams: as long after it as blocks usually are apart. */
function lastOf(blocks: Blocks, scale: number): number | undefined {
  if (blocks === undefined || blocks.count === 0) return undefined;
  const apart = blocks.count > 1 ? blocks.last / (blocks.count - 1) : 0;
  return ((blocks.last + apart) * scale) / 1e9;
}

async function timesOf(source: ByteSource, info: Range): Promise<{ readonly scale: number; readonly told: number | undefined }> {
  let scale = 1_000_000;
  let told: number | undefined;
  for await (const element of elementsIn(source, info)) {
    if (element.id === TIMESTAMP_SCALE) scale = await unsignedOf(source, element);
    if (element.id === DURATION) told = await floatOf(source, element);
  }
  return { scale, told };
}

interface Track {
  readonly number: number;
  readonly codec: string | undefined;
  /** Nanoseconds of a frame. */
  readonly usual: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly alpha: boolean | undefined;
  readonly depth: number | undefined;
  readonly channels: number | undefined;
  readonly sampleRate: number | undefined;
}

async function tracksIn(source: ByteSource, tracks: Range): Promise<readonly Track[]> {
  const found: Track[] = [];
  for await (const track of elementsIn(source, tracks)) {
    if (track.id === TRACK_ENTRY && found.length < MOST_TRACKS) found.push(await trackOf(source, track));
  }
  return found;
}

async function trackOf(source: ByteSource, entry: Range): Promise<Track> {
  const track = { number: 0, codec: undefined, usual: undefined, ...NO_PICTURE, ...NO_SOUND } as { -readonly [K in keyof Track]: Track[K] };
  let config: Uint8Array = new Uint8Array();
  for await (const element of elementsIn(source, entry)) {
    if (element.id === NUMBER) track.number = await unsignedOf(source, element);
    if (element.id === CODEC) track.codec = codecOf(await nameOf(source, element));
    if (element.id === PRIVATE) config = await source.read(element.start, Math.min(4096, element.end - element.start));
    if (element.id === USUAL_DURATION) track.usual = await unsignedOf(source, element);
    if (element.id === VIDEO) Object.assign(track, await pictureOf(source, element));
    if (element.id === AUDIO) Object.assign(track, await soundOf(source, element));
  }
  // A bitmap header of Windows names the codec (the mapping of AVI into Matroska).
  if (track.codec === VFW) track.codec = codecName(textAt(config, 16, 4));
  // What configures these codecs is the same as in MP4.
  const box = CONFIGS[track.codec ?? ''];
  if (box !== undefined) track.depth ??= colourOf('', box, viewOf(config), 0).depth;
  if (track.codec === 'vp8') track.depth = 8;
  if (track.channels !== undefined && !LOSSLESS.has(track.codec ?? '')) track.depth = undefined;
  return track;
}

const NO_PICTURE = { width: 0, height: 0, alpha: undefined, depth: undefined } as const;
const NO_SOUND = { channels: undefined, sampleRate: undefined } as const;

async function pictureOf(source: ByteSource, video: Range): Promise<Partial<Track>> {
  let [width, height, alpha] = [0, 0, false];
  let depth: number | undefined;
  for await (const element of elementsIn(source, video)) {
    if (element.id === PIXEL_WIDTH) width = await unsignedOf(source, element);
    if (element.id === PIXEL_HEIGHT) height = await unsignedOf(source, element);
    if (element.id === ALPHA_MODE) alpha = (await unsignedOf(source, element)) === 1;
    if (element.id !== COLOUR) continue;
    const bits = await findElement(source, element, BITS_PER_CHANNEL);
    if (bits !== null) depth = await unsignedOf(source, bits);
  }
  return { width, height, alpha, depth };
}

/** One channel at 8 kHz is what a track has that does not say (RFC 9559 5.1.4.1.29). */
async function soundOf(source: ByteSource, audio: Range): Promise<Partial<Track>> {
  let channels = 1;
  let sampleRate: number | undefined = 8000;
  let depth: number | undefined;
  for await (const element of elementsIn(source, audio)) {
    if (element.id === CHANNELS) channels = await unsignedOf(source, element);
    if (element.id === SAMPLING_FREQUENCY) sampleRate = await floatOf(source, element);
    if (element.id === BIT_DEPTH) depth = await unsignedOf(source, element);
  }
  return { channels, sampleRate, depth };
}

const CONFIGS: Readonly<Record<string, string>> = { h264: 'avcC', hevc: 'hvcC', av1: 'av1C' };
const LOSSLESS: ReadonlySet<string> = new Set(['pcm', 'flac', 'alac']);
const VFW = 'ms/vfw/fourcc';
const CODECS: readonly (readonly [string, string])[] = [
  ['V_VP8', 'vp8'],
  ['V_VP9', 'vp9'],
  ['V_AV1', 'av1'],
  ['V_MPEG4/ISO/AVC', 'h264'],
  ['V_MPEGH/ISO/HEVC', 'hevc'],
  ['V_MPEG4/ISO', 'mpeg4'],
  ['V_PRORES', 'prores'],
  ['V_MJPEG', 'mjpeg'],
  ['V_FFV1', 'ffv1'],
  ['V_UNCOMPRESSED', 'raw'],
  ['A_OPUS', 'opus'],
  ['A_VORBIS', 'vorbis'],
  ['A_AAC', 'aac'],
  ['A_FLAC', 'flac'],
  ['A_MPEG/L3', 'mp3'],
  ['A_PCM', 'pcm'],
  ['A_AC3', 'ac3'],
];

/** `V_MPEG4/ISO/AVC` and the like (https://www.matroska.org/technical/codec_specs.html). */
function codecOf(id: string): string {
  return CODECS.find(([start]) => id.startsWith(start))?.[1] ?? id.replace(/^[AVS]_/, '').toLowerCase();
}
