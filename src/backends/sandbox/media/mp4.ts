/** Writes MP4: AV1 pictures, FLAC sound beside them, and tags as ffmpeg writes them (ISO/IEC 14496-12, AV1 in ISOBMFF, FLAC in ISOBMFF). */
import { type Sound, flacFrames } from './flac.ts';
import type { CodedFilm } from './picture-codecs.ts';
import type { Tag } from './tags.ts';

interface Track {
  readonly id: number;
  readonly handler: 'vide' | 'soun';
  readonly timescale: number;
  readonly samples: readonly Buffer[];
  /** Of each sample, in units of the timescale. */
  readonly durations: readonly number[];
  readonly entry: Buffer;
  readonly header: Buffer;
  readonly size: readonly [number, number];
}

export function writeMp4(film: CodedFilm, fps: number, sound: Sound | undefined, tags: readonly Tag[]): Buffer {
  const tracks = [pictureTrack(film, fps), ...(sound === undefined ? [] : [soundTrack(sound)])];
  const start = box('ftyp', text('isom'), u32(512), text('isomiso6av01mp41'));
  const data = tracks.map(({ samples }) => Buffer.concat(samples));
  let place = start.length + 8;
  const places = data.map((part) => {
    const here = place;
    place += part.length;
    return here;
  });
  const seconds = Math.max(...tracks.map(secondsOf));
  const movie = box(
    'moov',
    full(
      'mvhd',
      0,
      u32(0),
      u32(0),
      u32(1000),
      u32(Math.round(seconds * 1000)),
      u32(0x10000),
      u16(0x100),
      zeros(10),
      MATRIX,
      zeros(24),
      u32(tracks.length + 1),
    ),
    ...tracks.map((track, index) => trackBox(track, places[index] ?? 0)),
    box('udta', metadata(tags)),
  );
  return Buffer.concat([start, box('mdat', ...data), movie]);
}

/** 16.16 fixed point, and 2.30 in the corner: no change at all. */
const MATRIX = Buffer.concat([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(u32));

function secondsOf({ durations, timescale }: Track): number {
  return durations.reduce((sum, duration) => sum + duration, 0) / timescale;
}

function pictureTrack({ frames, width, height, config = Buffer.alloc(0) }: CodedFilm, fps: number): Track {
  const entry = box(
    'av01',
    zeros(6),
    u16(1),
    zeros(16),
    u16(width),
    u16(height),
    u32(0x480000),
    u32(0x480000),
    zeros(4),
    u16(1),
    zeros(32),
    u16(24),
    u16(0xffff),
    box('av1C', config),
  );
  // Thousandths of a frame, so that 23.976 stays what it is.
  const timescale = Math.round(fps * 1000);
  return {
    id: 1,
    handler: 'vide',
    timescale,
    samples: frames,
    durations: frames.map(() => 1000),
    entry,
    header: full('vmhd', 1, zeros(8)),
    size: [width, height],
  };
}

function soundTrack(sound: Sound): Track {
  const { info, frames } = flacFrames(sound);
  const entry = box(
    'fLaC',
    zeros(6),
    u16(1),
    zeros(8),
    u16(sound.channels.length),
    u16(16),
    zeros(4),
    u16(sound.sampleRate),
    u16(0),
    full('dfLa', 0, info),
  );
  return {
    id: 2,
    handler: 'soun',
    timescale: sound.sampleRate,
    samples: frames.map(({ bytes }) => bytes),
    durations: frames.map(({ samples }) => samples),
    entry,
    header: full('smhd', 0, zeros(4)),
    size: [0, 0],
  };
}

function trackBox(track: Track, place: number): Buffer {
  const { id, handler, timescale, durations, samples, entry, header, size } = track;
  const total = durations.reduce((sum, duration) => sum + duration, 0);
  const seconds = Math.round(secondsOf(track) * 1000);
  const volume = handler === 'soun' ? 0x100 : 0;
  const table = box(
    'stbl',
    full('stsd', 0, u32(1), entry),
    full('stts', 0, ...runs(durations)),
    // All samples of a track lie in one chunk.
    full('stsc', 0, u32(1), u32(1), u32(samples.length), u32(1)),
    full('stsz', 0, u32(0), u32(samples.length), ...samples.map(({ length }) => u32(length))),
    full('stco', 0, u32(1), u32(place)),
  );
  const media = box(
    'mdia',
    full('mdhd', 0, u32(0), u32(0), u32(timescale), u32(total), u16(0x55c4), u16(0)),
    full('hdlr', 0, u32(0), text(handler), zeros(12), text('callsheet sandbox\0')),
    box('minf', header, box('dinf', full('dref', 0, u32(1), full('url ', 1))), table),
  );
  const head = full(
    'tkhd',
    3,
    u32(0),
    u32(0),
    u32(id),
    u32(0),
    u32(seconds),
    zeros(8),
    u16(0),
    u16(0),
    u16(volume),
    u16(0),
    MATRIX,
    u32(size[0] * 65_536),
    u32(size[1] * 65_536),
  );
  return box('trak', head, media);
}

/** Equal durations that follow each other are told once. */
function runs(durations: readonly number[]): readonly Buffer[] {
  const entries: [number, number][] = [];
  for (const duration of durations) {
    const last = entries.at(-1);
    if (last?.[1] === duration) last[0] += 1;
    else entries.push([1, duration]);
  }
  return [u32(entries.length), ...entries.flatMap(([count, duration]) => [u32(count), u32(duration)])];
}

function metadata(tags: readonly Tag[]): Buffer {
  const keys = tags.map(({ key }) => box('mdta', text(key)));
  const values = tags.map(({ text: value }, index) => {
    const data = box('data', u32(1), u32(0), text(value));
    return Buffer.concat([u32(data.length + 8), u32(index + 1), data]);
  });
  return full(
    'meta',
    0,
    full('hdlr', 0, u32(0), text('mdta'), zeros(13)),
    full('keys', 0, u32(keys.length), ...keys),
    box('ilst', ...values),
  );
}

function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(length), Buffer.from(type, 'latin1'), ...parts]);
}

/** With version 0 and flags. */
function full(type: string, flags: number, ...parts: readonly Uint8Array[]): Buffer {
  return box(type, u32(flags), ...parts);
}

function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}

function u16(value: number): Buffer {
  const out = Buffer.alloc(2);
  out.writeUInt16BE(value);
  return out;
}

function zeros(length: number): Buffer {
  return Buffer.alloc(length);
}

function text(value: string): Buffer {
  return Buffer.from(value);
}
