/** What `stat` says of a template's files, and how far that can be believed: whether they are at rest, and whether equal means unchanged. */
import { statSync } from 'node:fs';

/** Milliseconds without a change after which the files of one template count as saved together. The watcher is silent a little longer. */
export const REST_MS = 60;

/**
 * Milliseconds that must lie between the last change and the reading before an equal stamp means equal content: two changes
 * within one step of the file system's clock look the same. 2 s is the coarsest step in use (FAT).
 */
const STEP_MS = 3000;

/** Clocks of file servers may run ahead; what lies further in the future says nothing about rest. */
const AHEAD_MS = 2000;

export interface Stamp {
  /** Size, time of writing, time of change and number of each file, in the order asked. */
  readonly text: string;
  /** The latest change, in milliseconds since 1970; 0 when no file is there. ctime: programs can set mtime back, never this one. */
  readonly changed: number;
  /** A time is whole seconds: the file system's clock may be coarse. */
  readonly coarse: boolean;
}

/** Links are followed. A file that is not there has a stamp too. */
export function stampOf(files: readonly string[]): Stamp {
  let text = '';
  let changed = 0;
  let coarse = false;
  for (const file of files) {
    const found = lookAt(file);
    if (found === undefined) {
      text += '-|';
      continue;
    }
    text += `${found.size}:${found.mtimeMs}:${found.ctimeMs}:${found.dev}:${found.ino}|`;
    changed = Math.max(changed, found.ctimeMs);
    coarse ||= found.ctimeMs % 1000 === 0;
  }
  return { text, changed, coarse };
}

function lookAt(file: string) {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    // No right to look, a file where a folder should be, a circle of links: reading it will say which.
    return undefined;
  }
}

/** Nothing was changed for `REST_MS`: an editor that replaces several files one after the other is done. */
export function atRest({ changed }: Stamp, now: number): boolean {
  const age = now - changed;
  return age >= REST_MS || age < -AHEAD_MS;
}

/** Whether files with this stamp, read at `readAt`, are the same as long as the stamp is. Else their content has to be compared. */
export function isTrusted({ changed, coarse }: Stamp, readAt: number): boolean {
  return !coarse && readAt - changed >= STEP_MS;
}
