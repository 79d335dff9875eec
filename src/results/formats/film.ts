/** MP4 and QuickTime: the first picture track and the first sound track, wholeness of the outermost boxes (ISO/IEC 14496-12). */
import type { ByteSource } from '../bytes.ts';
import { boxesIn, contentOf, findBox } from './boxes.ts';
import type { Box } from './boxes.ts';
import { fragmentsOf } from './fragments.ts';
import { faulty, lasting, perSecond, sized, withFacts } from './measured.ts';
import type { Measured } from './measured.ts';
import { readTrack } from './film-track.ts';
import type { Track } from './film-track.ts';

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
  const { picture, sound, seconds } = await readFilm(source, film);
  const found = {
    frames: picture?.frames,
    fps: picture === undefined ? undefined : perSecond(picture.frames ?? 0, picture.seconds ?? 0),
    channels: sound?.channels,
    sampleRate: sound?.sampleRate,
    depth: picture === undefined ? sound?.depth : picture.depth,
    alpha: picture?.alpha,
    codec: picture === undefined ? sound?.codec : picture.codec,
    audioCodec: picture === undefined ? undefined : sound?.codec,
  };
  if (picture !== undefined) return { ...sized(picture.width ?? 0, picture.height ?? 0, seconds), ...withFacts(found) };
  return { ...lasting(seconds), ...withFacts(found), ...(sound === undefined ? {} : { kind: 'audio' }) };
}

/** Sound alone goes by another name than a film. */
export async function measureMp4(source: ByteSource): Promise<Measured> {
  const measured = await measureFilm(source);
  return measured.kind === 'audio' ? { ...measured, mediaType: 'audio/mp4' } : measured;
}

export interface Film {
  readonly picture?: Track;
  readonly sound?: Track;
  readonly seconds?: number;
}

/** `film` is the box `moov`; fragments that follow it are counted in. */
export async function readFilm(source: ByteSource, film: Box): Promise<Film> {
  const tracks: Track[] = [];
  let isFragmented = false;
  for await (const box of boxesIn(source, film.start, film.end)) {
    if (box.type === 'trak' && tracks.length < MOST_TRACKS) tracks.push(await readTrack(source, box));
    if (box.type === 'mvex') isFragmented = true;
  }
  const header = await durationOf(source, film);
  const fragments = isFragmented ? await fragmentsOf(source, film) : undefined;
  const whole = tracks.map((track): Track => {
    const more = fragments?.get(track.id);
    if (more === undefined) return track;
    return { ...track, frames: (track.frames ?? 0) + more.samples, seconds: (track.seconds ?? 0) + more.units / track.timescale };
  });
  // Films without a handler, from the hands of a program that forgot it: the first track with a size is the picture.
  const picture =
    whole.find(({ handler, width }) => handler === 'vide' && (width ?? 0) > 0) ??
    whole.find(({ handler, width }) => handler !== 'soun' && (width ?? 0) > 0);
  const sound = whole.find(({ handler }) => handler === 'soun');
  const longest = Math.max(0, ...whole.map((track) => track.seconds ?? 0));
  const seconds = isFragmented ? Math.max(header ?? 0, longest) : (header ?? longest);
  return { ...(picture === undefined ? {} : { picture }), ...(sound === undefined ? {} : { sound }), ...lastingSeconds(seconds) };
}

function lastingSeconds(seconds: number): { readonly seconds?: number } {
  return Number.isFinite(seconds) && seconds > 0 ? { seconds } : {};
}

async function durationOf(source: ByteSource, film: Box): Promise<number | undefined> {
  const header = await findBox(source, film, 'mvhd');
  if (header === null) return undefined;
  const view = await contentOf(source, header, 32);
  if (view.byteLength < 20) return undefined;
  if (view.getUint8(0) === 0) return known(view.getUint32(16), 0xff_ff_ff_ff) / view.getUint32(12);
  return view.byteLength < 32 ? undefined : known(Number(view.getBigUint64(24)), 2 ** 63) / view.getUint32(20);
}

/** All ones mean that it is not known. */
function known(units: number, limit: number): number {
  return units < limit ? units : Number.NaN;
}

function printable(type: string): string {
  return type.replaceAll(/[^ -~]/g, '?');
}
