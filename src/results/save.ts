/** Brings one output file home: streamed, hashed, checked, and visible only when it is whole (DESIGN 5.4, 5.8). */
import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import type { Provenance, SourceFile } from '#protocol/provenance.ts';
import { bytesInMemory, bytesOfFile } from './bytes.ts';
import type { ByteSource } from './bytes.ts';
import { assertClaim, keptExtension } from './claims.ts';
import { saysDraft } from './embedded/draft.ts';
import { readEmbedded } from './embedded/read.ts';
import { isCode, partialPath, syncDirectory } from './durable.ts';
import { embedChecked, type EmbeddedTexts } from './embed/embed.ts';
import { safeName } from './names.ts';
import { placeFile } from './place.ts';
import type { Twin } from './place.ts';
import { sidecarPath, writeSidecar } from './sidecar.ts';
import { recognise } from './recognise.ts';
import type { Recognised } from './recognise.ts';

const USUAL_LIMIT = 4 * 1024 ** 3;

/** A file up to this size is recognised from memory instead of being read back. */
const KEPT_BYTES = 256 * 1024;

export interface SaveRequest {
  readonly source: NodeJS.ReadableStream;
  /** What the backend announced (Content-Length); another length is OUTPUT_INVALID. */
  readonly expectedBytes?: number;
  /** Of a file that was seen before: other content is OUTPUT_INVALID. */
  readonly expectedSha256?: string;
  /** Made when it is not there. */
  readonly directory: string;
  /** Without extension, which the content decides; made safe for every file system. */
  readonly baseName: string;
  /** The backend's own name of the file: media by that name must be media by content. */
  readonly claimedName?: string;
  /** Where the file came from, as JSON; kept in a sidecar from which the database can be rebuilt. */
  readonly provenance?: Provenance;
  /** Texts that are put into the file before it gets its name; `source` is the file as it came. A kind that takes none stays as it is. */
  readonly embed?: (source: SourceFile) => EmbeddedTexts;
  /** What it was before texts were put into it by an earlier run: `embed` and the result are told this as its source. */
  readonly origin?: SourceFile;
  /** A result of the same run that has this content: its bytes are shared instead of stored twice. */
  readonly twinOf?: (content: { readonly bytes: number; readonly sha256: string }) => Twin | undefined;
  readonly signal?: AbortSignal;
  /** Default 4 GiB. */
  readonly maxBytes?: number;
  /** It is what a node said, whatever it looks like: kept as a text, also an empty one. */
  readonly isText?: boolean;
}

export interface SavedArtifact extends Omit<Recognised, 'extension' | 'fault'> {
  /** Absolute when `directory` is. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The artifactId of the result whose bytes it shares. */
  readonly sameAs?: string;
  /** The file as it came, where texts were put into it. */
  readonly source?: SourceFile;
  /** A clause for people: why they were not. */
  readonly notEmbedded?: string;
}

/**
 * Saving the same result again gives the same path and no second copy.
 * Throws OUTPUT_INVALID (empty, cut short, too large, not a whole file of its kind), STORAGE_FAILED (disk), and the signal's reason.
 * Whatever is thrown, no temporary file stays.
 */
export async function saveArtifact(request: SaveRequest): Promise<SavedArtifact> {
  const { directory, signal } = request;
  const temporary = partialPath(directory);
  const enriched = partialPath(directory);
  let isPublished = false;
  try {
    signal?.throwIfAborted();
    const handle = await openFresh(temporary, request.provenance === undefined ? directory : dirname(sidecarPath(temporary)));
    const checked = await fill(handle, request).finally(() => handle.close());
    signal?.throwIfAborted();
    const { extension, ...came } = checked;
    const { source, notEmbedded, ...facts } = await enrich(temporary, enriched, came, request);
    signal?.throwIfAborted();
    const provenance = request.provenance && { ...request.provenance, ...(source === undefined ? {} : { source }) };
    const twin = request.twinOf?.(facts);
    const { path, isNew, isMoved, sameAs } = await placeFile({
      temporary: source === undefined ? temporary : enriched,
      directory,
      base: safeName(request.baseName),
      extension,
      ...facts,
      ...(provenance === undefined ? {} : { provenance }),
      ...(twin === undefined ? {} : { twin }),
    });
    isPublished = isMoved;
    const saved = { path, ...facts };
    // Both only need the name to stand, so they wait for the disk together.
    await Promise.all([
      isNew ? syncDirectory(directory) : undefined,
      provenance === undefined ? undefined : writeSidecar(saved, provenance, isNew),
    ]);
    return {
      ...saved,
      ...(sameAs === undefined ? {} : { sameAs }),
      ...(source === undefined ? {} : { source }),
      ...(notEmbedded === undefined ? {} : { notEmbedded }),
    };
  } catch (error) {
    throw translateFileFailure(error, directory);
  } finally {
    destroy(request.source);
    if (!isPublished || request.embed !== undefined) await Promise.all([discard(temporary), discard(enriched)]);
  }
}

type Came = Omit<SavedArtifact, 'path' | 'sameAs' | 'source' | 'notEmbedded'>;

/** The facts of the file that is kept; with `source` it is the one at `to`. */
async function enrich(from: string, to: string, came: Came, { embed: texts, origin }: SaveRequest): Promise<Omit<SavedArtifact, 'path'>> {
  if (texts === undefined) return came;
  const { bytes, sha256, mediaType } = came;
  const source = origin ?? { sha256, bytes, mediaType };
  const made = await embedChecked(from, to, mediaType, texts(source));
  return 'refused' in made ? { ...came, notEmbedded: made.refused } : { ...came, ...made, source };
}

