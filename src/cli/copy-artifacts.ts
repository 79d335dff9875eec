/** Copies results into a directory of the user's: whole or not at all, and never over a file that is there already. */
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import type { ArtifactView, SequenceView } from '#protocol/views.ts';
import { hashOfFile, hashOfSequence, namesOf } from '#results/sequences.ts';
import { errorCode } from './error-code.ts';

/** The artifacts with `path` pointing to their copies. A copy that is there already, equal byte for byte, is taken as it is. */
export async function copyArtifacts(artifacts: readonly ArtifactView[], directory: string): Promise<ArtifactView[]> {
  const copies: ArtifactView[] = [];
  try {
    await mkdir(directory, { recursive: true });
    for (const artifact of artifacts) {
      const { sequence } = artifact;
      const path = sequence === undefined ? await copyOne(artifact, directory) : await copyFolder(artifact.path, sequence, directory);
      copies.push({ ...artifact, path });
    }
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
  try {
    await copyWhole(artifact.path, temporary);
    for (let number = 1; ; number += 1) {
      const target = resolve(directory, number === 1 ? name : numbered(name, number));
      if (await place(temporary, target)) return target;
      if ((await hashOfFile(target)) === artifact.sha256) return target;
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A sequence keeps its folder: its pictures belong together, and their numbers mean something. The path of its first picture. */
async function copyFolder(first: string, sequence: SequenceView, directory: string): Promise<string> {
  const from = dirname(first);
  const name = basename(from);
  const temporary = join(directory, `.${name}.${process.pid}.tmp`);
  try {
    await mkdir(temporary);
    for (const picture of namesOf(sequence)) await copyWhole(join(from, picture), join(temporary, picture));
    for (let number = 1; ; number += 1) {
      const target = resolve(directory, number === 1 ? name : `${name}-${number}`);
      const copy = join(target, basename(first));
      if (!(await isThere(target))) {
        await rename(temporary, target);
        return copy;
      }
      if ((await hashOfSequence(copy, sequence)) === sequence.sha256) return copy;
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
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

async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const handle = await open(to, 'r+');
  await handle.sync().finally(() => handle.close());
}
