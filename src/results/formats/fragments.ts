/** Samples and times of a fragmented film, which has them beside each piece instead of in its header (ISO/IEC 14496-12 8.8). */
import { viewOf } from '../bytes.ts';
import type { ByteSource } from '../bytes.ts';
import { boxesIn, contentOf, findBox } from './boxes.ts';
import type { Box } from './boxes.ts';

export interface Fragments {
  readonly samples: number;
  /** In units of the track's timescale. */
  readonly units: number;
}

/** Sample by sample when they differ in length: so many are looked at. */
const MOST_SAMPLES = 1_000_000;
const HAS_OFFSET = 0x1;
const HAS_FIRST_FLAGS = 0x4;
const HAS_DURATION = 0x100;
/** Optional members of a sample, four bytes each: duration, size, flags, composition time. */
const SAMPLE_MEMBERS = [0x100, 0x200, 0x400, 0x800] as const;

/** By track id. */
export async function fragmentsOf(source: ByteSource, film: Box): Promise<ReadonlyMap<number, Fragments>> {
  const usual = await usualDurations(source, film);
  const found = new Map<number, Fragments>();
  let left = MOST_SAMPLES;
  for await (const piece of boxesIn(source, 0, source.size)) {
    if (piece.type !== 'moof') continue;
    for await (const track of boxesIn(source, piece.start, piece.end)) {
      if (track.type !== 'traf') continue;
      const { id, duration } = await headerOf(source, track, usual);
      for await (const run of boxesIn(source, track.start, track.end)) {
        if (run.type !== 'trun' || left <= 0) continue;
        const { samples, units } = await readRun(source, run, duration, left);
        left -= samples;
        const before = found.get(id) ?? { samples: 0, units: 0 };
        found.set(id, { samples: before.samples + samples, units: before.units + units });
      }
    }
  }
  return found;
}

async function usualDurations(source: ByteSource, film: Box): Promise<ReadonlyMap<number, number>> {
  const durations = new Map<number, number>();
  const extension = await findBox(source, film, 'mvex');
  if (extension === null) return durations;
  for await (const box of boxesIn(source, extension.start, extension.end)) {
    const view = box.type === 'trex' ? await contentOf(source, box, 24) : undefined;
    if (view !== undefined && view.byteLength >= 16) durations.set(view.getUint32(4), view.getUint32(12));
  }
  return durations;
}

async function headerOf(source: ByteSource, track: Box, usual: ReadonlyMap<number, number>) {
  const header = await findBox(source, track, 'tfhd');
  const view = header === null ? undefined : await contentOf(source, header, 32);
  if (view === undefined || view.byteLength < 8) return { id: 0, duration: 0 };
  const flags = view.getUint32(0) & 0xff_ff_ff;
  const id = view.getUint32(4);
  // Before the duration may stand a 64-bit offset and the number of a description.
  const at = 8 + ((flags & 1) === 0 ? 0 : 8) + ((flags & 2) === 0 ? 0 : 4);
  const own = (flags & 8) !== 0 && view.byteLength >= at + 4 ? view.getUint32(at) : undefined;
  return { id, duration: own ?? usual.get(id) ?? 0 };
}

async function readRun(source: ByteSource, run: Box, usual: number, most: number): Promise<Fragments> {
  const view = await contentOf(source, run, 8);
  if (view.byteLength < 8) return { samples: 0, units: 0 };
  const flags = view.getUint32(0) & 0xff_ff_ff;
  const claimed = view.getUint32(4);
  const size = 4 * SAMPLE_MEMBERS.filter((member) => (flags & member) !== 0).length;
  if ((flags & HAS_DURATION) === 0) return { samples: Math.min(claimed, most), units: Math.min(claimed, most) * usual };
  const start = run.start + 8 + ((flags & HAS_OFFSET) === 0 ? 0 : 4) + ((flags & HAS_FIRST_FLAGS) === 0 ? 0 : 4);
  const samples = Math.min(claimed, most, Math.floor(Math.max(0, run.end - start) / size));
  let units = 0;
  for (let sample = 0; sample < samples; sample += 1) {
    const bytes = await source.read(start + sample * size, 4);
    if (bytes.length < 4) return { samples: sample, units };
    units += viewOf(bytes).getUint32(0);
  }
  return { samples, units };
}
