/**
 * Converts what an output of the template gives, as its `convert` asks, or gathers pictures into a sequence. Done again after a crash it finds
 * what it made before; what fails leaves the files that the step gave as they are.
 */
import { createReadStream } from 'node:fs';
import { CallsheetError } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import type { Conversion } from '#protocol/provenance.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { convertFiles } from '#results/convert/convert.ts';
import type { FilmWish } from '#results/convert/ffmpeg-args.ts';
import { findMade } from '#results/convert/find-made.ts';
import type { Made } from '#results/convert/request.ts';
import { type SavedSequence, saveSequence } from '#results/convert/save-sequence.ts';
import { isStillPicture } from '#results/moving.ts';
import { type SavedArtifact, saveArtifact } from '#results/save.ts';
import type { RenderedOutput } from '#templates/outputs.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { type Bare, bareProblems } from './embed-notes.ts';
import { convertedIdOf } from './ids.ts';
import { attemptSources, saveWith } from './keep-provenance.ts';
import type { FileIdentity } from './provenance.ts';

export interface ConvertedOutput {
  /** What the output is now: what was made, or where that failed what the step gave. */
  readonly files: readonly ArtifactView[];
  readonly problems: readonly Problem[];
}

/** Undefined where nothing is asked for. */
export function wishOf({ convert, asset }: RenderedOutput, files: readonly ArtifactView[]): FilmWish | undefined {
  if (convert !== undefined) return convert;
  // Blender wants one name with one number for all of them.
  const isSequence =
    asset?.kind === 'image_sequence' && files.length > 0 && files.every((file) => isStillPicture(file) && file.sequence === undefined);
  return isSequence ? { to: 'frames' } : undefined;
}

/** Throws the signal's reason only. */
export async function convertOutput(
  deps: ActorDeps,
  memory: RunMemory,
  name: string,
  given: readonly ArtifactView[],
  { wish, embed, nameOf, signal }: Pick<Group, 'wish' | 'embed' | 'nameOf' | 'signal'>,
): Promise<ConvertedOutput> {
  const files: ArtifactView[] = [];
  const problems: Problem[] = [];
  const bare: Bare[] = [];
  const groups = groupsOf(given, wish);
  for (const [nth, group] of groups.entries()) {
    const [first] = group;
    if (first === undefined) continue;
    if (isDone(group, wish)) {
      files.push(...group);
      continue;
    }
    try {
      const { artifact, notEmbedded } = await convertGroup(deps, memory, { name, nth, group, first, wish, embed, nameOf, signal });
      files.push(artifact);
      if (notEmbedded !== undefined) bare.push({ artifact, why: notEmbedded });
    } catch (error) {
      signal.throwIfAborted();
      files.push(...group);
      problems.push(problemOf(error, name, wish, first));
    }
  }
  problems.push(...bareProblems(bare));
  return { files, problems };
}

// --- helpers ---

interface Group {
  readonly name: string;
  readonly nth: number;
  readonly group: readonly ArtifactView[];
  readonly first: ArtifactView;
  readonly wish: FilmWish;
  readonly embed: boolean;
  /** By the template's pattern; undefined or empty where it has none. */
  readonly nameOf: (index: number) => string | undefined;
  readonly signal: AbortSignal;
}

const MANY: ReadonlySet<FilmWish['to']> = new Set(['mp4', 'webm', 'gif', 'frames']);

/** Single pictures become one film or sequence together; everything else is converted file by file. */
function groupsOf(files: readonly ArtifactView[], { to }: FilmWish): readonly (readonly ArtifactView[])[] {
  return MANY.has(to) && files.length > 0 && files.every(isStillPicture) ? [files] : files.map((file) => [file]);
}

const MEDIA_TYPES: Readonly<Record<string, FilmWish['to']>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/tiff': 'tiff',
  'image/x-exr': 'exr',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
  'image/gif': 'gif',
  'audio/wav': 'wav',
  'audio/flac': 'flac',
  'audio/mpeg': 'mp3',
};

const STILLS: ReadonlySet<FilmWish['to']> = new Set(['png', 'jpg', 'webp', 'tiff', 'exr']);

