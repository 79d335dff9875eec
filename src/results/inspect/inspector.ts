/**
 * Looks into foreign files in a child process, which may read nothing but its own code, has little memory and little time, and is killed when
 * it takes more. One child serves one file after the other and stays for a while, so that it costs little.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CallsheetError } from '#protocol/errors.ts';
import { bytesOfFile } from '../bytes.ts';
import type { FromChild, Inspection, ToChild } from './messages.ts';

export type { Inspection } from './messages.ts';

export interface InspectorLimits {
  /** For one file, in milliseconds. */
  readonly timeMs: number;
  /** Of the JavaScript heap, in MiB, and of the process as a whole, in bytes. */
  readonly heapMiB: number;
  readonly rss: number;
  /** Files that one child looks at, and how long it waits for another, in milliseconds. */
  readonly files: number;
  readonly idleMs: number;
}

export const INSPECTOR_LIMITS: InspectorLimits = { timeMs: 5000, heapMiB: 128, rss: 320 * 1024 ** 2, files: 500, idleMs: 30_000 };

export interface Inspector {
  /** Throws FILE_NOT_FOUND (not there, no rights) and FILE_TOO_COMPLEX (more time or memory than a file is worth). */
  inspect(path: string): Promise<Inspection>;
  close(): void;
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const ROOM = fileURLToPath(new URL('../../', import.meta.url));
/** `imports` of package.json say where `#room/…` is. */
const PACKAGE = fileURLToPath(new URL('../../../package.json', import.meta.url));

/** No process is made before it is needed. */
export function createInspector(limits: InspectorLimits = INSPECTOR_LIMITS): Inspector {
  let helper: Helper | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const one = async (path: string): Promise<Inspection> => {
    if (isClosed) throw new CallsheetError('CANCELLED', 'The daemon is stopping; no more files are looked into.');
    const handle = await openFile(path);
    try {
      const { size } = await handle.stat();
      if (helper?.isSpent !== false) helper = startHelper(limits);
      return await helper.inspect(handle, size);
    } finally {
      await handle.close();
    }
  };

  return {
    inspect(path) {
      // One after the other: a second child would only wait for the same disk.
      const next = last.then(
        () => one(path),
        () => one(path),
      );
      last = next;
      return next;
    },
    close() {
      isClosed = true;
      helper?.end();
    },
  };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw new CallsheetError('FILE_NOT_FOUND', `The file can not be read: ${path}`, {
      hint: 'It was moved, deleted, or belongs to somebody else.',
      cause: error,
    });
  }
}

interface Helper {
  /** True when another one has to be made for the next file. */
  readonly isSpent: boolean;
  inspect(handle: FileHandle, size: number): Promise<Inspection>;
  end(): void;
}

/** Rights and memory of the child: it may read its own code, and can neither write, start programs nor load native code. */
export function childArguments(heapMiB: number): string[] {
  const rights = ['--permission', `--allow-fs-read=${ROOM}*`, `--allow-fs-read=${PACKAGE}`];
  return [...rights, `--max-old-space-size=${heapMiB}`, '--disallow-code-generation-from-strings', '--no-warnings'];
}

function startHelper(limits: InspectorLimits): Helper {
  const child = fork(CHILD, [], {
    execArgv: childArguments(limits.heapMiB),
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  // It must not keep a process alive that has nothing else to do.
  child.unref();
  child.channel?.unref();
  let count = 0;
  let isSpent = false;
  let idle: NodeJS.Timeout | undefined;
  const ready = started(child);
  const end = (): void => {
    isSpent = true;
    clearTimeout(idle);
    child.kill('SIGKILL');
  };
  child.once('exit', () => {
    isSpent = true;
  });
  return {
    get isSpent() {
      return isSpent;
    },
    end,
    async inspect(handle, size) {
      clearTimeout(idle);
      count += 1;
      try {
        // How long a process takes to begin says nothing about a file.
        await ready;
        return await ask(child, handle, size, count, limits);
      } catch (error) {
        end();
        throw error;
      } finally {
        if (count >= limits.files) end();
        idle = setTimeout(end, limits.idleMs).unref();
      }
    },
  };
}

const STARTS_WITHIN = 30_000;

function started(child: ChildProcess): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(notStarted()), STARTS_WITHIN);
    child.once('message', () => resolve());
    child.once('error', () => reject(notStarted()));
    child.once('exit', () => reject(notStarted()));
    child.once('message', () => clearTimeout(timer));
    child.once('exit', () => clearTimeout(timer));
  });
  // Whoever waits for it hears of it.
  ready.catch(() => undefined);
  return ready;
}

function notStarted(): CallsheetError {
  return new CallsheetError('INTERNAL', 'The process that looks into files does not start.', {
    hint: 'See whether the machine has memory left and lets programs start others.',
  });
}

/** Rejects when the child takes too long, too much, or dies; it is of no more use then. */
function ask(child: ChildProcess, handle: FileHandle, size: number, id: number, limits: InspectorLimits): Promise<Inspection> {
  const source = bytesOfFile(handle, size);
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      child.off('message', hear);
      child.off('exit', gone);
      outcome();
    };
    const refuse = (why: string): void => settle(() => reject(tooComplex(why)));
    const gone = (): void => refuse('it needs more memory than is worth spending on it');
    const timer = setTimeout(() => refuse(`it takes longer than ${limits.timeMs / 1000} s`), limits.timeMs);
    const give = async (at: number, length: number): Promise<void> => {
      const bytes = await source.read(at, length);
      if (child.connected) child.send({ type: 'bytes', id, bytes } satisfies ToChild);
    };
    const hear = (message: FromChild): void => {
      if (message.type === 'ready' || message.id !== id) return;
      if (message.type !== 'failed' && message.rss > limits.rss) gone();
      else if (message.type === 'read') give(message.at, message.length).catch((error: unknown) => settle(() => reject(asError(error))));
      else if (message.type === 'done') settle(() => resolve(message.inspection));
      else refuse(message.message);
    };
    child.on('message', hear);
    child.once('exit', gone);
    if (child.exitCode !== null || child.signalCode !== null) gone();
    else child.send({ type: 'inspect', id, size } satisfies ToChild, (error) => error !== null && gone());
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function tooComplex(why: string): CallsheetError {
  return new CallsheetError('FILE_TOO_COMPLEX', `The file could not be looked into: ${why}.`, {
    hint: 'It may be damaged, or made to be hard to read. The file itself is left as it is.',
  });
}
