/** Pictures with short headers: TIFF, BMP, Radiance HDR and SVG. */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_ENTRIES = 4096;
const MOST_STRIPS = 100_000;
const [WIDTH, HEIGHT, BITS, STRIP_PLACES, SAMPLES, STRIP_LENGTHS, TILE_PLACES, TILE_LENGTHS, EXTRA] = [
  256, 257, 258, 273, 277, 279, 324, 325, 338,
];
/** Bytes of a value, by type (TIFF 6.0, section 2). */
const TYPE_BYTES: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 16: 8 };

/** The first picture of the file; strips or tiles must end inside it. */
export async function measureTiff(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 8);
  if (head.length < 8) return faulty('its header is cut short');
  const little = textAt(head, 0, 2) === 'II';
  const folder = viewOf(head).getUint32(4, little);
  const count = viewOf(await source.read(folder, 2));
  if (count.byteLength < 2) return faulty('its directory is missing, it was cut short');
  const entries = Math.min(count.getUint16(0, little), MOST_ENTRIES);
  const view = viewOf(await source.read(folder + 2, entries * 12));
  if (view.byteLength < entries * 12) return faulty('its directory is cut short');
  const places = new Map<number, number>();
  for (let at = 0; at < view.byteLength; at += 12) places.set(view.getUint16(at, little), at);
  const values = (tag: number | undefined) => valuesOf(source, view, places.get(tag ?? 0), little);
  const [[width = 0], [height = 0], bits, [samples = 1], extra] = [
    await values(WIDTH),
    await values(HEIGHT),
    await values(BITS),
    await values(SAMPLES),
    await values(EXTRA),
  ];
  for (const [starts, lengths] of [
    [await values(STRIP_PLACES), await values(STRIP_LENGTHS)],
    [await values(TILE_PLACES), await values(TILE_LENGTHS)],
  ] as const) {
    if (starts.some((start, index) => start + (lengths[index] ?? 0) > source.size)) return faulty('its picture is cut short');
  }
  // 1 and 2 are alpha, 0 is anything else (TIFF 6.0, section 18).
  const alpha = extra.some((kind) => kind === 1 || kind === 2);
  return { ...sized(width, height), ...withFacts({ channels: samples, depth: bits[0] ?? 1, alpha }) };
}

async function valuesOf(source: ByteSource, view: DataView, at: number | undefined, little: boolean): Promise<readonly number[]> {
  if (at === undefined) return [];
  const size = TYPE_BYTES[view.getUint16(at + 2, little)] ?? 0;
  const count = Math.min(view.getUint32(at + 4, little), MOST_STRIPS);
  if (size === 0) return [];
  const place = view.getUint32(at + 8, little);
  // Up to four bytes stand in the entry itself.
  const found = size * count <= 4 ? new DataView(view.buffer, view.byteOffset + at + 8, 4) : viewOf(await source.read(place, size * count));
  const values: number[] = [];
  for (let n = 0; n < count && (n + 1) * size <= found.byteLength; n += 1) {
    if (size === 1) values.push(found.getUint8(n));
    else if (size === 2) values.push(found.getUint16(2 * n, little));
    else values.push(size === 4 ? found.getUint32(4 * n, little) : Number(found.getBigUint64(8 * n, little)));
  }
  return values;
}

/** The height is negative where lines go down. */
export async function measureBmp(source: ByteSource): Promise<Measured> {
  const view = viewOf(await source.read(0, 30));
  if (view.byteLength < 30) return faulty('its header is cut short');
  // Some writers leave the length out.
  if (view.getUint32(2, true) > source.size) return faulty('it is shorter than its header says');
  const bits = view.getUint16(28, true);
  return {
    ...sized(Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true))),
    ...withFacts({ depth: 8, channels: bits === 32 ? 4 : 3 }),
  };
}

/** Lines of text, an empty one, then the size: `-Y 480 +X 640` (https://radsite.lbl.gov/radiance/refer/filefmts.pdf). */
export async function measureHdr(source: ByteSource): Promise<Measured> {
  const bytes = await source.read(0, 8192);
  const text = textAt(bytes, 0, bytes.length);
  const end = text.indexOf('\n\n');
  const size = end < 0 ? null : /^[-+]([XY]) (\d{1,9}) [-+][XY] (\d{1,9})\n/.exec(text.slice(end + 2, end + 66));
  if (size === null) return faulty('its header is cut short');
  const [first, second] = [Number(size[2]), Number(size[3])];
  return { ...(size[1] === 'Y' ? sized(second, first) : sized(first, second)), ...withFacts({ channels: 3 }) };
}

const LONGEST_TAG = 64 * 1024;
const PIXELS = /^\s*(\d{1,7}(?:\.\d{1,9})?)(?:px)?\s*$/;

/** Width and height where they are pixels, else those of the view box; a drawing that has neither has no size. */
export async function measureSvg(source: ByteSource): Promise<Measured> {
  const bytes = await source.read(0, LONGEST_TAG);
  const text = Buffer.from(bytes).toString('utf8');
  const start = text.search(/<svg[\s>]/i);
  const end = start < 0 ? -1 : text.indexOf('>', start);
  const tail = Buffer.from(await source.read(Math.max(0, source.size - 4096), 4096)).toString('latin1');
  const isEmpty = end > 0 && text[end - 1] === '/';
  if (end < 0 || (!isEmpty && !/<\/(?:\w{1,20}:)?svg\s*>/i.test(tail))) return faulty('its end is missing, it was cut short');
  const tag = text.slice(start, end);
  const attribute = (name: string): string => new RegExp(`\\s${name}\\s{0,9}=\\s{0,9}["']([^"']{0,200})["']`, 'i').exec(tag)?.[1] ?? '';
  const [, , boxWidth, boxHeight] = attribute('viewBox')
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  const width = Math.round(Number(PIXELS.exec(attribute('width'))?.[1] ?? boxWidth));
  const height = Math.round(Number(PIXELS.exec(attribute('height'))?.[1] ?? boxHeight));
  return width > 0 && height > 0 ? sized(width, height) : {};
}
