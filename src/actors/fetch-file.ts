/** Brings one file home: asked for again while it may get better, and with a failure that names step, node and file. */
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import type { Backend, RemoteFile, RemoteText } from '#backends/contract.ts';
import { type SavedArtifact, saveArtifact, type SaveRequest } from '#results/save.ts';
import type { ActorDeps } from './deps.ts';
import { withGrace } from './grace.ts';

/** Pauses before a file that arrived broken, or was not there, is asked for again, in milliseconds: it may still be being written. */
const BROKEN_PAUSES = [200, 1000];
/** The same for one that could not be written, in multiples of the usual pause: somebody may make room. */
const UNWRITTEN_PAUSES = [1, 5, 20];

export interface FileWish extends Omit<SaveRequest, 'source' | 'expectedBytes' | 'claimedName' | 'isText' | 'signal'> {
  readonly backend: Pick<Backend, 'fetch'>;
  readonly file: RemoteFile | RemoteText;
  readonly step: string;
  readonly signal: AbortSignal;
  /** Told once for each reason that it is waited for. */
  readonly onWait: (code: 'BACKEND_WAITED_FOR' | 'DISK_WAITED_FOR', error: CallsheetError) => void;
}

/** Throws OUTPUT_MISSING, OUTPUT_INVALID, STORAGE_FAILED, what the backend throws once the grace is over, and the signal's reason. */
export async function fetchFile(deps: Pick<ActorDeps, 'restartGraceMs' | 'retryMs'>, wish: FileWish): Promise<SavedArtifact> {
  const { backend, file, step, signal, onWait, ...request } = wish;
  const once = async (): Promise<SavedArtifact> => {
    if ('text' in file) return saveArtifact({ ...request, source: Readable.from([Buffer.from(file.text)]), isText: true, signal });
    const { stream, bytes } = await backend.fetch(file, signal);
    const expected = bytes === undefined ? {} : { expectedBytes: bytes };
    return saveArtifact({ ...request, source: stream, ...expected, claimedName: file.filename, signal });
  };
  // The files lie on the backend's disk and outlive its restart: what is finished is not given up for an answer that is late.
  const patience = { graceMs: deps.restartGraceMs, retryMs: deps.retryMs, outwaitsSilence: true, outwaitsErrors: true };
  try {
    return await withGrace(
      patience,
      signal,
      () => again(deps.retryMs, wish, once),
      (error) => error instanceof CallsheetError && onWait('BACKEND_WAITED_FOR', error),
    );
  } catch (error) {
    signal.throwIfAborted();
    throw named(error, file, step);
  }
}

/** What is written beside the files waits for room as they do. Throws STORAGE_FAILED with the step, and the signal's reason. */
export async function whenWritable<T>(
  { retryMs }: Pick<ActorDeps, 'retryMs'>,
  { step, signal, onWait }: Pick<FileWish, 'step' | 'signal' | 'onWait'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await again(retryMs, { signal, onWait }, work);
  } catch (error) {
    if (!(error instanceof CallsheetError) || error.code !== 'STORAGE_FAILED') throw error;
    throw new CallsheetError(error.code, `Step '${step}': ${error.message}`, { ...error.data, step, cause: error });
  }
}

// --- helpers ---

async function again<T>(retryMs: number, { signal, onWait }: Pick<FileWish, 'signal' | 'onWait'>, work: () => Promise<T>): Promise<T> {
  let [broken, unwritten] = [0, 0];
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CallsheetError)) throw error;
      const wait = isBroken(error)
        ? BROKEN_PAUSES[broken++]
        : error.code === 'STORAGE_FAILED' && (UNWRITTEN_PAUSES[unwritten++] ?? Number.NaN) * retryMs;
      if (wait === undefined || wait === false || Number.isNaN(wait)) throw error;
      if (error.code === 'STORAGE_FAILED') onWait('DISK_WAITED_FOR', error);
      await pause(wait, undefined, { signal });
    }
  }
}

/** One that is too large stays so. */
function isBroken({ code, data: { retryable } }: CallsheetError): boolean {
  return code === 'OUTPUT_MISSING' || (code === 'OUTPUT_INVALID' && retryable);
}

const OF_FILES: ReadonlySet<string> = new Set(['OUTPUT_MISSING', 'OUTPUT_INVALID', 'STORAGE_FAILED']);

/** What the file is called on the backend, and whose it is: the same words for a person, and apart for a program. */
function named(error: unknown, file: RemoteFile | RemoteText, step: string): unknown {
  if (!(error instanceof CallsheetError) || !OF_FILES.has(error.code)) return error;
  const name = 'filename' in file ? file.filename.replaceAll(/\p{C}/gu, '?').slice(0, 200) : 'a text';
  const message = `Step '${step}', node ${file.node}, ${name}: ${error.message}`;
  const details = { ...error.data.details, file: name };
  return new CallsheetError(error.code, message, { ...error.data, step, node: file.node, details, cause: error });
}
