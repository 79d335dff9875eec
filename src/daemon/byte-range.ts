/** One range of a file, as films that are wound back and forth ask for it (RFC 9110, section 14). */

export interface ByteRange {
  /** Both included. */
  readonly start: number;
  readonly end: number;
}

/** Undefined: the whole file, also for several ranges at once, which nobody has to give. `none`: no byte of it lies in the file. */
export function readRange(header: string | undefined, size: number): ByteRange | 'none' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  // The last so many bytes.
  if (first === '') return Number(last) === 0 || size === 0 ? 'none' : { start: Math.max(0, size - Number(last)), end: size - 1 };
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= size ? 'none' : { start, end };
}
