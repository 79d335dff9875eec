/** From offsets to places a person can find: line and column of a text, and JSON Pointers (RFC 6901). */
import type { JsonNode } from './types.ts';

export interface Position {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
}

export interface LineIndex {
  readonly positionOf: (offset: number) => Position;
}

const LF = 10;
const CR = 13;

/** Offsets at which lines begin. `\n`, `\r\n` and a lone `\r` each end a line, as editors count them. */
function lineStarts(text: string): number[] {
  const starts = [0];
  let lf = text.indexOf('\n');
  let cr = text.indexOf('\r');
  while (lf >= 0 || cr >= 0) {
    if (cr < 0 || (lf >= 0 && lf < cr)) {
      starts.push(lf + 1);
      lf = text.indexOf('\n', lf + 1);
    } else {
      if (text.charCodeAt(cr + 1) !== LF) starts.push(cr + 1);
      cr = text.indexOf('\r', cr + 1);
    }
  }
  return starts;
}

/** For many look-ups in one text. The lines are counted at the first look-up, so an index that is never asked costs nothing. */
export function createLineIndex(text: string): LineIndex {
  let starts: number[] | undefined;
  const shift = bomShift(text);
  return {
    positionOf(offset) {
      starts ??= lineStarts(text);
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] ?? 0) <= offset) low = middle;
        else high = middle - 1;
      }
      const column = offset - (starts[low] ?? 0) + 1;
      return { line: low + 1, column: low === 0 ? Math.max(1, column - shift) : column };
    },
  };
}

/** Place of one offset. For more than a few in the same text use `createLineIndex`. */
export function positionOf(text: string, offset: number): Position {
  let line = 1;
  let start = 0;
  const end = Math.min(offset, text.length);
  for (let i = 0; i < end; i++) {
    const c = text.charCodeAt(i);
    if (c === LF || (c === CR && text.charCodeAt(i + 1) !== LF)) {
      line++;
      start = i + 1;
    }
  }
  const column = offset - start + 1;
  return { line, column: line === 1 ? Math.max(1, column - bomShift(text)) : column };
}

/** Editors do not show a byte order mark, so it does not count as a column. */
function bomShift(text: string): number {
  return text.charCodeAt(0) === 0xfe_ff ? 1 : 0;
}

/** A JSON Pointer from its parts; `[]` is the whole document. */
export function pointerOf(parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Pointer to the innermost value (or member) that holds `offset`. */
export function pointerTo(root: JsonNode, offset: number): string {
  const parts: (string | number)[] = [];
  let node: JsonNode | undefined = root;
  while (node !== undefined) {
    const step = stepTo(node, offset);
    if (step === undefined) break;
    parts.push(step.part);
    node = step.next;
  }
  return pointerOf(parts);
}

function stepTo(node: JsonNode, offset: number): { part: string | number; next: JsonNode | undefined } | undefined {
  if (node.kind === 'object') {
    const at = findSpan(
      node.members,
      offset,
      (entry) => entry.key.start,
      (entry) => entry.value.end,
    );
    const hit = node.members[at];
    if (hit === undefined) return undefined;
    return { part: hit.key.value, next: offset >= hit.value.start ? hit.value : undefined };
  }
  if (node.kind !== 'array') return undefined;
  const at = findSpan(
    node.items,
    offset,
    (item) => item.start,
    (item) => item.end,
  );
  return at < 0 ? undefined : { part: at, next: node.items[at] };
}

/** Binary search: index of the entry whose span holds `offset`, or -1. Entries of a JSON text are in order. */
function findSpan<T>(entries: readonly T[], offset: number, startOf: (entry: T) => number, endOf: (entry: T) => number): number {
  let low = 0;
  let high = entries.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    if (entry === undefined) return -1;
    if (offset < startOf(entry)) high = middle - 1;
    else if (offset >= endOf(entry)) low = middle + 1;
    else return middle;
  }
  return -1;
}
