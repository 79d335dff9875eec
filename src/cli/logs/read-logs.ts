/** Reads the files of the log as one, from the oldest line on, and goes on with what is written to them. Needs no daemon. */
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { logFiles } from '#daemon/log-file.ts';

/** Says that everything is read that was there; what follows is new. */
export const CAUGHT_UP = Symbol('caught up');

/** Between two looks for more, in milliseconds. */
const LOOK_EVERY_MS = 200;
const CHUNK = 64 * 1024;

/**
 * Every line that is there, `CAUGHT_UP`, and with `follow` every line that is written until its end: over files that are moved on, and over
 * daemons that end and begin. Nothing falls in between, and nothing comes twice.
 */
export async function* readLog(dataDir: string, follow?: AbortSignal): AsyncGenerator<string | typeof CAUGHT_UP> {
  let current: Reader | undefined;
  let isTold = false;
  try {
    for (;;) {
      if (current !== undefined) yield* current.lines();
      // Whoever writes begins the next file after the last line of this one.
      const next = await nextAfter(dataDir, current?.id);
      if (next !== undefined) {
        if (current !== undefined) yield* current.lines();
        await current?.close();
        current = next;
        continue;
      }
      if (!isTold) yield CAUGHT_UP;
      isTold = true;
      if (follow === undefined || follow.aborted) return;
      await pause(LOOK_EVERY_MS, undefined, { signal: follow }).catch(() => undefined);
    }
  } finally {
    await current?.close();
  }
}

// --- helpers ---

interface Reader {
  /** The same for a file that was given another name. */
  readonly id: string;
  /** Whole lines that were not read yet. */
  lines(): AsyncGenerator<string>;
  close(): Promise<void>;
}

/** The file that follows the one that was read, the oldest when that is gone; undefined when there is none. */
async function nextAfter(dataDir: string, id: string | undefined): Promise<Reader | undefined> {
  const found: Reader[] = [];
  try {
    for (const path of logFiles(dataDir)) {
      const reader = await openReader(path);
      // Moved on while the list was read.
      if (reader !== undefined && found.some((one) => one.id === reader.id)) await reader.close();
      else if (reader !== undefined) found.push(reader);
    }
    const at = found.findIndex((one) => one.id === id);
    const next = found[at + 1];
    if (next !== undefined) found.splice(at + 1, 1);
    return next;
  } finally {
    await Promise.all(found.map((reader) => reader.close()));
  }
}

async function openReader(path: string): Promise<Reader | undefined> {
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const { dev, ino } = await file.stat();
  let at = 0;
  let rest: Buffer = Buffer.alloc(0);
  return {
    id: `${String(dev)}:${String(ino)}`,
    async *lines() {
      for (;;) {
        const piece = Buffer.alloc(CHUNK);
        const { bytesRead } = await file.read(piece, 0, CHUNK, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        // Lines end with a byte that is part of no other character.
        const known = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
        const end = known.lastIndexOf('\n');
        rest = known.subarray(end + 1);
        if (end >= 0) yield* known.toString('utf8', 0, end).split('\n');
      }
    },
    close: () => file.close(),
  };
}
