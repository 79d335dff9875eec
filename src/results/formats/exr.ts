/** OpenEXR: size, channels and depth from the header, wholeness from the table of its lines (https://openexr.com/en/latest/OpenEXRFileLayout.html). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_ATTRIBUTES = 1000;
const LONGEST_NAME = 256;
/** Flags above the version: tiles, long names, deep data, several parts. */
const TILED = 0x200;
const SEVERAL_PARTS = 0x1000;
const DEEP = 0x800;
/** Lines in a block, by compression. */
const LINES: readonly number[] = [1, 1, 1, 16, 32, 16, 32, 32, 32, 256];

export interface ExrAttribute {
  readonly name: string;
  readonly type: string;
  /** Where the value begins. */
  readonly at: number;
  readonly length: number;
}

/** Up to the end of the first header; the last thing told is where that is. */
export async function* exrAttributes(source: ByteSource): AsyncGenerator<ExrAttribute, number | undefined> {
  let at = 8;
  for (let count = 0; count < MOST_ATTRIBUTES; count += 1) {
    const head = await source.read(at, 2 * LONGEST_NAME + 6);
    if (head[0] === 0) return at + 1;
    const name = stringAt(head, 0);
    const type = name === undefined ? undefined : stringAt(head, name.length + 1);
    if (name === undefined || type === undefined || name === '') return undefined;
    const size = name.length + type.length + 2;
    if (size + 4 > head.length) return undefined;
    const length = viewOf(head).getUint32(size, true);
    const start = at + size + 4;
    if (length > source.size - start) return undefined;
    yield { name, type, at: start, length };
    at = start + length;
  }
  return undefined;
}

function stringAt(bytes: Uint8Array, at: number): string | undefined {
  const end = bytes.indexOf(0, at);
  return end < 0 || end - at > LONGEST_NAME ? undefined : textAt(bytes, at, end - at);
}

export async function measureExr(source: ByteSource): Promise<Measured> {
  const flags = viewOf(await source.read(4, 4));
  if (flags.byteLength < 4) return faulty('its header is cut short');
  let channels: readonly Channel[] = [];
  let shown: Box | undefined;
  let stored: Box | undefined;
  let compression = 0;
  const attributes = exrAttributes(source);
  let next = await attributes.next();
  for (; next.done !== true; next = await attributes.next()) {
    const { name, at, length } = next.value;
    const view = viewOf(await source.read(at, Math.min(length, 65_536)));
    if (name === 'channels') channels = channelsIn(view);
    if (name === 'displayWindow') shown = boxOf(view);
    if (name === 'dataWindow') stored = boxOf(view);
    if (name === 'compression' && view.byteLength > 0) compression = view.getUint8(0);
  }
  const end = next.value;
  const size = shown ?? stored;
  if (end === undefined || size === undefined || stored === undefined || channels.length === 0)
    return faulty('its header is damaged or cut short');
  const isPlain = (flags.getUint32(0, true) & (TILED | SEVERAL_PARTS | DEEP)) === 0;
  const fault = isPlain ? await lineFault(source, end, Math.ceil(stored.height / (LINES[compression] ?? 1))) : undefined;
  if (fault !== undefined) return faulty(fault);
  const depth = Math.max(...channels.map(({ bits }) => bits));
  const alpha = channels.some(({ name }) => name === 'A' || name.endsWith('.A'));
  return { ...sized(size.width, size.height), ...withFacts({ channels: channels.length, depth, alpha }) };
}

/** One place for each block of lines; a writer that was stopped leaves zeros, a file that was cut places beyond its end. */
async function lineFault(source: ByteSource, table: number, blocks: number): Promise<string | undefined> {
  let last = 0;
  for (let block = 0; block < blocks; block += 1024) {
    const part = Math.min(1024, blocks - block);
    const view = viewOf(await source.read(table + 8 * block, 8 * part));
    if (view.byteLength < 8 * part) return 'its table of lines is cut short';
    for (let at = 0; at < view.byteLength; at += 8) {
      const place = Number(view.getBigUint64(at, true));
      if (place === 0) return 'some of its lines are missing';
      last = Math.max(last, place);
    }
  }
  const head = viewOf(await source.read(last, 8));
  return head.byteLength < 8 || last + 8 + head.getUint32(4, true) > source.size ? 'its lines are cut short' : undefined;
}

interface Box {
  readonly width: number;
  readonly height: number;
}

function boxOf(view: DataView): Box | undefined {
  if (view.byteLength < 16) return undefined;
  const [left, top, right, bottom] = [0, 4, 8, 12].map((at) => view.getInt32(at, true)) as [number, number, number, number];
  return { width: right - left + 1, height: bottom - top + 1 };
}

interface Channel {
  readonly name: string;
  readonly bits: number;
}

/** Name, type, then what does not matter here, until an empty name. */
function channelsIn(view: DataView): readonly Channel[] {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const channels: Channel[] = [];
  for (let at = 0; at < bytes.length && bytes[at] !== 0 && channels.length < 1024;) {
    const name = stringAt(bytes, at);
    if (name === undefined || at + name.length + 17 > bytes.length) break;
    // 1 is half, the others have 32 bits.
    channels.push({ name, bits: view.getUint32(at + name.length + 1, true) === 1 ? 16 : 32 });
    at += name.length + 17;
  }
  return channels;
}
