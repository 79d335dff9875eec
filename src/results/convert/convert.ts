/** Makes one file, or one sequence of pictures, of the files of an output: in a folder of its own that is gone afterwards, or swept after a kill. */
import { link, copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConversionTarget } from '#protocol/assets.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { isCode, partialPath } from '../durable.ts';
import { isMovingPicture, isStillPicture } from '../moving.ts';
import {
  exrArgs,
  filmArgs,
  type FilmInput,
  type FilmWish,
  isPictureReadable,
  isReadable,
  stillArgs,
  USUAL_FPS,
  USUAL_QUALITY,
} from './ffmpeg-args.ts';
import { type Ffmpeg, findFfmpeg } from './find-ffmpeg.ts';
import type { Job, JobFacts } from './jobs.ts';
import { FILM_CAPS, runJob, STILL_CAPS } from './run-job.ts';

export type ConvertSource = Pick<ArtifactView, 'path' | 'mediaType' | 'kind' | 'facts' | 'duration'>;

export interface ConvertRequest {
  /** One for stills and sounds; several pictures, in order, for films and sequences. */
  readonly sources: readonly ConvertSource[];
  readonly wish: FilmWish;
  /** The folder of the run: what is worked on lies on the same disk. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** What is done instead of looking for ffmpeg. */
  readonly ffmpeg?: () => Promise<Ffmpeg>;
}

/** What was made, still in the working folder. */
export type Made =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'frames'; readonly paths: readonly string[]; readonly fps?: number };

const STILLS: ReadonlySet<ConversionTarget> = new Set(['png', 'jpg', 'webp', 'tiff', 'exr']);
const SOUNDS: ReadonlySet<ConversionTarget> = new Set(['wav', 'flac', 'mp3']);
/** What sharp opens in the converter's own process. */
const BY_SHARP: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/tiff', 'image/avif', 'image/gif']);
const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/tiff': 'tif',
  'image/x-exr': 'exr',
};

/**
 * Hands what was made to `keep`, which must have taken it when it resolves. Throws CONVERSION_FAILED with a clause for people, the signal's
 * reason, and what `keep` throws. Nothing is left in `directory`.
 */
