/**
 * The files of the log: `callsheet.log` is the newest, `callsheet.log.1` the one before, and so on; together they stay within a bound. Written
 * through pino's own stream, which never splits a line between two files.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';

export const LOG_NAME = 'callsheet.log';
export const USUAL_LOG_BYTES = 50_000_000;
export const LEAST_LOG_BYTES = 1_000_000;

export interface LogFile {
  readonly stream: pino.DestinationStream;
  /** Writes down what it can; nothing is written after it. */
  close(): Promise<void>;
}

/** With the newest one. */
const FILES = 5;
/** Characters that wait while the disk takes none; what comes after them is lost. */
const MOST_WAITING = 1_000_000;
/** Between two tries to write what waits, in milliseconds. */
const TRY_EVERY_MS = 1000;

/** `bytes`: all files together. Throws what making the folder throws. */
export function openLogFile(dataDir: string, bytes: number): LogFile {
  const folder = join(dataDir, 'log');
  const path = join(folder, LOG_NAME);
  const most = Math.floor(bytes / FILES);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  removeBeyond(folder);
  let size = sizeOf(path);
  if (size >= most && rotate(folder)) size = 0;

  const file = pino.destination({ dest: path, append: true, mkdir: false, sync: false, mode: 0o600, maxLength: MOST_WAITING });
  // On a full disk lines are lost; the daemon must not be.
  let isStuck = false;
  let isClosing = false;
  file.on('error', () => (isStuck = true));
  file.on('write', (written: number) => {
    isStuck = false;
    size += written;
    // One that ends is opened no more: its last lines stay where they are, and the next start moves the file on.
    if (size < most || isClosing || !rotate(folder)) return;
    size = 0;
    file.reopen();
  });
  // After an error the stream tries again only when it is given something, and while it is full it takes nothing but nothing.
  const again = setInterval(() => {
    if (isStuck) file.write('');
  }, TRY_EVERY_MS);
  again.unref();

  return {
    stream: file,
    close: () =>
      new Promise((resolve) => {
        isClosing = true;
        clearInterval(again);
        file.once('close', resolve);
        // What cannot be written down now is not waited for.
        file.once('error', () => resolve());
        file.end();
      }),
  };
}

/** From the oldest to the newest, those that are there. */
export function logFiles(dataDir: string): readonly string[] {
  const folder = join(dataDir, 'log');
  return numbered(folder)
    .toSorted((a, b) => b - a)
    .map((number) => join(folder, nameOf(number)));
}

// --- helpers ---

function nameOf(number: number): string {
  return number === 0 ? LOG_NAME : `${LOG_NAME}.${number}`;
}

/** The newest is 0. */
function numbered(folder: string): readonly number[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    if (name === LOG_NAME) return [0];
    const number = Number(/^callsheet\.log\.([1-9]\d{0,3})$/.exec(name)?.[1]);
    return Number.isNaN(number) ? [] : [number];
  });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Of a time with more files. */
function removeBeyond(folder: string): void {
  for (const number of numbered(folder)) if (number >= FILES) rmSync(join(folder, nameOf(number)), { force: true });
}

/** Moves every file one place on; the oldest goes. False when the folder allows none of it: the log goes on where it is. */
function rotate(folder: string): boolean {
  try {
    for (let number = FILES - 2; number >= 0; number -= 1) {
      const from = join(folder, nameOf(number));
      if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, join(folder, nameOf(number + 1)));
    }
    return true;
  } catch {
    return false;
  }
}
