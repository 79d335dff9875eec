/** Real processes for tests in which daemons are killed. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** What Node compiled, kept for later processes: the start of each costs half. Node knows each entry by its content. */
const compiled = fileURLToPath(new URL('../../node_modules/.cache/callsheet-tests', import.meta.url));

export interface Process {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  /** The first JSON line that it printed. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly ended: Promise<unknown>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a TypeScript file on the Node that runs this and waits for its first line; undefined when it died before. */
export async function startProcess(
  file: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Process | undefined> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], {
    env: { ...process.env, NODE_COMPILE_CACHE: compiled, ...env },
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