export async function convertFiles<T>(request: ConvertRequest, keep: (made: Made) => Promise<T>): Promise<T> {
  const folder = partialPath(request.directory);
  await mkdir(folder, { recursive: true });
  try {
    return await keep(await make(request, folder));
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

// --- helpers ---

function make(request: ConvertRequest, folder: string): Promise<Made> {
  const { to } = request.wish;
  if (STILLS.has(to)) return makeStill(request, folder);
  return SOUNDS.has(to) ? makeSound(request, folder) : makeFilm(request, folder);
}

function refuse(why: string): never {
  throw new CallsheetError('CONVERSION_FAILED', why);
}

function only({ sources }: ConvertRequest): ConvertSource {
  const [source] = sources;
  return source === undefined || sources.length > 1 ? refuse('there is not exactly one file') : source;
}

async function makeStill(request: ConvertRequest, folder: string): Promise<Made> {
  const { wish, signal } = request;
  const { to, quality = USUAL_QUALITY, maxSize } = wish;
  const input = await readable(only(request), request, folder);
  const sized = maxSize === undefined ? {} : { maxSize };
  const output = join(folder, `out.${to}`);
  if (to === 'png' || to === 'jpg' || to === 'webp' || to === 'tiff') {
    await runJob({ kind: 'still', input, output, to, quality, ...sized }, STILL_CAPS, signal);
    return { kind: 'file', path: output };
  }
  const raw = join(folder, 'raw');
  const { width = 0, height = 0, alpha = false } = await runJob({ kind: 'linear', input, output: raw, ...sized }, STILL_CAPS, signal);
  await program(request, folder, () => exrArgs(raw, width, height, alpha, 'out.exr'));
  return { kind: 'file', path: output };
}

/** A path that sharp can open: OpenEXR goes through ffmpeg first. */
async function readable({ path, mediaType, kind }: ConvertSource, request: ConvertRequest, folder: string): Promise<string> {
  if (kind !== 'image' && kind !== 'animation') return refuse(`it is no picture but ${mediaType}`);
  if (BY_SHARP.has(mediaType)) return path;
  const extension = EXTENSIONS[mediaType];
  if (extension === undefined) return refuse(`pictures of its kind (${mediaType}) can not be read`);
  await program(request, folder, () => stillArgs(path, extension, 'opened.png'));
  return join(folder, 'opened.png');
}

async function makeSound(request: ConvertRequest, folder: string): Promise<Made> {
  const { path, mediaType } = only(request);
  if (!isReadable(mediaType) || mediaType === 'image/gif') return refuse(`there is no sound in ${mediaType}`);
  const output = `out.${request.wish.to}`;
  await program(request, folder, ({ encoders }) => filmArgs({ kind: 'file', path, mediaType }, request.wish, output, encoders));
  return { kind: 'file', path: join(folder, output) };
}

async function makeFilm(request: ConvertRequest, folder: string): Promise<Made> {
  const { wish } = request;
  const input = await filmInput(request, folder);
  if (wish.to !== 'frames') {
    const output = `out.${wish.to}`;
    await program(request, folder, ({ encoders }) => filmArgs(input, wish, output, encoders));
    return { kind: 'file', path: join(folder, output) };
  }
  const { format = 'png' } = wish;
  if (
    input.kind === 'pictures' &&
    wish.maxSize === undefined &&
    (input.isTimed !== true || wish.fps === undefined) &&
    (wish.format === undefined || input.extension === format)
  )
    return framesIn(join(folder, 'in'), input.fps);
  await mkdir(join(folder, 'frames'));
  await program(request, folder, ({ encoders }) => filmArgs(input, wish, `frames/%06d.${format}`, encoders));
  return framesIn(join(folder, 'frames'), wish.fps ?? (input.kind === 'pictures' ? input.fps : request.sources[0]?.facts?.fps));
}

/** Their names are numbers of one length. */
async function framesIn(folder: string, fps: number | undefined): Promise<Made> {
  const paths = (await readdir(folder)).toSorted().map((name) => join(folder, name));
  return paths.length === 0
    ? refuse('there is not a single picture in it')
    : { kind: 'frames', paths, ...(fps === undefined ? {} : { fps }) };
}

async function filmInput(request: ConvertRequest, folder: string): Promise<FilmInput> {
  const { sources, wish } = request;
  const [first] = sources;
  if (first === undefined) return refuse('there is no file');
  if (sources.length === 1 && isReadable(first.mediaType)) return { kind: 'file', path: first.path, mediaType: first.mediaType };
  await mkdir(join(folder, 'in'));
  if (sources.length === 1 && isMovingPicture(first)) return unpacked(first, request, folder);
  const stray = sources.find((source) => !isStillPicture(source));
  if (stray !== undefined)
    return refuse(
      sources.length === 1
        ? `${stray.mediaType} can not be read as a film`
        : `one of its ${String(sources.length)} files is no picture but ${stray.mediaType}`,
    );
  return { kind: 'pictures', extension: await gathered(request, folder), fps: wish.fps ?? USUAL_FPS };
}

/** Moving WebP and PNG, which ffmpeg does not read everywhere. */
async function unpacked({ path, facts }: ConvertSource, { signal }: ConvertRequest, folder: string): Promise<FilmInput> {
  const found: JobFacts = await runJob({ kind: 'frames', input: path, directory: join(folder, 'in') }, STILL_CAPS, signal);
  return { kind: 'pictures', extension: 'png', fps: found.fps ?? facts?.fps ?? USUAL_FPS, isTimed: true };
}

/** The pictures under numbers, as they are where all are of one kind that ffmpeg reads, else each as PNG. */
async function gathered({ sources, signal }: ConvertRequest, folder: string): Promise<string> {
  const kinds = new Set(sources.map(({ mediaType }) => EXTENSIONS[mediaType] ?? ''));
  const [kind = ''] = kinds;
  const isUniform = kinds.size === 1 && isPictureReadable(kind);
  for (const [index, { path, mediaType }] of sources.entries()) {
    const target = join(folder, 'in', `${String(index + 1).padStart(6, '0')}.${isUniform ? kind : 'png'}`);
    if (isUniform) await linked(path, target);
    else if (!BY_SHARP.has(mediaType)) refuse(`pictures of its kind (${mediaType}) can not be read`);
    else await runJob({ kind: 'still', input: path, output: target, to: 'png', quality: 100 }, STILL_CAPS, signal);
  }
  return isUniform ? kind : 'png';
}

async function linked(path: string, target: string): Promise<void> {
  try {
    await link(path, target);
  } catch (error) {
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK', 'EINVAL', 'EXDEV')) throw error;
    await copyFile(path, target);
  }
}

async function program(request: ConvertRequest, folder: string, argsFor: (ffmpeg: Ffmpeg) => readonly string[]): Promise<void> {
  const ffmpeg = await (request.ffmpeg ?? findFfmpeg)();
  const job: Job = { kind: 'program', program: ffmpeg.path, args: argsFor(ffmpeg), directory: folder };
  await runJob(job, FILM_CAPS, request.signal);
}
