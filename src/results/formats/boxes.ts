/** Boxes of ISO base media files (MP4, QuickTime, AVIF): walked with caps, never past their parent (ISO/IEC 14496-12 4.2). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';

export interface Box {
  readonly type: string;
  /** Where the content begins and ends. */
  readonly start: number;
  readonly end: number;
  /** False when the box claims to go on after its parent. */
  readonly isWhole: boolean;
}

/** Boxes in one parent; fragmented films have two per fragment. */
const MOST_BOXES = 20_000;

/** Stops at the first box whose size is impossible. */
export async function* boxesIn(source: ByteSource, from: number, to: number): AsyncGenerator<Box> {
  let at = from;
  for (let count = 0; count < MOST_BOXES && at + 8 <= to; count += 1) {
    const head = await source.read(at, 16);
    if (head.length < 8) return;
    const view = viewOf(head);
    let size = view.getUint32(0);
    let header = 8;
    if (size === 1) {
      if (head.length < 16) return;
      size = Number(view.getBigUint64(8));
      header = 16;
    } else if (size === 0) {
      // Up to the end of the file; a second such box cannot follow.
      size = to - at;
    }
    if (size < header) return;
    const end = Math.min(at + size, to);
    yield { type: textAt(head, 4, 4), start: Math.min(at + header, to), end, isWhole: at + size <= to };
    at += size;
  }
}

export async function findBox(source: ByteSource, parent: Pick<Box, 'start' | 'end'>, type: string): Promise<Box | null> {
  for await (const box of boxesIn(source, parent.start, parent.end)) if (box.type === type) return box;
  return null;
}

/** The first bytes of a box's content. */
export async function contentOf(source: ByteSource, box: Box, length: number): Promise<DataView> {
  return viewOf(await source.read(box.start, Math.min(length, box.end - box.start)));
}
