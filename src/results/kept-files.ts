/**
 * The files of the result cache, named by their content. They are copies (blocks shared where the file system can), never links: whoever edits a
 * result, or a file in here, changes nothing else. What is read is held against its name, so that nothing that was changed is ever handed out.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isCode, isPartialName, partialPath } from './durable.ts';

export type KeptState = 'whole' | 'gone' | 'changed';

export interface KeptFiles {
  /** Throws what the disk says where nothing can be put in. */
  probe(): Promise<void>;
  /** Copies a file of this content in, unless it is there. Throws what the disk says; nothing half-written stays. */
  add(path: string, sha256: string, bytes: number): Promise<void>;
  /** Reads the whole of it. */
  state(sha256: string, bytes: number): Promise<KeptState>;
  path(sha256: string): string;
  /** Files that are gone are no failure. */
  remove(hashes: Iterable<string>): Promise<void>;
  /** Removes our files that `known` does not name, and what a killed daemon left half-written; what is not ours by its name stays. How many. */
  sweep(known: ReadonlySet<string>): Promise<number>;
}

const FOLDER = /^[0-9a-f]{2}$/;
const NAME = /^[0-9a-f]{62}$/;

export function createKeptFiles(directory: string): KeptFiles {
  const folderOf = (sha256: string) => join(directory, sha256.slice(0, 2));
  const path = (sha256: string) => join(folderOf(sha256), sha256.slice(2));
  return {
    path,
    async probe() {
      // Where the sweep finds it, should the daemon be killed now.
      const folder = folderOf('00');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const temporary = partialPath(folder);
      await writeFile(temporary, '', { flag: 'wx' });
      await rm(temporary);
    },
    async add(source, sha256, bytes) {
      const target = path(sha256);
      if ((await sizeOf(target)) === bytes) return;
      const folder = folderOf(sha256);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const temporary = partialPath(folder);
      try {
        await copyFile(source, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
        // Not flushed: what a power cut leaves of it is found out when it is read.
        await rename(temporary, target);
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw error;
      }
    },
    async state(sha256, bytes) {
      const size = await sizeOf(path(sha256));
      if (size === undefined) return 'gone';
      if (size !== bytes) return 'changed';
      const hash = createHash('sha256');
      try {
        await pipeline(createReadStream(path(sha256)), hash);
      } catch (error) {
        return isCode(error, 'ENOENT') ? 'gone' : 'changed';
      }
      return hash.digest('hex') === sha256 ? 'whole' : 'changed';
    },
    async remove(hashes) {
      for (const sha256 of hashes) await removed(path(sha256));
    },
    async sweep(known) {
      let count = 0;
      for (const folder of await namesIn(directory)) {
        if (!FOLDER.test(folder)) continue;
        for (const name of await namesIn(join(directory, folder))) {
          const isOurs = isPartialName(name) || (NAME.test(name) && !known.has(folder + name));
          if (!isOurs) continue;
          if (await removed(join(directory, folder, name))) count += 1;
        }
      }
      return count;
    },
  };
}

/** Of a file itself; a link to one is none of ours. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** What somebody put in the way, as a folder, stays. */
async function removed(path: string): Promise<boolean> {
  try {
    await rm(path);
    return true;
  } catch {
    return false;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
