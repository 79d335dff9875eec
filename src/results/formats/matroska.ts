/** WebM and Matroska: size of the first picture track and duration, by walking EBML elements (RFC 8794, RFC 9559). */
import { viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, lasting, sized } from './measured.ts';
import type { Measured } from './measured.ts';

const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DURATION = 0x4489;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const VIDEO = 0xe0;
const PIXEL_WIDTH = 0xb0;
const PIXEL_HEIGHT = 0xba;
const CLUSTER = 0x1f43b675;

const MOST_ELEMENTS = 10_000;

interface Element {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly isWhole: boolean;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

export async function measureMatroska(source: ByteSource): Promise<Measured> {
  const segment = await find(source, { start: 0, end: source.size }, SEGMENT);
  if (segment === null) return faulty('its segment is missing, it was cut short');
  if (!segment.isWhole) return faulty('it is shorter than its segment says');
  let duration: number | undefined;
  let size: { readonly width: number; readonly height: number } | null = null;
  for await (const element of elementsIn(source, segment)) {
    if (!element.isWhole) return faulty('it is shorter than its elements say');
    if (element.id === INFO) duration = await durationOf(source, element);
    if (element.id === TRACKS) size = await pictureSize(source, element);
    if (element.id === CLUSTER && size !== null) break;
  }
  return size === null ? lasting(duration) : sized(size.width, size.height, duration);
}

async function durationOf(source: ByteSource, info: Range): Promise<number | undefined> {
  let scale = 1_000_000;
  let ticks: number | undefined;
  for await (const element of elementsIn(source, info)) {
    if (element.id === TIMESTAMP_SCALE) scale = await unsigned(source, element);
    if (element.id === DURATION) ticks = await float(source, element);
  }
  return ticks === undefined ? undefined : (ticks * scale) / 1e9;
}

async function pictureSize(source: ByteSource, tracks: Range): Promise<{ readonly width: number; readonly height: number } | null> {
  for await (const track of elementsIn(source, tracks)) {
    const video = track.id === TRACK_ENTRY ? await find(source, track, VIDEO) : null;
    if (video === null) continue;
    let width = 0;
    let height = 0;
    for await (const element of elementsIn(source, video)) {
      if (element.id === PIXEL_WIDTH) width = await unsigned(source, element);
      if (element.id === PIXEL_HEIGHT) height = await unsigned(source, element);
    }
    return { width, height };
  }
  return null;
}

async function find(source: ByteSource, range: Range, id: number): Promise<Element | null> {
  for await (const element of elementsIn(source, range)) if (element.id === id) return element;
  return null;
}

export async function* elementsIn(source: ByteSource, { start, end }: Range): AsyncGenerator<Element> {
  let at = start;
  for (let count = 0; count < MOST_ELEMENTS && at < end; count += 1) {
    const head = await source.read(at, 12);
    const id = variableInteger(head, 0, false);
    const size = id && variableInteger(head, id.length, true);
    if (id === null || size === null || id.length > 4) return;
    const content = at + id.length + size.length;
    // An unknown size (all ones) is allowed for segments and clusters of a live stream: it lasts as long as its parent.
    const isUnknown = size.value === 2 ** (7 * size.length) - 1;
    const next = isUnknown ? end : content + size.value;
    yield { id: id.value, start: Math.min(content, end), end: Math.min(next, end), isWhole: next <= end };
    at = next;
  }
}

/** EBML's numbers of 1 to 8 bytes; the id keeps its length marker, a size does not. */
function variableInteger(bytes: Uint8Array, at: number, dropMarker: boolean): { readonly value: number; readonly length: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return null;
  let value = dropMarker ? first & (0xff >> length) : first;
  for (let n = 1; n < length; n += 1) value = value * 256 + (bytes[at + n] ?? 0);
  return { value, length };
}

async function unsigned(source: ByteSource, { start, end }: Range): Promise<number> {
  const bytes = await source.read(start, Math.min(8, end - start));
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

async function float(source: ByteSource, { start, end }: Range): Promise<number | undefined> {
  const view = viewOf(await source.read(start, Math.min(8, end - start)));
  if (view.byteLength === 4) return view.getFloat32(0);
  return view.byteLength === 8 ? view.getFloat64(0) : undefined;
}
