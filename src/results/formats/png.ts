/** PNG: size from IHDR, wholeness from IEND (https://www.w3.org/TR/png-3/#5DataRep). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, sized } from './measured.ts';
import type { Measured } from './measured.ts';

const SIGNATURE = 8;
/** Length, type and checksum around the data of a chunk. */
const FRAME = 12;
/** More chunks than any encoder writes for the largest picture we take. */
const MOST_CHUNKS = 200_000;
const END = '\0\0\0\0IEND\xae\x42\x60\x82';

export interface PngChunk {
  readonly type: string;
  /** Where the data begins. */
  readonly at: number;
  readonly length: number;
}

/** Stops in silence where the file no longer is a row of chunks. */
export async function* pngChunks(source: ByteSource): AsyncGenerator<PngChunk> {
  let at = SIGNATURE;
  for (let count = 0; count < MOST_CHUNKS && at + FRAME <= source.size; count += 1) {
    const head = await source.read(at, 8);
    if (head.length < 8) return;
    const length = viewOf(head).getUint32(0);
    if (length > source.size - at - FRAME) return;
    yield { type: textAt(head, 4, 4), at: at + 8, length };
    at += FRAME + length;
  }
}

export async function measurePng(source: ByteSource): Promise<Measured> {
  const head = await source.read(0, 24);
  if (head.length < 24 || textAt(head, 12, 4) !== 'IHDR') return faulty('its header is missing');
  if (!(await hasEnd(source))) return faulty('its end is missing, it was cut short');
  const view = viewOf(head);
  return sized(view.getUint32(16), view.getUint32(20));
}

async function hasEnd(source: ByteSource): Promise<boolean> {
  const tail = await source.read(source.size - FRAME, FRAME);
  if (textAt(tail, 0, FRAME) === END) return true;
  // Some programs append data of their own after the end.
  for await (const { type } of pngChunks(source)) if (type === 'IEND') return true;
  return false;
}