/** It is of that kind already, and nothing else is asked for. A moving picture is not yet a still one of its format. */
function isDone([file, ...others]: readonly ArtifactView[], { to, ...options }: FilmWish): boolean {
  if (file === undefined || others.length > 0 || MEDIA_TYPES[file.mediaType] !== to) return false;
  return (!STILLS.has(to) || isStillPicture(file)) && Object.values(options).every((option) => option === undefined);
}

async function convertGroup(deps: ActorDeps, memory: RunMemory, work: Group): Promise<Converted> {
  const { name, nth, group, first, wish, embed, signal } = work;
  const { runId, step, item, promptId, profile } = first;
  const { to, ...options } = wish;
  const conversion: Conversion = {
    to,
    from: group.map(({ artifactId, sha256 }) => ({ artifactId, sha256 })),
    options: Object.fromEntries(Object.entries(options).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))),
  };
  const artifactId = convertedIdOf(runId, name, nth, step, item);
  const draft = group.some((file) => file.draft);
  const identity = {
    artifactId,
    runId,
    step,
    item,
    output: name,
    node: `convert:${name}`,
    index: nth,
    draft,
    ...(profile === undefined ? {} : { profile }),
  };
  const isPartial = group.some(({ partial }) => partial === true);
  const base = { ...identity, ...(isPartial ? { partial: true } : {}), ...(promptId === undefined ? {} : { promptId }), conversion };
  const directory = deps.artifactDirectory(runId);
  const baseName = baseNameOf(work);
  const home = { directory, baseName, to, conversion };
  const found = memory.artifacts.find((artifact) => artifact.artifactId === artifactId);
  const before = await findMade({ ...home, ...(found === undefined ? {} : { path: found.path }) });
  const createdAt = found?.createdAt ?? deps.now();
  if (before !== undefined) {
    const { source } = before.note.provenance;
    return { artifact: { ...base, ...before.facts, createdAt, ...(source === undefined ? {} : { source }) } };
  }
  const sources = { ...attemptSources(deps, memory, promptId), conversion };
  const { notEmbedded, ...saved } = await convertFiles<Kept>({ sources: group, wish, directory, signal }, (made) =>
    keep(made, { identity, sources, embed, directory, baseName, signal }),
  );
  return { artifact: { ...base, ...saved, createdAt }, ...(notEmbedded === undefined ? {} : { notEmbedded }) };
}

/** As files of steps are called: by the template's pattern, else by the output, with a number where that leaves two alike. */
function baseNameOf({ name, nth, nameOf }: Group): string {
  const [first, text] = [nameOf(0)?.trim(), nameOf(nth)?.trim()];
  const base = text === undefined || text === '' ? name : text;
  return nth === 0 || (base === text && text !== first) ? base : `${base}_${String(nth + 1)}`;
}

interface Converted {
  readonly artifact: ArtifactView;
  /** A clause for people: why its provenance is not inside it. */
  readonly notEmbedded?: string;
}

type Kept = SavedArtifact | SavedSequence;

interface Keeping {
  readonly identity: FileIdentity;
  readonly sources: Parameters<typeof saveWith>[1] & { readonly conversion: Conversion };
  readonly embed: boolean;
  readonly directory: string;
  readonly baseName: string;
  readonly signal: AbortSignal;
}

async function keep(made: Made, { identity, sources, embed, directory, baseName, signal }: Keeping): Promise<Kept> {
  if (made.kind === 'frames') {
    const saved = await saveSequence({ paths: made.paths, directory, baseName, signal, ...saveWith(identity, sources, embed) });
    return { ...saved, ...(made.fps === undefined ? {} : { facts: { ...saved.facts, fps: made.fps } }) };
  }
  const claimedName = made.path;
  return saveArtifact({
    source: createReadStream(made.path),
    directory,
    baseName,
    claimedName,
    signal,
    ...saveWith(identity, sources, embed),
  });
}

function problemOf(error: unknown, output: string, { to }: FilmWish, { step }: ArtifactView): Problem {
  const why = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
  const hint = error instanceof CallsheetError ? error.data.hint : undefined;
  const what = to === 'frames' ? 'not taken apart into frames' : `not converted to ${to}`;
  return {
    code: 'OUTPUT_NOT_CONVERTED',
    severity: 'warning',
    message: `The output "${output}" is ${what}: ${why}. What the step gave is kept, and is the output.`,
    hint: hint ?? 'Look at the file; change "convert" of the output where it does not suit it.',
    step,
  };
}
