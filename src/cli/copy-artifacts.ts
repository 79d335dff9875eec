/** Copies results into a directory of the user's: whole or not at all, and never over a file that is there already. */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, rm } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CallsheetError } from '#protocol/errors.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { errorCode } from './error-code.ts';

/** The artifacts with `path` pointing to their copies. A copy that is there already, equal byte for byte, is taken as it is. */
export async function copyArtifacts(artifacts: readonly ArtifactView[], directory: string): Promise<ArtifactView[]> {
  const copies: ArtifactView[] = [];
  try {
    await mkdir(directory, { recursive: true });
    for (const artifact of artifacts) copies.push({ ...artifact, path: await copyOne(artifact, directory) });
  } catch (error) {
    if (error instanceof CallsheetError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CallsheetError('OUT_NOT_WRITTEN', `The results could not be copied to ${directory}: ${reason}`, {
      hint: 'The run itself is complete; its files are listed by: callsheet runs show ID',
      cause: error,
    });
  }
  return copies;
}

// --- helpers ---

async function copyOne(artifact: ArtifactView, directory: string): Promise<string> {
  const name = basename(artifact.path);
  const temporary = join(directory, `.${name}.${process.pid}.tmp`);
  await copyFile(artifact.path, temporary);
  try {
    const handle = await open(temporary, 'r+');
    await handle.sync().finally(() => handle.close());
    for (let number = 1; ; number += 1) {
      const target = resolve(directory, number === 1 ? name : numbered(name, number));
      if (await place(temporary, target)) return target;
      if ((await sha256Of(target)) === artifact.sha256) return target;
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

/** False when the name is taken. A link fails on a taken name where a rename would replace the file. */
async function place(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // Memory cards and some network shares know no links.
    return copyExclusively(temporary, target);
  }
}

async function copyExclusively(temporary: string, target: string): Promise<boolean> {
  try {
    await copyFile(temporary, target, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function numbered(name: string, number: number): string {
  const extension = extname(name);
  return `${name.slice(0, name.length - extension.length)}-${number}${extension}`;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
