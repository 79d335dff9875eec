/** Every text that a media file carries beside its pictures and sounds. Bounded in time and memory whatever the file says. */
import type { ByteSource } from '../bytes.ts';
import { SNIFF_BYTES, sniff } from '../sniff.ts';
import { readFilm, readMatroska } from './films.ts';
import { readGlb, readSafetensors, readSvg } from './models.ts';
import { readAvif, readJpeg, readRiff } from './pictures.ts';
import { readPng } from './png.ts';
import { readFlac, readMp3, readOgg } from './sounds.ts';
import { createTextPile } from './texts.ts';
import type { EmbeddedText, TextPile } from './texts.ts';

type Reader = (source: ByteSource, pile: TextPile) => Promise<void>;

const READERS: Readonly<Record<string, Reader>> = {
  'image/png': readPng,
  'image/webp': readRiff,
  'image/jpeg': readJpeg,
  'image/avif': readAvif,
  'image/svg+xml': readSvg,
  'video/mp4': readFilm,
  'video/quicktime': readFilm,
  'audio/mp4': readFilm,
  'video/webm': readMatroska,
  'video/x-matroska': readMatroska,
  'audio/flac': readFlac,
  'audio/ogg': readOgg,
  'audio/mpeg': readMp3,
  'audio/wav': readRiff,
  'model/gltf-binary': readGlb,
  'application/x-safetensors': readSafetensors,
};

/** A file may be nothing but millions of tiny parts; after so many looks it counts as ended. Real ones need a few thousand. */
const MOST_READS = 50_000;

export interface Embedded {
  readonly mediaType: string;
  /** False for a kind of file that is not looked into. */
  readonly isKnown: boolean;
  readonly texts: readonly EmbeddedText[];
  /** Keys of texts that are damaged, cut short or past the caps. */
  readonly leftOut: readonly string[];
}

/** Never throws for what the file holds; reading it from disk may fail. */
export async function readEmbedded(source: ByteSource): Promise<Embedded> {
  const { mediaType } = sniff(await source.read(0, SNIFF_BYTES));
  const reader = READERS[mediaType];
  const pile = createTextPile();
  await reader?.(withEnd(source), pile);
  return { mediaType, isKnown: reader !== undefined, texts: pile.texts, leftOut: pile.leftOut };
}

function withEnd(source: ByteSource): ByteSource {
  let left = MOST_READS;
  return {
    size: source.size,
    async read(at, length) {
      left -= 1;
      return left < 0 ? new Uint8Array() : source.read(at, length);
    },
  };
}