/** `folder` is made when the file's own is not there: for a first result the note's folder comes into being with it. */
async function openFresh(path: string, folder: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx+');
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  await mkdir(folder, { recursive: true });
  return open(path, 'wx+');
}

export interface CheckedFile extends Omit<SavedArtifact, 'path'> {
  /** It says of itself that the sandbox drew it. */
  readonly draft: boolean;
}

/**
 * Holds a file to everything that saveArtifact demands and keeps nothing of it: whether it is whole, and what it is.
 * Throws as saveArtifact does; no temporary file stays.
 */
export async function checkArtifact(request: SaveRequest): Promise<CheckedFile> {
  const { directory, signal } = request;
  const temporary = partialPath(directory);
  try {
    signal?.throwIfAborted();
    const handle = await openFresh(temporary, directory);
    try {
      const { extension: _, ...facts } = await fill(handle, request);
      return { ...facts, draft: saysDraft(await readEmbedded(bytesOfFile(handle, facts.bytes))) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw translateFileFailure(error, directory);
  } finally {
    destroy(request.source);
    await discard(temporary);
  }
}

type Checked = Omit<SavedArtifact, 'path'> & { readonly extension: string };

async function fill(handle: FileHandle, request: SaveRequest): Promise<Checked> {
  const { bytes, sha256, content } = await pour(handle, request);
  const { expectedBytes, expectedSha256 } = request;
  if (expectedBytes !== undefined && bytes !== expectedBytes) {
    throw invalid(`The file arrived with ${bytes} bytes where ${expectedBytes} were announced.`);
  }
  if (expectedSha256 !== undefined && sha256 !== expectedSha256) throw invalid('The file is not what it was when it was kept.');
  if (bytes === 0 && request.isText !== true) throw invalid('The file is empty.');
  const source = content === undefined ? bytesOfFile(handle, bytes) : bytesInMemory(content);
  const [known] = await Promise.all([judge(source, request), handle.sync()]);
  return { bytes, sha256, ...known };
}

async function judge(source: ByteSource, { claimedName, isText = false }: SaveRequest) {
  if (isText) return TEXT;
  const { fault, extension, ...facts } = await recognise(source);
  if (claimedName !== undefined) assertClaim(claimedName, facts.mediaType);
  if (fault !== undefined) throw invalid(`The file is not a whole ${facts.mediaType}: ${fault}.`);
  return { ...facts, extension: keptExtension(claimedName, facts.mediaType) ?? extension };
}

/** JSON, a drawing or a mesh that is told as text is a text all the same: templates write it into inputs of nodes. */
const TEXT = { mediaType: 'text/plain', extension: 'txt', kind: 'text' } as const;

async function pour(handle: FileHandle, { source, signal, maxBytes = USUAL_LIMIT }: SaveRequest) {
  const hash = createHash('sha256');
  let pieces: Buffer[] | undefined = [];
  let bytes = 0;
  const stop = (): void => destroy(source);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for await (const piece of readAll(source, () => bytes)) {
      signal?.throwIfAborted();
      bytes += piece.length;
      if (bytes > maxBytes) throw invalid(`The file is larger than the ${maxBytes} bytes allowed.`, false);
      hash.update(piece);
      if (bytes > KEPT_BYTES) pieces = undefined;
      pieces?.push(piece);
      await handle.write(piece);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  signal?.throwIfAborted();
  return { bytes, sha256: hash.digest('hex'), content: pieces === undefined ? undefined : Buffer.concat(pieces) };
}

/** Only the failures of the source itself become OUTPUT_INVALID; those of the disk keep their own face. */
async function* readAll(source: NodeJS.ReadableStream, count: () => number): AsyncGenerator<Buffer> {
  try {
    for await (const piece of source) yield Buffer.from(piece);
  } catch (error) {
    if (error instanceof CallsheetError) throw error;
    throw new CallsheetError('OUTPUT_INVALID', `The file broke off after ${count()} bytes.`, {
      hint: 'The backend or the way to it failed; the file is asked for again.',
      cause: error,
    });
  }
}

/** What cannot be deleted now is swept at the next start; the first failure is the one worth telling. */
async function discard(temporary: string): Promise<void> {
  try {
    await rm(temporary, { force: true });
  } catch {
    // See above.
  }
}

function destroy(source: NodeJS.ReadableStream): void {
  if (!('destroy' in source) || typeof source.destroy !== 'function') return;
  source.destroy();
}

function invalid(message: string, retryable = true): CallsheetError {
  return new CallsheetError('OUTPUT_INVALID', message, {
    retryable,
    hint: 'Look at the file on the backend; if it is whole there, run the step again.',
  });
}

function translateFileFailure(error: unknown, directory: string): unknown {
  if (error instanceof CallsheetError || !(error instanceof Error) || !('syscall' in error)) return error;
  const why = isCode(error, 'ENOSPC', 'EDQUOT') ? 'the disk is full' : error.message;
  return new CallsheetError('STORAGE_FAILED', `A result could not be written to ${directory}: ${why}.`, {
    hint: 'Check that the folder belongs to you and that its disk has space.',
    cause: error,
  });
}
