/** MP4 and QuickTime: size of the first picture track, duration of the film, wholeness of the outermost boxes. */
import { textAt } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { boxesIn, contentOf, findBox } from './boxes.ts';
import type { Box } from './boxes.ts';
import { faulty, lasting, sized } from './measured.ts';
import type { Measured } from './measured.ts';

const MOST_TRACKS = 64;

export async function measureFilm(source: ByteSource): Promise<Measured> {
  let film: Box | null = null;
  let hasData = false;
  for await (const box of boxesIn(source, 0, source.size)) {
    if (!box.isWhole) return faulty(`its box '${printable(box.type)}' goes on after the end, it was cut short`);
    if (box.type === 'moov') film ??= box;
    if (box.type === 'mdat') hasData = true;
  }
  if (!hasData) return faulty('it has no pictures or sound in it, it was cut short');
  if (film === null) return faulty('it has no film header, it was cut short');
  const duration = await durationOf(source, film);
  const size = await pictureSize(source, film);
  return size === null ? lasting(duration) : sized(size.width, size.height, duration);
}

async function durationOf(source: ByteSource, film: Box): Promise<number | undefined> {
  const header = await findBox(source, film, 'mvhd');
  if (header === null) return undefined;
  const view = await contentOf(source, header, 32);
  if (view.byteLength < 20) return undefined;
  if (view.getUint8(0) === 0) return view.getUint32(16) / view.getUint32(12);
  return view.byteLength < 32 ? undefined : Number(view.getBigUint64(24)) / view.getUint32(20);
}

/** Sound tracks say 0 × 0; the first track that does not is the picture. */
async function pictureSize(source: ByteSource, film: Box): Promise<{ readonly width: number; readonly height: number } | null> {
  let tracks = 0;
  for await (const track of boxesIn(source, film.start, film.end)) {
    if (track.type !== 'trak') continue;
    tracks += 1;
    if (tracks > MOST_TRACKS) return null;
    const header = await findBox(source, track, 'tkhd');
    if (header === null) continue;
    const view = await contentOf(source, header, 96);
    if (view.byteLength < 84) continue;
    // Both are 16.16 fixed point, after the matrix.
    const at = view.getUint8(0) === 0 ? 76 : 88;
    if (view.byteLength < at + 8) continue;
    const width = Math.round(view.getUint32(at) / 65_536);
    const height = Math.round(view.getUint32(at + 4) / 65_536);
    if (width > 0 && height > 0) return { width, height };
  }
  return null;
}

function printable(type: string): string {
  return textAt(Buffer.from(type, 'latin1'), 0, 4).replaceAll(/[^ -~]/g, '?');
}
