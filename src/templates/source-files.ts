/**
 * Reads template files from disk: capped, UTF-8, never out of the folder. Everything that goes wrong is a problem.
 * Synchronous: for many small files that takes a third of the time, and whoever reads many gives way between them.
 */
import { closeSync, fstatSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { TextDecoder } from 'node:util';
import type { Problem } from '#protocol/problem.ts';
import { problemIn } from './locate.ts';

export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
export const MAX_WORKFLOW_BYTES = 64 * 1024 * 1024;

const DECODER = new TextDecoder('utf-8', { fatal: true });

export type ReadText = { readonly text: string } | { readonly problem: Problem };

/** A byte order mark is dropped. */
export function readTextFile(path: string, maxBytes: number): ReadText {
  let bytes: Buffer;
  try {
    // Opening a pipe would wait for a writer, and reading a device never ends.
    if (!statSync(path).isFile()) return { problem: unreadable(path, new Error('it is no ordinary file')) };
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      if (size > maxBytes) {
        const message = `The file has ${size} bytes; at most ${maxBytes} are read.`;
        return {
          problem: problemIn(
            path,
            'TEMPLATE_FILE_TOO_LARGE',
            message,
            'Move large data, such as images in base64, out of the workflow into files.',
          ),
        };
      }
      bytes = readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return { problem: unreadable(path, error) };
  }
  try {
    return { text: DECODER.decode(bytes) };
  } catch {
    const message = 'The file is not UTF-8 text.';
    return {
      problem: problemIn(
        path,
        'TEMPLATE_FILE_ENCODING',
        message,
        'Save it as UTF-8; a workflow inside a picture has to be exported as JSON first.',
      ),
    };
  }
}

/** A file of the folder; undefined when there is no such file. */
export type ReadInside = (name: string, maxBytes: number) => ReadText | undefined;

/** Reads files of a template's folder; a symbolic link that leads out of the folder is refused. */
export function createInsideReader(folder: string): ReadInside {
  let root: string | undefined;
  return (name, maxBytes) => {
    const path = join(folder, name);
    try {
      root ??= realpathSync.native(folder);
      const real = realpathSync.native(path);
      if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
        const message = `"${name}" is a link that leads out of the template's folder.`;
        return { problem: problemIn(path, 'TEMPLATE_PATH_ESCAPES', message, 'Copy the file into the folder.') };
      }
    } catch (error) {
      return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' ? undefined : { problem: unreadable(path, error) };
    }
    return readTextFile(path, maxBytes);
  };
}

function unreadable(path: string, error: unknown): Problem {
  if (codeOf(error) === 'ENOENT') {
    return problemIn(
      path,
      'TEMPLATE_FILE_MISSING',
      'The file does not exist.',
      'Check the path; names are told apart by upper and lower case on some systems.',
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return problemIn(
    path,
    'TEMPLATE_FILE_UNREADABLE',
    `The file cannot be read: ${reason}.`,
    'Check that it is a file and that you may read it.',
  );
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
