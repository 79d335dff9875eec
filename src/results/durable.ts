/** Files that appear whole or not at all: written under a temporary name, flushed, then given their own. */
import { randomUUID } from 'node:crypto';
import { link, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const PARTIAL = /^\.callsheet-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.partial$/;

export function partialPath(directory: string): string {
  return join(directory, `.callsheet-${randomUUID()}.partial`);
}

/** True for names that only we make: such a file may be deleted when no daemon is writing it. */
export function isPartialName(name: string): boolean {
  return PARTIAL.test(name);
}

/** A rename is durable only once its directory is; Windows has no such call and needs none. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a finished temporary file its name. False when the name is taken: what stands there is never overwritten. */
export async function publishNew(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK', 'EINVAL')) throw error;
    return publishWithoutLinks(temporary, target);
  }
  await unlink(temporary);
  return true;
}

/** exFAT and some network disks have no hard links: the name is claimed with an empty file, which the rename replaces. */
async function publishWithoutLinks(temporary: string, target: string): Promise<boolean> {
  try {
    const claim = await open(target, 'wx');
    await claim.close();
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
  await rename(temporary, target);
  return true;
}

/** Writes or replaces one of our own small files. */
export async function writeWhole(target: string, content: string | Uint8Array, mode?: number): Promise<void> {
  const directory = dirname(target);
  const temporary = partialPath(directory);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
    await syncDirectory(directory);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
