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

/** Starts a TypeScript file on the Node that runs this and waits for its first line; undefined when it died before. */
export async function startProcess(file: string, env: Readonly<Record<string, string>>): Promise<Process | undefined> {
  const path = await bundled(fileURLToPath(new URL(file, import.meta.url)));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path], {
    env: { ...process.env, NODE_COMPILE_CACHE: CACHE, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended.then(() => undefined)]);
  if (line === undefined || child.exitCode !== null) return undefined;
  return {
    child,
    ready: JSON.parse(String(line[0])) as Record<string, unknown>,
    ended,
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await ended;
    },
  };
}
