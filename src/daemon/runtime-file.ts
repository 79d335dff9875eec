/** The runtime file: how clients find the daemon and its key. Readable by its owner alone, whole or absent. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { join, resolve } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { defaultDataDir, platformDataDir } from './places.ts';
import type { Environment } from './places.ts';

export interface RuntimeInfo {
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  /** Names the process; a new one after each start. */
  readonly instance: string;
  /** `ws://127.0.0.1:PORT/rpc`. */
  readonly url: string;
  readonly port: number;
  /** Path of the Unix socket that serves the same; absent where there is none. */
  readonly socket?: string;
  /** Key of scope admin. */
  readonly key: string;
  readonly dataDir: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** Where the runtime file of a data directory lies: one name for the default directory, a name of its own for each other. */
export function runtimeFilePath(dataDir: string, env: Environment = process.env): string {
  const absolute = resolve(dataDir);
  const set = env['CALLSHEET_RUNTIME_DIR'];
  const xdg = env['XDG_RUNTIME_DIR'];
  const folder =
    set !== undefined && set !== '' ? resolve(set) : xdg !== undefined && xdg !== '' ? join(xdg, 'callsheet') : join(absolute, 'runtime');
  // CALLSHEET_DATA does not count here: clients that set it differently would take one another's file.
  const isDefault = absolute === resolve(platformDataDir(env));
  const hash = createHash('sha256').update(absolute).digest('hex').slice(0, 8);
  return join(folder, isDefault ? 'runtime.json' : `runtime-${hash}.json`);
}

/** Makes the directory if need be. Throws RUNTIME_DIR_UNSAFE when somebody else could read or replace what is written there. */
export function demandSafePlace(file: string): void {
  const folder = join(file, '..');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const there = lstatSync(folder, { throwIfNoEntry: false });
    if (there !== undefined) demandPrivate(folder, there, 'directory');
    throw new CallsheetError('RUNTIME_DIR_UNSAFE', `The runtime directory ${folder} can not be made.`, {
      hint: 'Check the rights of the directory above it, or set CALLSHEET_RUNTIME_DIR to a directory of your own.',
      cause: error,
    });
  }
  demandPrivate(folder, lstatSync(folder), 'directory');
  const before = lstatSync(file, { throwIfNoEntry: false });
  if (before !== undefined) demandPrivate(file, before, 'file');
}

/** Throws RUNTIME_DIR_UNSAFE. */
export function writeRuntimeFile(file: string, info: RuntimeInfo): void {
  writePrivate(file, `${JSON.stringify(info, undefined, 2)}\n`);
}

/** Where `callsheet open` leaves the page that sends the browser on; beside the runtime file. */
export function redirectPath(runtimeFile: string): string {
  return runtimeFile.replace(/\.json$/, '.open.html');
}

/** Written beside and renamed, 0600 whatever the umask. Throws RUNTIME_DIR_UNSAFE. */
export function writePrivate(file: string, text: string): void {
  demandSafePlace(file);
  const temporary = `${file}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
  const handle = openSync(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, file);
}

/** Removes the file if it is still this process's own. */
export function removeRuntimeFile(file: string, instance: string): void {
  if (readRuntimeFile(file)?.instance === instance) rmSync(file, { force: true });
}

/** Undefined when there is none or it is not whole. Throws RUNTIME_DIR_UNSAFE when somebody else could have written it. */
export function readRuntimeFile(file: string): RuntimeInfo | undefined {
  const entry = lstatSync(file, { throwIfNoEntry: false });
  if (entry === undefined) return undefined;
  demandPrivate(file, entry, 'file');
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    demandPrivate(file, fstatSync(handle), 'file');
    const value: unknown = JSON.parse(readFileSync(handle, 'utf8'));
    return isRuntimeInfo(value) ? value : undefined;
  } catch (error) {
    if (error instanceof CallsheetError) throw error;
    return undefined;
  } finally {
    closeSync(handle);
  }
}

/** The running daemon of a data directory, or undefined. The process lives; whether it is the daemon, the handshake shows. */
export function findRuntime(options: { readonly dataDir?: string; readonly env?: Environment } = {}): RuntimeInfo | undefined {
  const env = options.env ?? process.env;
  const info = readRuntimeFile(runtimeFilePath(options.dataDir ?? defaultDataDir(env), env));
  return info !== undefined && isAlive(info.pid) ? info : undefined;
}

// --- helpers ---

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, as somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function demandPrivate(path: string, stats: Stats, kind: 'directory' | 'file'): void {
  const uid = process.getuid?.();
  const found = stats.isSymbolicLink()
    ? 'is a symbolic link'
    : kind === 'directory' && !stats.isDirectory()
      ? 'is not a directory'
      : kind === 'file' && !stats.isFile()
        ? 'is not a regular file'
        : kind === 'file' && stats.nlink > 1
          ? 'has a second name (hard link)'
          : uid !== undefined && stats.uid !== uid
            ? 'belongs to another user'
            : // Windows has no such bits; there the profile directory's own rights protect the file.
              uid !== undefined && (stats.mode & 0o077) !== 0
              ? `is open to others (mode ${(stats.mode & 0o777).toString(8).padStart(4, '0')})`
              : undefined;
  if (found === undefined) return;
  throw new CallsheetError('RUNTIME_DIR_UNSAFE', `The runtime ${kind} ${path} ${found}.`, {
    hint:
      kind === 'directory'
        ? `Run: chmod 700 ${path}, or set CALLSHEET_RUNTIME_DIR to a directory of your own.`
        : `Remove it and start the daemon again: rm ${path}`,
  });
}

function isRuntimeInfo(value: unknown): value is RuntimeInfo {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, port, url, key, instance } = value as Partial<Record<keyof RuntimeInfo, unknown>>;
  return (
    Number.isInteger(pid) && Number.isInteger(port) && typeof url === 'string' && typeof key === 'string' && typeof instance === 'string'
  );
}
