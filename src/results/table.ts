/** What is measured and what is read in each kind of file: one row for each row of the table of formats, which the compiler asks for. */
import type { FileMediaType } from '#protocol/file-formats.ts';
import type { ByteSource } from './bytes.ts';
import { readFilm, readMatroska } from './embedded/films.ts';
import { readGlb, readJson, readSafetensors, readSvg } from './embedded/models.ts';
import { readAvif, readJpeg, readRiff } from './embedded/pictures.ts';
import { readPng } from './embedded/png.ts';
import { readFlac, readMp3, readOgg } from './embedded/sounds.ts';
import { readExr, readGif, readTiff } from './embedded/stills.ts';
import type { TextPile } from './embedded/texts.ts';
import { measureAiff } from './formats/aiff.ts';
import { measureUsd, measureZip } from './formats/archives.ts';
import { measureAvif } from './formats/avif.ts';
import { measureExr } from './formats/exr.ts';
import { measureFilm, measureMp4 } from './formats/film.ts';
import { measureFlac } from './formats/flac.ts';
import { measureGif } from './formats/gif.ts';
import { measureJpeg } from './formats/jpeg.ts';
import { measureMatroska } from './formats/matroska.ts';
import type { Measured } from './formats/measured.ts';
import { measureAac, measureMp3 } from './formats/mpeg-audio.ts';
import { measureOgg } from './formats/ogg.ts';
import { measurePng } from './formats/png.ts';
import { measureAvi, measureWav } from './formats/riff.ts';
import { measureGlb, measurePly, measureSafetensors, measureStl } from './formats/shapes.ts';
import { measureBmp, measureHdr, measureSvg, measureTiff } from './formats/stills.ts';
import { measureWebp } from './formats/webp.ts';

export interface FormatWork {
  /** Absent: nothing is asked of the file but its beginning. */
  readonly measure?: (source: ByteSource) => Promise<Measured>;
  /** Puts the texts that it carries on the pile. Absent: none is known to be there. */
  readonly read?: (source: ByteSource, pile: TextPile) => Promise<void>;
}

export const TABLE: Readonly<Record<FileMediaType, FormatWork>> = {
  'image/png': { measure: measurePng, read: readPng },
  'image/jpeg': { measure: measureJpeg, read: readJpeg },
  'image/webp': { measure: measureWebp, read: readRiff },
  'image/gif': { measure: measureGif, read: readGif },
  'image/avif': { measure: measureAvif, read: readAvif },
  'image/heic': { measure: measureAvif, read: readAvif },
  'image/x-exr': { measure: measureExr, read: readExr },
  'image/tiff': { measure: measureTiff, read: readTiff },
  'image/vnd.radiance': { measure: measureHdr },
  'image/bmp': { measure: measureBmp },
  'image/svg+xml': { measure: measureSvg, read: readSvg },
  'video/mp4': { measure: measureMp4, read: readFilm },
  'video/quicktime': { measure: measureFilm, read: readFilm },
  'video/webm': { measure: measureMatroska, read: readMatroska },
  'video/x-matroska': { measure: measureMatroska, read: readMatroska },
  'video/x-msvideo': { measure: measureAvi },
  'video/ogg': { measure: measureOgg, read: readOgg },
  'audio/wav': { measure: measureWav, read: readRiff },
  'audio/flac': { measure: measureFlac, read: readFlac },
  'audio/mpeg': { measure: measureMp3, read: readMp3 },
  'audio/ogg': { measure: measureOgg, read: readOgg },
  'audio/mp4': { measure: measureFilm, read: readFilm },
  'audio/aac': { measure: measureAac, read: readMp3 },
  'audio/aiff': { measure: measureAiff },
  'model/gltf-binary': { measure: measureGlb, read: readGlb },
  'model/gltf+json': { read: readJson },
  'model/obj': {},
  'model/ply': { measure: measurePly },
  'model/stl': { measure: measureStl },
  'model/vnd.usd': { measure: measureUsd },
  'model/vnd.usdz+zip': { measure: measureZip },
  'application/x-fbx': {},
  'text/plain': {},
  'text/html': {},
  'application/json': { read: readJson },
  'application/x-safetensors': { measure: measureSafetensors, read: readSafetensors },
  'application/x-comfy-latent': { read: readSafetensors },
  'application/zip': { measure: measureZip },
  'application/octet-stream': {},
};
