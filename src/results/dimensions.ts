/** Width, height, duration and wholeness of a file, read from its headers alone: nothing is decoded. */
import { bytesInMemory } from './bytes.ts';
import type { ByteSource } from './bytes.ts';
import { measureAvif } from './formats/avif.ts';
import { measureFilm } from './formats/film.ts';
import { measureGif } from './formats/gif.ts';
import { measureJpeg } from './formats/jpeg.ts';
import { measureMatroska } from './formats/matroska.ts';
import type { Measured } from './formats/measured.ts';
import { measurePng } from './formats/png.ts';
import { measureGlb, measureSafetensors } from './formats/shapes.ts';
import { measureFlac, measureWav } from './formats/sound.ts';
import { measureWebp } from './formats/webp.ts';

const PARSERS = new Map<string, (source: ByteSource) => Promise<Measured>>([
  ['image/png', measurePng],
  ['image/jpeg', measureJpeg],
  ['image/webp', measureWebp],
  ['image/gif', measureGif],
  ['image/avif', measureAvif],
  ['video/mp4', measureFilm],
  ['video/quicktime', measureFilm],
  ['audio/mp4', measureFilm],
  ['video/webm', measureMatroska],
  ['video/x-matroska', measureMatroska],
  ['audio/wav', measureWav],
  ['audio/flac', measureFlac],
  ['model/gltf-binary', measureGlb],
  ['application/x-safetensors', measureSafetensors],
]);

/** Never throws on any bytes; `fault` says why a file is not a whole one. Kinds without a parser are taken as they are. */
export async function measure(source: ByteSource, mediaType: string): Promise<Measured> {
  return (await PARSERS.get(mediaType)?.(source)) ?? {};
}

export async function measureBytes(bytes: Uint8Array, mediaType: string): Promise<Measured> {
  return measure(bytesInMemory(bytes), mediaType);
}
