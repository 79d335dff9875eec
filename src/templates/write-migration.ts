/** Writes a planned migration into the author's files: each whole or not at all, and none when somebody else has changed one since it was read. */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import { problemIn } from './locate.ts';
import { hashOf, type MigrationPlan, type PlannedFile } from './plan-migration.ts';

/** A lock that is older was left by a process that died; writing takes milliseconds. */
const STALE_MS = 60_000;
const LOCK = '.callsheet-migrate.lock';

interface Prepared extends PlannedFile {
  readonly temporary: string;
}

/**
 * Answers with what stands in the way of writing, and then nothing was written: a link, a file that may not be written. The new
 * texts lie beside the files, flushed, before the first is replaced; between the last look at all files and their renames nothing
 * else runs in this process. No backup is left: nothing but the changes that the plan names is different.
 * Throws TEMPLATE_CHANGED when a file is not the one that was planned for, or another migration is writing.
 */
export function writeMigration(plan: MigrationPlan): readonly Problem[] {
  const refused = plan.files.flatMap((file) => refusal(file));
  const [first] = plan.files;
  if (refused.length > 0 || first === undefined) return refused;
  const lock = join(plan.folder, LOCK);
  takeLock(lock, plan.path);
  const prepared: Prepared[] = [];
  try {
    for (const file of plan.files) prepared.push(prepare(file));
    replaceAll(prepared);
  } catch (error) {
    if (error instanceof CallsheetError) throw error;
    return [notWritten(first.path, reasonOf(error))];
  } finally {
    for (const { temporary } of prepared) rmSync(temporary, { force: true });
    rmSync(lock, { force: true });
  }
  return [];
}

// --- helpers ---

function refusal({ path }: PlannedFile): Problem[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw changed(path, 'is gone');
  if (stats.isSymbolicLink()) return [notWritten(path, 'it is a link, and what it leads to may belong to others')];
  if (!stats.isFile()) return [notWritten(path, 'it is no ordinary file')];
  if ((stats.mode & 0o222) === 0) return [notWritten(path, 'it is read-only')];
  return [];
}

function notWritten(path: string, reason: string): Problem {
  return problemIn(path, 'TEMPLATE_NOT_WRITTEN', `The file is not changed: ${reason}.`, 'Put an ordinary file there that you may write.');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function changed(path: string, what: string): CallsheetError {
  return new CallsheetError('TEMPLATE_CHANGED', `${path} ${what} since it was read; nothing was written.`, {
    hint: 'Look at it, then migrate again: the change of the other one stays.',
  });
}

/** One writer at a time for each folder. */
function takeLock(lock: string, path: string): void {
  for (let left = 1; ; left -= 1) {
    try {
      closeSync(openSync(lock, 'wx'));
      return;
    } catch (error) {
      if (!isExisting(error)) return;
      const age = ageOf(lock);
      if (left === 0 || age < STALE_MS) throw changed(path, 'is being migrated by somebody else');
      rmSync(lock, { force: true });
    }
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

function ageOf(path: string): number {
  const stats: Stats | undefined = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? STALE_MS : Date.now() - stats.mtimeMs;
}

/** Beside its place, with the rights of the file. */
function prepare(file: PlannedFile): Prepared {
  const temporary = join(dirname(file.path), `.callsheet-${randomUUID()}.partial`);
  const handle = openSync(temporary, 'wx');
  try {
    writeFileSync(handle, file.content);
    fchmodSync(handle, lstatSync(file.path).mode & 0o777);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return { ...file, temporary };
}

/** What was replaced is held under a second name until all are: a save into the very file at the last moment is seen and wins. */
function replaceAll(files: readonly Prepared[]): void {
  const held: { readonly path: string; readonly hash: string; readonly keep: string }[] = [];
  try {
    for (const { path, hash } of files) if (hashOf(readFileSync(path)) !== hash) throw changed(path, 'was changed by somebody else');
    for (const { path, hash, temporary } of files) {
      const keep = `${temporary}.before`;
      if (hold(path, keep)) held.push({ path, hash, keep });
      if (held.at(-1)?.keep === keep && lstatSync(keep).ino !== lstatSync(path).ino) throw changed(path, 'was replaced by somebody else');
      renameSync(temporary, path);
    }
    for (const { path, hash, keep } of held) if (hashOf(readFileSync(keep)) !== hash) throw changed(path, 'was changed by somebody else');
    for (const directory of new Set(files.map(({ path }) => dirname(path)))) syncDirectory(directory);
  } catch (error) {
    for (const { path, keep } of held) renameSync(keep, path);
    throw error;
  } finally {
    for (const { keep } of held) rmSync(keep, { force: true });
  }
}

/** False where the file system knows no second names: then only the look before counts. */
function hold(path: string, keep: string): boolean {
  try {
    linkSync(path, keep);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK'].includes(String(error.code)))
      return false;
    throw error;
  }
}

/** Windows has no such call and needs none. */
function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
