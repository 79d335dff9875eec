/** How ffmpeg is called: what it reads is pinned to the kind of file that was found by its content, and what it writes is the same every time. Pure. */
import type { ConversionTarget, FrameFormat } from '#protocol/assets.ts';
import type { Ffmpeg } from './find-ffmpeg.ts';
import { everyFrame, PICTURE_DECODERS, PLAIN, QUIET, screenLight } from './picture-args.ts';

export interface FilmWish {
  readonly to: ConversionTarget;
  readonly quality?: number;
  readonly fps?: number;
  readonly maxSize?: number;
  readonly format?: FrameFormat;
}

/** `alpha`: something in it can be seen through. */
export type FilmInput = { readonly alpha?: boolean } & (
  | { readonly kind: 'file'; readonly path: string; readonly mediaType: string; readonly codec?: string }
  /** Numbered, `in/000001.png` … below the working directory; `isTimed`: of a moving picture with a rate of its own. */
  | { readonly kind: 'pictures'; readonly extension: string; readonly fps: number; readonly isTimed?: boolean }
);

export const USUAL_QUALITY = 85;
export const USUAL_FPS = 24;

/** Media type → demuxer. Others are not read: a file that is said to be one of these can not be taken for a playlist that names more files. */
const DEMUXERS: Readonly<Record<string, string>> = {
  'video/mp4': 'mov',
  'video/quicktime': 'mov',
  'audio/mp4': 'mov',
  'video/webm': 'matroska',
  'video/x-matroska': 'matroska',
  'video/x-msvideo': 'avi',
  'video/ogg': 'ogg',
  'audio/ogg': 'ogg',
  'audio/wav': 'wav',
  'audio/flac': 'flac',
  'audio/mpeg': 'mp3',
  'audio/aac': 'aac',
  'audio/aiff': 'aiff',
  'image/gif': 'gif',
};

export function isReadable(mediaType: string): boolean {
  return Object.hasOwn(DEMUXERS, mediaType);
}

const BT709 = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'];

/** `output` lies in the working directory; with `frames` it is a pattern. */
export function filmArgs(
  input: FilmInput,
  wish: FilmWish,
  output: string,
  ffmpeg: Pick<Ffmpeg, 'encoders' | 'version'>,
): readonly string[] {
  const { encoders } = ffmpeg;
  const write = [...writingArgs(input, wish, encoders), ...eachOnce(input, wish, ffmpeg)];
  return [...QUIET, ...readingArgs(input, wish, encoders), ...write, ...PLAIN, '-threads', '2', output];
}

// --- helpers ---

function readingArgs(input: FilmInput, wish: FilmWish, encoders: ReadonlySet<string>): readonly string[] {
  if (input.kind === 'file') {
    const demuxer = DEMUXERS[input.mediaType] ?? 'mov';
    return ['-protocol_whitelist', 'file', '-f', demuxer, ...alphaDecoder(input, encoders), '-i', `file:${input.path}`];
  }
  const decoder = PICTURE_DECODERS[input.extension] ?? 'png';
  return [
    '-protocol_whitelist',
    'file',
    ...light(input, wish).read,
    '-f',
    'image2',
    '-framerate',
    String(input.fps),
    '-start_number',
    '1',
    '-c:v',
    decoder,
    '-i',
    `in/%06d.${input.extension}`,
  ];
}

/** ffmpeg's own decoders of VP8 and VP9 pass over alpha; those of the library, which comes with its encoder, do not. */
function alphaDecoder({ alpha, codec }: Extract<FilmInput, { kind: 'file' }>, encoders: ReadonlySet<string>): readonly string[] {
  const decoder = codec === 'vp9' ? 'libvpx-vp9' : 'libvpx';
  return alpha === true && (codec === 'vp9' || codec === 'vp8') && encoders.has(decoder) ? ['-c:v', decoder] : [];
}

function writingArgs(input: FilmInput, wish: FilmWish, encoders: ReadonlySet<string>): readonly string[] {
  const { to, quality = USUAL_QUALITY, format = 'png' } = wish;
  switch (to) {
    case 'mp4':
      return [
        ...filmStreams(input, wish),
        ...h264(encoders, quality),
        ...BT709,
        '-c:a',
        'aac',
        '-b:a',
        '192k',
        '-movflags',
        '+faststart',
        '-f',
        'mp4',
      ];
    case 'webm':
      return [
        ...filmStreams(input, wish),
        ...vp9(encoders, quality),
        ...BT709,
        '-c:a',
        encoders.has('libopus') ? 'libopus' : 'libvorbis',
        '-f',
        'webm',
      ];
    case 'gif': {
      // Not of differences only: ffmpeg then leaves out the colours of the last frame.
      const before = [light(input, wish).filter, isFree(input) ? '' : rate(wish), size(wish, 1), oneBitAlpha(input)]
        .filter((filter) => filter !== '')
        .join(',');
      const graph = `[0:v:0]${before === '' ? 'null' : before},split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=sierra2_4a`;
      return ['-filter_complex', graph, '-an', '-f', 'gif'];
    }
    case 'frames':
      return [
        '-map',
        '0:v:0',
        ...filters([light(input, wish).filter, format === 'jpg' ? overBlack(input) : '', isFree(input) ? '' : rate(wish), size(wish, 1)]),
        '-an',
        ...frameCodec(format, quality, input.alpha === true),
        '-f',
        'image2',
        '-start_number',
        '1',
      ];
    case 'flac':
      return ['-map', '0:a:0', '-vn', '-c:a', 'flac', '-f', 'flac'];
    case 'mp3':
      return ['-map', '0:a:0', '-vn', '-c:a', 'libmp3lame', '-q:a', String(Math.round(((100 - quality) / 100) * 9)), '-f', 'mp3'];
    default:
      return ['-map', '0:a:0', '-vn', '-c:a', 'pcm_s24le', '-f', 'wav'];
  }
}

