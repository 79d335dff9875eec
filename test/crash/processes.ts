/** Real processes for tests in which daemons are killed. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { bundled, CACHE } from './bundle.ts';

export interface Process {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  /** The first JSON line that it printed. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly ended: Promise<unknown>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a TypeScript file on the Node that runs this, under strace when it is given arguments of its own, and waits for its first line;
 * undefined when it died before.
 */
export async function startProcess(
  file: string,
  env: Readonly<Record<string, string>>,
  { strace, args = [] }: { readonly strace?: readonly string[] | undefined; readonly args?: readonly string[] } = {},
): Promise<Process | undefined> {
  const path = await bundled(fileURLToPath(new URL(file, import.meta.url)));
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', path, ...args];
  const [program = '', ...rest] = strace === undefined ? command : ['strace', ...strace, ...command];
  const child = spawn(program, rest, {
    env: { ...process.env, NODE_COMPILE_CACHE: CACHE, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended.then(() => undefined)]);
  if (line === undefined || child.exitCode !== null) return undefined;
  const ready = JSON.parse(String(line[0])) as Record<string, unknown>;
  // Strace lets go of what it follows when it is told to end, and ends with it.
  const pid = strace === undefined ? child.pid : ready['pid'];
  return {
    child,
    ready,
    ended,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (typeof pid === 'number') signalTo(pid, signal);
      else child.kill(signal);
      await ended;
    },
  };
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}
