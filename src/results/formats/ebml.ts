/** Elements of EBML, the grammar of WebM and Matroska: walked with caps, never past their parent (RFC 8794). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';

export interface Element {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly isWhole: boolean;
  /** A live stream does not know how long its segment and clusters are: such a one lasts as long as its parent. */
  readonly isUnknown: boolean;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

const MOST_ELEMENTS = 10_000;

export async function* elementsIn(source: ByteSource, { start, end }: Range): AsyncGenerator<Element> {
  let at = start;
  for (let count = 0; count < MOST_ELEMENTS && at < end; count += 1) {
    const element = await elementAt(source, at, end);
    if (element === null) return;
    yield element;
    at = element.isWhole ? element.end : end;
  }
}

/** Null where no element begins. */
export async function elementAt(source: ByteSource, at: number, end: number): Promise<Element | null> {
  const head = await source.read(at, 12);
  const id = variableInteger(head, 0, false);
  const size = id && variableInteger(head, id.length, true);
  if (id === null || size === null || id.length > 4) return null;
  const content = at + id.length + size.length;
  // All ones.
  const isUnknown = size.value === 2 ** (7 * size.length) - 1;
  const next = isUnknown ? end : content + size.value;
  return { id: id.value, start: Math.min(content, end), end: Math.min(next, end), isWhole: next <= end, isUnknown };
}

export async function findElement(source: ByteSource, range: Range, id: number): Promise<Element | null> {
  for await (const element of elementsIn(source, range)) if (element.id === id) return element;
  return null;
}

/** EBML's numbers of 1 to 8 bytes; the id keeps its length marker, a size does not. */
export function variableInteger(
  bytes: Uint8Array,
  at: number,
  dropMarker: boolean,
): { readonly value: number; readonly length: number } | null {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return null;
  let value = dropMarker ? first & (0xff >> length) : first;
  for (let n = 1; n < length; n += 1) value = value * 256 + (bytes[at + n] ?? 0);
  return { value, length };
}

export async function unsignedOf(source: ByteSource, { start, end }: Range): Promise<number> {
  const bytes = await source.read(start, Math.min(8, end - start));
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

export async function floatOf(source: ByteSource, { start, end }: Range): Promise<number | undefined> {
  const view = viewOf(await source.read(start, Math.min(8, end - start)));
  if (view.byteLength === 4) return view.getFloat32(0);
  return view.byteLength === 8 ? view.getFloat64(0) : undefined;
}

export async function nameOf(source: ByteSource, { start, end }: Range): Promise<string> {
  const bytes = await source.read(start, Math.min(64, end - start));
  return textAt(bytes, 0, bytes.length).replace(/\0.*$/s, '');
}
