/**
 * A few words beside the database: whose it is, and how far its log had come. A database that is gone without a backup, or that somebody replaced
 * by an older copy, is known by them; and results that lie elsewhere are known as those of this data directory.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { v4 as uuidv4 } from 'uuid';
import { syncDirectory } from './durable.ts';

export interface Mark {
  /** Of the data directory; the same for all databases that it ever has. */
  readonly id: string;
  readonly epoch: string;
  /** The highest position in the log, or one before it. */
  readonly position: number;
}

const FILE = 'mark.json';

/** Undefined where none was written, or what is there cannot be read. */
export function readMark(directory: string): Mark | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(directory, FILE), 'utf8'));
    return isMark(value) ? { id: value.id, epoch: value.epoch, position: value.position } : undefined;
  } catch {
    return undefined;
  }
}

export interface MarkKeeper {
  readonly id: string;
  /** Writes down how far the log has come, if that is news. */
  write(): void;
}

/** `store` is one that was found, or made, to be in order. */
export function keepMark(directory: string, store: { readonly epoch: string; lastPosition(): number }): MarkKeeper {
  let written = readMark(directory);
  const id = written?.id ?? uuidv4();
  return {
    id,
    write() {
      const mark: Mark = { id, epoch: store.epoch, position: store.lastPosition() };
      if (written?.epoch === mark.epoch && written.position === mark.position) return;
      writeMark(directory, mark);
      written = mark;
    },
  };
}

function writeMark(directory: string, mark: Mark): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = join(directory, `.${FILE}.partial`);
  rmSync(temporary, { force: true });
  const handle = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(handle, `${JSON.stringify(mark)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(temporary, join(directory, FILE));
  syncDirectory(directory);
}

function isMark(value: unknown): value is Mark {
  if (typeof value !== 'object' || value === null) return false;
  const { id, epoch, position } = value as Readonly<Record<string, unknown>>;
  return typeof id === 'string' && typeof epoch === 'string' && Number.isSafeInteger(position);
}
