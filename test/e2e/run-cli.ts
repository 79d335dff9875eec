/** Starts the real command line in a process of its own, through the launcher, with a data directory of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT = join(import.meta.dirname, '..', '..');
/** What Node compiled of the sources, shared by all tests: homes are new in each. */
export const CACHE = join(ROOT, 'node_modules', '.cache', 'callsheet-tests');
const LAUNCHER = join(ROOT, 'bin', 'callsheet');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** The first line of stdout that fits; rejects when the process ends without one. */
  line(test: (line: string) => boolean): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/** A place with nothing in it: data, runtime file and home of one test. */
export function freshPlace(): { readonly folder: string; readonly env: Readonly<Record<string, string>> } {
  const folder = mkdtempSync(join(tmpdir(), 'callsheet-e2e-'));
  const env = {
    CALLSHEET_DATA: join(folder, 'data'),
    CALLSHEET_RUNTIME_DIR: join(folder, 'runtime'),
    HOME: folder,
    CALLSHEET_LOG_LEVEL: 'warn',
  };
  return { folder, env };
}

export function startCli(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { readonly launcher?: string; readonly cwd?: string } = {},
): Cli {
  const child = spawn(options.launcher ?? LAUNCHER, argv, {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: options.launcher === undefined ? CACHE : '', ...env },
    cwd: options.cwd ?? ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of waiting) look();
  };
  child.stderr.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  createInterface(child.stdout).on('line', (text) => {
    lines.push(text);
    texts.stdout += `${text}\n`;
    wake();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, ...texts });
      wake();
    });
  });
  return {
    pid: child.pid ?? -1,
    ended,
    kill: (signal) => void child.kill(signal),
    line: (test) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(test);
          if (found === undefined && child.exitCode === null && child.signalCode === null) return;
          waiting.delete(look);
          if (found === undefined) reject(new Error(`the process ended without the line: ${texts.stdout}${texts.stderr}`));
          else resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

export function runCli(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  options: { readonly launcher?: string; readonly cwd?: string } = {},
): Promise<Ended> {
  return startCli(argv, env, options).ended;
}

export function jsonLines(stdout: string): Readonly<Record<string, unknown>>[] {
  return stdout
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Readonly<Record<string, unknown>>);
}