/** A GIF has a time for each frame, in hundredths, and no rate: at the one that ffmpeg would make up for it some frames come several times. */
function eachOnce(input: FilmInput, { to, fps }: FilmWish, { version }: Pick<Ffmpeg, 'version'>): readonly string[] {
  const isOwnTime = to === 'frames' && fps === undefined && input.kind === 'file' && input.mediaType === 'image/gif';
  return isOwnTime ? [...everyFrame(version), '-enc_time_base', '1:100'] : [];
}

/** The first picture and the first sound, if there is one. Both sides even, as these codecs want them. */
function filmStreams(input: FilmInput, wish: FilmWish): readonly string[] {
  const sound = input.kind === 'file' ? ['-map', '0:a:0?'] : [];
  // What is RGB becomes what films of today are; what is a film already keeps its own colours.
  const colour = input.kind === 'pictures' || input.mediaType === 'image/gif' ? ':out_color_matrix=bt709:out_range=tv' : '';
  return [
    '-map',
    '0:v:0',
    ...sound,
    ...filters([overBlack(input), isFree(input) ? '' : rate(wish), `${size(wish, 2)}${colour}`, 'setsar=1', 'format=yuv420p']),
  ];
}

/** As stills become JPEG: what is seen through is black. Colours of OpenEXR are multiplied by their alpha already. */
function overBlack(input: FilmInput): string {
  return input.alpha === true && !isExr(input) ? 'premultiply=inplace=1' : '';
}

function isExr(input: FilmInput): boolean {
  return input.kind === 'pictures' && input.extension === 'exr';
}

function light(input: FilmInput, { to, format }: FilmWish): ReturnType<typeof screenLight> {
  const isKept = to === 'gif' || (to === 'frames' && format !== 'jpg');
  return isExr(input) ? screenLight(input.alpha === true && isKept) : { read: [], filter: '' };
}

/** GIF knows seen or not seen. ComfyUI writes a half as 127. */
function oneBitAlpha({ alpha }: FilmInput): string {
  return alpha === true ? "format=rgba,lutrgb=a='255*gte(val,127)'" : '';
}

/** Single pictures have no rate: what is asked for is theirs from the start. */
function isFree(input: FilmInput): boolean {
  return input.kind === 'pictures' && input.isTimed !== true;
}

function rate({ fps }: FilmWish): string {
  return fps === undefined ? '' : `fps=${String(fps)}`;
}

/** Scaled down to the longest side, never up, to a multiple of `by`. */
function size({ maxSize }: FilmWish, by: 1 | 2): string {
  if (maxSize === undefined) return by === 1 ? '' : 'scale=trunc(iw/2)*2:trunc(ih/2)*2:flags=lanczos+accurate_rnd+full_chroma_int';
  const most = String(maxSize);
  return `scale=w='min(${most},iw)':h='min(${most},ih)':force_original_aspect_ratio=decrease:force_divisible_by=${String(by)}:flags=lanczos+accurate_rnd+full_chroma_int`;
}

function filters(all: readonly string[]): readonly string[] {
  const used = all.filter((filter) => filter !== '');
  return used.length === 0 ? [] : ['-vf', used.join(',')];
}

/** 100 is visually lossless (CRF 12), 85 what x264 calls 18, 50 small. */
function h264(encoders: ReadonlySet<string>, quality: number): readonly string[] {
  if (encoders.has('libx264')) return ['-c:v', 'libx264', '-preset', 'medium', '-crf', String(Math.round(52 - 0.4 * quality))];
  if (encoders.has('libopenh264')) return ['-c:v', 'libopenh264', '-b:v', `${String(Math.round(quality / 5))}M`];
  return ['-c:v', 'mpeg4', '-q:v', String(Math.max(1, Math.round(31 - 0.3 * quality)))];
}

function vp9(encoders: ReadonlySet<string>, quality: number): readonly string[] {
  const codec = encoders.has('libvpx-vp9') ? 'libvpx-vp9' : 'libvpx';
  return ['-c:v', codec, '-b:v', '0', '-crf', String(Math.round(63 - 0.45 * quality)), '-row-mt', '1'].slice(0, codec === 'libvpx' ? 6 : 8);
}

function frameCodec(format: FrameFormat, quality: number, alpha: boolean): readonly string[] {
  if (format === 'jpg') return ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj444p', '-q:v', String(Math.max(2, Math.round(31 - 0.29 * quality)))];
  const colours = ['-pix_fmt', alpha ? 'rgba' : 'rgb24'];
  if (format === 'tiff') return ['-c:v', 'tiff', '-compression_algo', 'deflate', ...colours];
  return ['-c:v', 'png', '-pred', 'mixed', ...colours];
}
