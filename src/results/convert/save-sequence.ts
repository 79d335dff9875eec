/** Gives numbered pictures a folder of their own in the run's: checked one by one, flushed, and visible only when all of them are. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import type { Provenance, SourceFile } from '#protocol/provenance.ts';
import type { SequenceView } from '#protocol/views.ts';
import { bytesOfFile } from '../bytes.ts';
import { isCode, partialPath, syncDirectory } from '../durable.ts';
import { embedChecked, type EmbeddedTexts } from '../embed/embed.ts';
import { safeName } from '../names.ts';
import { recognise, type Recognised } from '../recognise.ts';
import { readSidecar, sidecarPath, writeSidecar } from '../sidecar.ts';

export interface SequenceRequest {
  /** In order. They are moved. */
  readonly paths: readonly string[];
  readonly directory: string;
  readonly baseName: string;
  readonly provenance: Provenance;
  /** Texts that are put into each picture; `source` is the picture as it came. */
  readonly embed?: (source: SourceFile) => EmbeddedTexts;
  readonly signal: AbortSignal;
}

/** Of the first picture, and of all together. */
export interface SavedSequence extends Omit<Recognised, 'extension' | 'fault'> {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly sequence: SequenceView;
  /** The first picture as it came, where texts were put into it. */
  readonly source?: SourceFile;
  /** A clause for people: why there is one at least into which they were not. */
  readonly notEmbedded?: string;
}

const FIRST = 1;
const FEWEST_DIGITS = 4;
const MOST_NAMES = 10_000;

/** The same pictures under the same base name are the same folder again. Throws CONVERSION_FAILED, STORAGE_FAILED and the signal's reason. */
export async function saveSequence({ paths, directory, baseName, provenance, embed, signal }: SequenceRequest): Promise<SavedSequence> {
  const base = safeName(baseName);
  const folder = partialPath(directory);
  await mkdir(join(folder), { recursive: true });
  try {
    const all = createHash('sha256');
    let bytes = 0;
    let first: Picture | undefined;
    let source: SourceFile | undefined;
    let notEmbedded: string | undefined;
    const digits = Math.max(FEWEST_DIGITS, String(paths.length).length);
    const nameOf = (number: number, extension: string) => `${base}_${String(number).padStart(digits, '0')}${extension}`;
    for (const [index, path] of paths.entries()) {
      signal.throwIfAborted();
      const came = await look(path);
      const { picture, ...rich } = await enrich(path, came, embed);
      if (first !== undefined && picture.mediaType !== first.mediaType)
        throw new CallsheetError('CONVERSION_FAILED', 'its pictures are of several kinds');
      if (first === undefined) source = rich.source;
      first ??= picture;
      notEmbedded ??= rich.notEmbedded;
      all.update(picture.sha256);
      bytes += picture.bytes;
      await rename(path, join(folder, nameOf(FIRST + index, extname(path))));
    }
    if (first === undefined) throw new CallsheetError('CONVERSION_FAILED', 'there is not a single picture in it');
    const extension = extname(paths[0] ?? '');
    const sequence: SequenceView = {
      count: paths.length,
      first: FIRST,
      pattern: `${base}_${'#'.repeat(digits)}${extension}`,
      bytes,
      sha256: all.digest('hex'),
    };
    const name = nameOf(FIRST, extension);
    await writeSidecar(
      { path: join(folder, name), ...first, sequence },
      source === undefined ? provenance : { ...provenance, source },
      true,
    );
    await syncDirectory(folder);
    const home = await publish(folder, directory, base, name, sequence);
    await syncDirectory(directory);
    return {
      path: join(home, name),
      ...first,
      sequence,
      ...(source === undefined ? {} : { source }),
      ...(notEmbedded === undefined ? {} : { notEmbedded }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// --- helpers ---

type Picture = Omit<SavedSequence, 'path' | 'sequence' | 'source' | 'notEmbedded'>;

interface Rich extends Pick<SavedSequence, 'source' | 'notEmbedded'> {
  readonly picture: Picture;
}

/** What lies at `path` afterwards. */
async function enrich(path: string, picture: Picture, texts: SequenceRequest['embed']): Promise<Rich> {
  if (texts === undefined) return { picture };
  const { bytes, sha256, mediaType } = picture;
  const source = { sha256, bytes, mediaType };
  const to = `${path}.rich`;
  const made = await embedChecked(path, to, mediaType, texts(source));
  if ('refused' in made) return { picture, notEmbedded: made.refused };
  // Under a new name until now: what came may be another name of the file of a step.
  await rename(to, path);
  return { picture: { ...picture, ...made }, source };
}

async function look(path: string): Promise<Picture> {
  const handle = await open(path, 'r+');
  try {
    const { size } = await handle.stat();
    const { fault, extension: _, ...facts } = await recognise(bytesOfFile(handle, size));
    if (fault !== undefined || facts.kind !== 'image')
      throw new CallsheetError('CONVERSION_FAILED', `one of its pictures is none: ${fault ?? facts.mediaType}`);
    const hash = createHash('sha256');
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
    await handle.sync();
    return { bytes: size, sha256: hash.digest('hex'), ...facts };
  } finally {
    await handle.close();
  }
}

/** A rename onto a folder that holds anything fails; one with the same pictures in it is taken for ours. */
async function publish(folder: string, directory: string, base: string, first: string, { sha256 }: SequenceView): Promise<string> {
  for (let number = 1; number <= MOST_NAMES; number += 1) {
    const home = join(directory, number === 1 ? base : `${base}-${String(number)}`);
    const note = await readSidecar(sidecarPath(join(home, first)));
    if (note?.sequence?.sha256 === sha256) return home;
    if (await isThere(home)) continue;
    try {
      await rename(folder, home);
      return home;
    } catch (error) {
      if (!isCode(error, 'EEXIST', 'ENOTEMPTY', 'EPERM')) throw error;
    }
  }
  throw new CallsheetError('STORAGE_FAILED', `${directory} holds ${String(MOST_NAMES)} folders named ${base}.`, {
    hint: 'Move some of them away.',
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}
