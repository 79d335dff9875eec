/** WAV (RIFF, RF64) and AVI: format and length from their chunks, and whether they are as long as they say. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { codecName } from './codecs.ts';
import { faulty, lasting, perSecond, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_CHUNKS = 1000;
/** What writers put where they could not go back to write the length, or where it lies in another chunk. */
const UNKNOWN_LENGTH = 0xff_ff_ff_ff;
const EXTENSIBLE = 0xfffe;

interface Chunk {
  readonly kind: string;
  /** Where the data begins. */
  readonly at: number;
  readonly length: number;
}

async function* chunksIn(source: ByteSource, from: number, to: number): AsyncGenerator<Chunk> {
  let at = from;
  for (let count = 0; count < MOST_CHUNKS && at + 8 <= to; count += 1) {
    const head = await source.read(at, 8);
    if (head.length < 8) return;
    const length = viewOf(head).getUint32(4, true);
    yield { kind: textAt(head, 0, 4), at: at + 8, length };
    at += 8 + length + (length % 2);
  }
}

export async function measureWav(source: ByteSource): Promise<Measured> {
  let sound: Sound | undefined;
  let long: number | undefined;
  for await (const { kind, at, length } of chunksIn(source, 12, source.size)) {
    if (kind === 'fmt ') sound = formatOf(viewOf(await source.read(at, Math.min(40, length))));
    if (kind === 'ds64') long = await longLength(source, at);
    if (kind !== 'data') continue;
    const isStreamed = (length === UNKNOWN_LENGTH && long === undefined) || length === 0;
    const bytes = isStreamed ? source.size - at : length === UNKNOWN_LENGTH ? (long ?? 0) : length;
    if (at + bytes > source.size) return faulty('it is shorter than its header says');
    if (sound === undefined) return faulty('it does not say what its sound is');
    const { bytesPerSecond, ...found } = sound;
    return { ...lasting(bytes / bytesPerSecond), ...withFacts(found) };
  }
  return faulty('it has no sound in it, it was cut short');
}

/** RF64 (EBU Tech 3306): the length of the data that 32 bits cannot hold. */
async function longLength(source: ByteSource, at: number): Promise<number | undefined> {
  const view = viewOf(await source.read(at, 16));
  return view.byteLength < 16 ? undefined : Number(view.getBigUint64(8, true));
}

interface Sound {
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
  readonly depth: number;
  readonly bytesPerSecond: number;
}

const TAGS: ReadonlyMap<number, string> = new Map([
  [1, 'pcm'],
  [3, 'pcm'],
  [6, 'pcm_alaw'],
  [7, 'pcm_mulaw'],
  [0x50, 'mp2'],
  [0x55, 'mp3'],
  [0xff, 'aac'],
  [0xf1ac, 'flac'],
  [0x2000, 'ac3'],
]);

function formatOf(view: DataView): Sound | undefined {
  if (view.byteLength < 16) return undefined;
  const tag = view.getUint16(0, true);
  // The real tag begins the identifier of the sub-format.
  const real = tag === EXTENSIBLE && view.byteLength >= 26 ? view.getUint16(24, true) : tag;
  return {
    codec: TAGS.get(real) ?? `wave 0x${real.toString(16)}`,
    channels: view.getUint16(2, true),
    sampleRate: view.getUint32(4, true),
    bytesPerSecond: view.getUint32(8, true),
    depth: view.getUint16(14, true),
  };
}

/** The main header, then a list for each stream (https://learn.microsoft.com/windows/win32/directshow/avi-riff-file-reference). */
export async function measureAvi(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 12);
  if (head.length < 12 || viewOf(head).getUint32(4, true) + 8 > source.size) return faulty('it is shorter than its header says');
  for await (const list of chunksIn(source, 12, source.size)) {
    if (list.kind !== 'LIST' || textAt(await source.read(list.at, 4), 0, 4) !== 'hdrl') continue;
    const { main, picture, sound } = await streamsOf(source, list);
    if (main === undefined) break;
    // Files past a gigabyte count the rest of their frames elsewhere; the picture's own header has all of them.
    const frames = Math.max(main.getUint32(16, true), picture?.length ?? 0);
    const fps = picture?.rate ?? perSecond(1e6, main.getUint32(0, true));
    const seconds = fps === undefined ? undefined : frames / fps;
    const { bytesPerSecond: _, codec: audioCodec, depth: _bits, ...heard } = sound ?? { bytesPerSecond: 0, codec: undefined, depth: 0 };
    const facts = withFacts({ frames, fps, ...heard, ...picture?.colour, audioCodec });
    return { ...sized(main.getUint32(32, true), main.getUint32(36, true), seconds), ...facts };
  }
  return faulty('its header is missing, it was cut short');
}

interface AviPicture {
  readonly rate: number | undefined;
  readonly length: number;
  readonly colour: { readonly codec: string; readonly depth?: number; readonly alpha?: boolean };
}

async function streamsOf(source: ByteSource, headers: Chunk) {
  let main: DataView | undefined;
  let picture: AviPicture | undefined;
  let sound: Sound | undefined;
  for await (const chunk of chunksIn(source, headers.at + 4, Math.min(source.size, headers.at + headers.length))) {
    if (chunk.kind === 'avih') {
      const view = viewOf(await source.read(chunk.at, 40));
      if (view.byteLength === 40) main = view;
    }
    if (chunk.kind !== 'LIST') continue;
    const bytes = await source.read(chunk.at + 4, Math.min(512, chunk.length));
    // Header and format are the first two chunks of a stream, the header 56 or 64 bytes long.
    if (bytes.length < 80 || textAt(bytes, 0, 4) !== 'strh') continue;
    const view = viewOf(bytes);
    const format = 8 + view.getUint32(4, true) + 8;
    const kind = textAt(bytes, 8, 4);
    if (kind === 'vids') picture ??= pictureOf(view, bytes, format);
    if (kind === 'auds' && format < bytes.length) sound ??= formatOf(viewOf(bytes.subarray(format)));
  }
  return { main, picture, sound };
}

function pictureOf(view: DataView, bytes: Uint8Array, format: number): AviPicture {
  const rate = perSecond(view.getUint32(32, true), view.getUint32(28, true));
  const codec = codecName(format + 20 <= bytes.length ? textAt(bytes, format + 16, 4) : textAt(bytes, 12, 4));
  return { rate, length: view.getUint32(40, true), colour: { codec } };
}
