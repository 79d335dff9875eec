/** The place of the result cache in the data directory: its index and its files, with what an earlier daemon left half-done swept. */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { makeRoom } from '#actors/result-cache/kept-store.ts';
import { toErrorData } from '#protocol/errors.ts';
import { createKeptFiles, type KeptFiles } from '#results/kept-files.ts';
import { openResultIndex, type ResultIndex } from '#store/result-index.ts';
import type { Logger } from './log.ts';
import { makeDirectory } from './places.ts';

export interface KeptResults {
  readonly index: ResultIndex;
  readonly files: KeptFiles;
  /** Bytes; 0 keeps nothing. */
  readonly limit: number;
  /** Where the last words of backends lie. */
  readonly backends: string;
  /** Why no file can be put in, as the disk says it. */
  readonly trouble: string | undefined;
  readonly close: () => void;
}

/** By default: much for pictures, little beside the models of a workstation, and never more than a part of the disk. */
export const USUAL_CACHE_BYTES = 10 * 1024 ** 3;
const PART_OF_DISK = 0.1;

/** May be deleted at any time, also while a daemon runs. Never throws: without a place nothing is kept. */
export async function openKeptResults(dataDir: string, limit: number | undefined, log: Logger): Promise<KeptResults> {
  const directory = join(dataDir, 'cache');
  const index = openResultIndex({
    file: join(directory, 'results.db'),
    onFailure: (error) => log.warn({ err: error }, 'the index of the result cache failed; results are made anew'),
  });
  const files = createKeptFiles(join(directory, 'results'));
  const bytes = limit ?? usualLimit(dataDir);
  // It may have been lowered since.
  await makeRoom({ index, files, limit: bytes });
  const swept = await files.sweep(index.files());
  if (swept > 0) log.info({ swept }, 'kept files that no result names were removed');
  const trouble = bytes === 0 ? undefined : await troubleOf(files, log);
  return { index, files, limit: bytes, backends: join(directory, 'backends'), trouble, close: index.close };
}

// --- helpers ---

async function troubleOf(files: KeptFiles, log: Logger): Promise<string | undefined> {
  try {
    await files.probe();
    return undefined;
  } catch (error) {
    log.warn({ err: error }, 'nothing can be put into the result cache');
    return toErrorData(error).message;
  }
}

function usualLimit(dataDir: string): number {
  try {
    makeDirectory(dataDir);
    const { blocks, bsize } = statfsSync(dataDir);
    return Math.min(USUAL_CACHE_BYTES, Math.floor(blocks * bsize * PART_OF_DISK));
  } catch {
    return USUAL_CACHE_BYTES;
  }
}
