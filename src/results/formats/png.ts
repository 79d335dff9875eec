/** PNG and APNG: size, depth and alpha from the header, frames and their times, wholeness from IEND (https://www.w3.org/TR/png-3/#5DataRep). */
import { textAt, viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { faulty, moving, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';

const SIGNATURE = 8;
/** Length, type and checksum around the data of a chunk. */
const FRAME = 12;
/** More chunks than any encoder writes for the largest picture we take. */
const MOST_CHUNKS = 50_000;
const END = '\0\0\0\0IEND\xae\x42\x60\x82';

/** Colours and alpha by colour type; a palette is of RGB. */
const CHANNELS: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [2, 3],
  [3, 3],
  [4, 2],
  [6, 4],
]);
const PALETTE = 3;

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
  const head = await source.read(0, 33);
  if (head.length < 33 || textAt(head, 12, 4) !== 'IHDR') return faulty('its header is missing');
  if (!(await hasEnd(source))) return faulty('its end is missing, it was cut short');
  const view = viewOf(head);
  const colours = CHANNELS.get(view.getUint8(25));
  const { isAnimated, hasTransparency, hasData, frames, seconds } = await walk(source);
  if (!hasData) return faulty('it has no picture in it');
  const motion = isAnimated ? moving(frames, seconds) : { found: {} };
  const found = {
    ...motion.found,
    channels: colours,
    // A palette has eight bits a colour, however few its indices have.
    depth: view.getUint8(25) === PALETTE ? 8 : view.getUint8(24),
    alpha: colours === 2 || colours === 4 || hasTransparency,
  };
  const size = sized(view.getUint32(16), view.getUint32(20), isAnimated && frames > 1 ? seconds : undefined);
  return { ...size, ...withFacts(found), ...('kind' in motion ? { kind: motion.kind } : {}) };
}

interface Walked {
  readonly isAnimated: boolean;
  readonly hasTransparency: boolean;
  readonly hasData: boolean;
  readonly frames: number;
  readonly seconds: number;
}

/** A still picture tells all before its data; an animation has its frames' times between them. */
async function walk(source: ByteSource): Promise<Walked> {
  let isAnimated = false;
  let hasTransparency = false;
  let hasData = false;
  let frames = 0;
  let seconds = 0;
  for await (const chunk of pngChunks(source)) {
    if (chunk.type === 'acTL') isAnimated = true;
    if (chunk.type === 'tRNS') hasTransparency = true;
    if (chunk.type === 'IDAT') {
      hasData = true;
      if (!isAnimated) break;
    }
    if (chunk.type === 'fcTL') {
      const control = viewOf(await source.read(chunk.at, 26));
      if (control.byteLength < 26) break;
      frames += 1;
      // A denominator of 0 means hundredths (APNG, fcTL).
      seconds += control.getUint16(20) / (control.getUint16(22) || 100);
    }
  }
  return { isAnimated, hasTransparency, hasData, frames, seconds };
}

async function hasEnd(source: ByteSource): Promise<boolean> {
  const tail = await source.read(source.size - FRAME, FRAME);
  if (textAt(tail, 0, FRAME) === END) return true;
  // Some programs append data of their own after the end.
  for await (const { type } of pngChunks(source)) if (type === 'IEND') return true;
  return false;
}
