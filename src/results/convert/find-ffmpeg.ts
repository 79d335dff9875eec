/** Finds ffmpeg on this machine: named by CALLSHEET_FFMPEG, else the first on PATH; and what it can write. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { CallsheetError } from '#protocol/errors.ts';

const PATIENCE_MS = 10_000;
/** Looked for again after this time, in milliseconds: somebody may have installed it meanwhile. */
const AGAIN_MS = 60_000;

export interface Ffmpeg {
  readonly path: string;
  readonly version: string;
  readonly encoders: ReadonlySet<string>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where it lies; undefined when there is none. Starts nothing. */
export function ffmpegPath(env: Environment = process.env): string | undefined {
  const named = env['CALLSHEET_FFMPEG'];
  if (named !== undefined && named !== '') return isProgram(named) ? named : undefined;
  const names = process.platform === 'win32' ? ['ffmpeg.exe'] : ['ffmpeg'];
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isProgram);
}

let known: { readonly path: string; readonly at: number; readonly found: Promise<Ffmpeg> } | undefined;

/** Throws CONVERSION_FAILED with what to do. */
export function findFfmpeg(env: Environment = process.env): Promise<Ffmpeg> {
  const path = ffmpegPath(env);
  if (path === undefined) return Promise.reject(new CallsheetError('CONVERSION_FAILED', whyMissing(env), { hint: FFMPEG_HINT }));
  if (known?.path === path && Date.now() - known.at < AGAIN_MS) return known.found;
  const found = ask(path);
  known = { path, at: Date.now(), found };
  found.catch(() => {
    known = undefined;
  });
  return found;
}

/** What to do where there is none, for problems of the check and findings of the doctor. */
export const FFMPEG_HINT = 'Install ffmpeg so that it stands on PATH, or name it in CALLSHEET_FFMPEG, and start the daemon again.';

/** Why there is none, as a clause, where `ffmpegPath` finds none. */
export function whyMissing(env: Environment = process.env): string {
  const named = env['CALLSHEET_FFMPEG'];
  return named === undefined || named === '' ? 'ffmpeg was not found on this machine' : `CALLSHEET_FFMPEG names no program: ${named}`;
}

// --- helpers ---

async function ask(path: string): Promise<Ffmpeg> {
  try {
    const run = promisify(execFile);
    const options = { timeout: PATIENCE_MS, maxBuffer: 4 * 1024 * 1024, windowsHide: true };
    const [about, list] = await Promise.all([
      run(path, ['-hide_banner', '-version'], options),
      run(path, ['-hide_banner', '-v', 'error', '-encoders'], options),
    ]);
    const version = /^ffmpeg version (\S+)/.exec(about.stdout)?.[1];
    if (version === undefined) throw new Error('it does not call itself ffmpeg');
    const encoders = new Set(Array.from(list.stdout.matchAll(/^ [A-Z.]{6} (\S+)/gm), ([, name = '']) => name));
    return { path, version, encoders };
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new CallsheetError('CONVERSION_FAILED', `ffmpeg at ${path} can not be used: ${why}`, { hint: FFMPEG_HINT, cause });
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
