/** Where things lie when nobody says otherwise. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

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
