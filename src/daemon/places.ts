/** Where things lie when nobody says otherwise. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** CALLSHEET_DATA, else the platform's own place. */
export function defaultDataDir(env: Environment = process.env): string {
  const set = env['CALLSHEET_DATA'];
  return set !== undefined && set !== '' ? resolve(set) : platformDataDir(env);
}

/** XDG_DATA_HOME/callsheet, else ~/.local/share/callsheet (macOS: Application Support, Windows: LOCALAPPDATA). */
export function platformDataDir(env: Environment = process.env): string {
  const xdg = env['XDG_DATA_HOME'];
  if (xdg !== undefined && xdg !== '') return join(xdg, 'callsheet');
  const home = env['HOME'] ?? homedir();
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'callsheet');
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), 'callsheet');
  return join(home, '.local', 'share', 'callsheet');
}

/** For its owner alone. Throws STORAGE_FAILED. */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CallsheetError('STORAGE_FAILED', `The directory ${path} can not be made: ${reason}.`, {
      hint: 'Check the rights of the directory above it, or name another one.',
      cause: error,
    });
  }
}
