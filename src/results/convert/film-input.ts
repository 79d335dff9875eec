/** What ffmpeg is to read: a film as it is, or numbered pictures that stand for one. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMovingPicture, isStillPicture } from '../moving.ts';
import { unpackApng } from './apng.ts';
import { NO_PICTURE } from './clauses.ts';
import { type FilmInput, isReadable, USUAL_FPS } from './ffmpeg-args.ts';
import type { JobFacts } from './jobs.ts';
import { linked } from './linked.ts';
import { isPictureReadable } from './picture-args.ts';
import { BY_SHARP, type ConvertRequest, type ConvertSource, EXTENSIONS, refuse } from './request.ts';
import { runJob, STILL_CAPS } from './run-job.ts';

export async function filmInput(request: ConvertRequest, folder: string): Promise<FilmInput> {
  const { sources, wish } = request;
  const [first] = sources;
  if (first === undefined) return refuse('there is no file');
  if (first.kind === 'audio') return refuse(NO_PICTURE);
  const alpha = sources.some(({ facts }) => facts?.alpha === true);
  if (sources.length === 1 && isReadable(first.mediaType)) {
    const { path, mediaType, facts: { codec } = {} } = first;
    return { kind: 'file', path, mediaType, alpha, ...(codec === undefined ? {} : { codec }) };
  }
  await mkdir(join(folder, 'in'));
  if (sources.length === 1 && isMovingPicture(first)) return { ...(await unpacked(first, request, folder)), alpha };
  const stray = sources.find((source) => !isStillPicture(source));
  if (stray !== undefined)
    return refuse(
      sources.length === 1
        ? `${stray.mediaType} can not be read as a film`
        : `one of its ${String(sources.length)} files is no picture but ${stray.mediaType}`,
    );
  return { kind: 'pictures', extension: await gathered(request, folder), fps: wish.fps ?? USUAL_FPS, alpha };
}

// --- helpers ---

/** Moving WebP, which ffmpeg does not read everywhere, and moving PNG, of which sharp sees the first frame only. */
async function unpacked({ path, mediaType, facts }: ConvertSource, request: ConvertRequest, folder: string): Promise<FilmInput> {
  const found: JobFacts =
    mediaType === 'image/png'
      ? await unpackApng(path, request, folder)
      : await runJob({ kind: 'frames', input: path, directory: join(folder, 'in') }, STILL_CAPS, request.signal);
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
