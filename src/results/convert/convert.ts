/** Makes one file, or one sequence of pictures, of the files of an output: in a folder of its own that is gone afterwards, or swept after a kill. */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConversionTarget } from '#protocol/assets.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { bytesOfFile } from '../bytes.ts';
import { isCode, partialPath } from '../durable.ts';
import { recognise } from '../recognise.ts';
import { cureOf, DISK_FULL, NO_SOUND } from './clauses.ts';
import { filmArgs, isReadable, USUAL_QUALITY } from './ffmpeg-args.ts';
import { filmInput } from './film-input.ts';
import { exrArgs, stillArgs } from './picture-args.ts';
import { BY_SHARP, type ConvertRequest, type ConvertSource, EXTENSIONS, type Made, program, refuse } from './request.ts';
import { runJob, STILL_CAPS } from './run-job.ts';

const STILLS: ReadonlySet<ConversionTarget> = new Set(['png', 'jpg', 'webp', 'tiff', 'exr']);
const SOUNDS: ReadonlySet<ConversionTarget> = new Set(['wav', 'flac', 'mp3']);

/**
 * Hands what was made to `keep`, which must have taken it when it resolves. Throws CONVERSION_FAILED with a clause for people, the signal's
 * reason, and what `keep` throws. Nothing is left in `directory`.
 */
export async function convertFiles<T>(request: ConvertRequest, keep: (made: Made) => Promise<T>): Promise<T> {
  const folder = partialPath(request.directory);
  try {
    await mkdir(folder, { recursive: true });
    return await keep(await make(request, folder));
  } catch (error) {
    throw isCode(error, 'ENOSPC', 'EDQUOT')
      ? new CallsheetError('CONVERSION_FAILED', DISK_FULL, { ...cureOf(DISK_FULL), cause: error })
      : error;
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

// --- helpers ---

function make(request: ConvertRequest, folder: string): Promise<Made> {
  const { to } = request.wish;
  if (STILLS.has(to)) return makeStill(request, folder);
  return SOUNDS.has(to) ? makeSound(request, folder) : makeMoving(request, folder);
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
async function readable({ path, mediaType, kind, facts }: ConvertSource, request: ConvertRequest, folder: string): Promise<string> {
  if (kind !== 'image' && kind !== 'animation') return refuse(`it is no picture but ${mediaType}`);
  if (BY_SHARP.has(mediaType)) return path;
  const extension = EXTENSIONS[mediaType];
  if (extension === undefined) return refuse(`pictures of its kind (${mediaType}) can not be read`);
  const alpha = facts?.alpha === true && request.wish.to !== 'jpg';
  await program(request, folder, () => stillArgs(path, extension, 'opened.png', alpha));
  return join(folder, 'opened.png');
}

async function makeSound(request: ConvertRequest, folder: string): Promise<Made> {
  const { path, mediaType } = only(request);
  if (!isReadable(mediaType) || mediaType === 'image/gif') return refuse(NO_SOUND);
  const output = `out.${request.wish.to}`;
  await program(request, folder, (ffmpeg) => filmArgs({ kind: 'file', path, mediaType }, request.wish, output, ffmpeg));
  return { kind: 'file', path: join(folder, output) };
}

async function makeMoving(request: ConvertRequest, folder: string): Promise<Made> {
  const made = await makeFilm(request, folder);
  const expected = expectedFrames(request);
  if (expected > 1 && (await isStanding(made))) refuse(`one picture is all that came out of its ${String(expected)} frames`);
  return made;
}

/** As far as it is known; 1 also where a slow rate may leave no more of them. */
function expectedFrames({ sources, wish: { fps } }: ConvertRequest): number {
  const [{ facts, duration } = {}, ...others] = sources;
  if (others.length > 0) return sources.length;
  const isShort = fps !== undefined && (duration === undefined || duration * fps < 2);
  return isShort ? 1 : (facts?.frames ?? 1);
}

/** Certainly a single picture. */
async function isStanding(made: Made): Promise<boolean> {
  if (made.kind === 'frames') return made.paths.length === 1;
  const handle = await open(made.path, 'r');
  try {
    const { kind, facts, fault } = await recognise(bytesOfFile(handle, (await handle.stat()).size));
    return fault === undefined && (kind === 'image' || facts?.frames === 1);
  } finally {
    await handle.close();
  }
}

async function makeFilm(request: ConvertRequest, folder: string): Promise<Made> {
  const { wish } = request;
  const input = await filmInput(request, folder);
  if (wish.to !== 'frames') {
    const output = `out.${wish.to}`;
    await program(request, folder, (ffmpeg) => filmArgs(input, wish, output, ffmpeg));
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
  await program(request, folder, (ffmpeg) => filmArgs(input, wish, `frames/%06d.${format}`, ffmpeg));
  return framesIn(join(folder, 'frames'), wish.fps ?? (input.kind === 'pictures' ? input.fps : request.sources[0]?.facts?.fps));
}

/** Their names are numbers of one length. */
async function framesIn(folder: string, fps: number | undefined): Promise<Made> {
  const paths = (await readdir(folder)).toSorted().map((name) => join(folder, name));
  return paths.length === 0
    ? refuse('there is not a single picture in it')
    : { kind: 'frames', paths, ...(fps === undefined ? {} : { fps }) };
}
