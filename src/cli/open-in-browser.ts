/** Starts the browser of this user on a file. */
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import type { Io } from './io.ts';

/** A starter that has not failed by then has found a browser, in milliseconds. */
const PATIENCE_MS = 3000;

/** False when there is no browser, or no screen for one. `path` is absolute. */
export async function openInBrowser(path: string, env: Io['env'], platform: NodeJS.Platform = process.platform): Promise<boolean> {
  const url = pathToFileURL(path).href;
  const [command, ...args] = starterOf(url, env, platform);
  if (command === undefined) return false;
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...env }, stdio: 'ignore', detached: true, windowsHide: true });
    const patience = setTimeout(() => settle(true), PATIENCE_MS);
    const settle = (opened: boolean): void => {
      clearTimeout(patience);
      child.unref();
      resolve(opened);
    };
    child.on('error', () => settle(false));
    child.on('exit', (code) => settle(code === 0));
  });
}

// --- helpers ---

/** Command and arguments; empty where nothing can be shown. */
function starterOf(url: string, env: Io['env'], platform: NodeJS.Platform): readonly string[] {
  const chosen = (env['BROWSER'] ?? '').split(':')[0]?.trim() ?? '';
  if (chosen !== '' && platform !== 'win32') {
    const words = chosen.split(/\s+/);
    return chosen.includes('%s') ? words.map((word) => word.replaceAll('%s', url)) : [...words, url];
  }
  if (platform === 'darwin') return ['open', url];
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url];
  const screen = (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
  // Without a screen xdg-open would take a browser of the terminal, which knows no scripts.
  return screen ? ['xdg-open', url] : [];
}
