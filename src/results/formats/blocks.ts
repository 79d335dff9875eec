/** Counts the blocks of one track of a WebM or Matroska file: its frames, and when the last one begins. */
import { viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { elementAt, unsignedOf, variableInteger } from './ebml.ts';
import type { Range } from './ebml.ts';

const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
/** Elements that are looked at; a film of an hour has some 400,000 blocks, and is measured by its duration then. */
const MOST_ELEMENTS = 20_000;

export interface Counted {
  readonly count: number;
  /** When the last one begins, in units of the segment. */
  readonly last: number;
  /** False when the file has more than were looked at. */
  readonly isAll: boolean;
}

/** Steps into clusters and groups instead of over them, so that those of unknown length need no care. */
export async function countBlocks(source: ByteSource, segment: Range, track: number): Promise<Counted> {
  let count = 0;
  let last = 0;
  let base = 0;
  let at = segment.start;
  for (let looked = 0; at < segment.end; looked += 1) {
    if (looked >= MOST_ELEMENTS) return { count, last, isAll: false };
    const element = await elementAt(source, at, segment.end);
    if (element === null) break;
    const { id, start } = element;
    if (id === CLUSTER || id === BLOCK_GROUP) {
      at = start;
      continue;
    }
    if (id === TIMESTAMP) base = await unsignedOf(source, element);
    if (id === SIMPLE_BLOCK || id === BLOCK) {
      const head = await source.read(start, 12);
      const number = variableInteger(head, 0, true);
      if (number?.value === track && number.length + 2 <= head.length) {
        count += 1;
        last = Math.max(last, base + viewOf(head).getInt16(number.length));
      }
    }
    at = element.end;
  }
  return { count, last, isAll: true };
}
