/** What is asked of the converter, and how it is refused. */
import { CallsheetError } from '#protocol/errors.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { FilmWish } from './ffmpeg-args.ts';
import { type Ffmpeg, findFfmpeg } from './find-ffmpeg.ts';
import type { Job } from './jobs.ts';
import { FILM_CAPS, runJob } from './run-job.ts';

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

/** What sharp opens in the converter's own process. */
export const BY_SHARP: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/tiff', 'image/avif', 'image/gif']);
export const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/tiff': 'tif',
  'image/x-exr': 'exr',
};

/** `why` is a clause for people. */
export function refuse(why: string): never {
  throw new CallsheetError('CONVERSION_FAILED', why);
}

/** ffmpeg, with `folder` as its working directory. */
export async function program(request: ConvertRequest, folder: string, argsFor: (ffmpeg: Ffmpeg) => readonly string[]): Promise<void> {
  const ffmpeg = await (request.ffmpeg ?? findFfmpeg)();
  const job: Job = { kind: 'program', program: ffmpeg.path, args: argsFor(ffmpeg), directory: folder };
  await runJob(job, FILM_CAPS, request.signal);
}
