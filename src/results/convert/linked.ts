/** One file under one more name; a copy where the disk has no hard links. */
import { copyFile, link } from 'node:fs/promises';
import { isCode } from '../durable.ts';

export async function linked(path: string, target: string): Promise<void> {
  try {
    await link(path, target);
  } catch (error) {
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK', 'EINVAL', 'EXDEV')) throw error;
    await copyFile(path, target);
  }
}
