/** Child processes of the benchmarks: each is one file of this folder that answers over Node's own channel. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly pid: number;
  /** What the child said first. */
  readonly hello: unknown;
  /** Sends one message and resolves with the next one that comes back. */
  ask(message: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts `file` of this folder with one JSON argument; resolves when it has said its first message. */
export async function startChild(file: string, options: unknown, nodeArguments: readonly string[] = []): Promise<Child> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(options)], {
    execArgv: [...nodeArguments],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const next = async (): Promise<unknown> => {
    const answer = await Promise.race([once(child, 'message'), ended.then(() => undefined)]);
    if (answer === undefined) throw new Error(`${file} ended early (exit code ${String(child.exitCode)}).`);
    return (answer as readonly unknown[])[0];
  };
  const hello = await next();
  return {
    pid: child.pid ?? 0,
    hello,
    ask(message) {
      const answer = next();
      child.send(message as object);
      return answer;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.send({ stop: true });
      await ended;
    },
  };
}

/** The JSON argument that `startChild` gave. */
export function childOptions(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Answers every message with what `answer` gives; `stop` ends the process after `close`. */
export function serveParent(answer: (message: Readonly<Record<string, unknown>>) => unknown, close: () => Promise<void> | void): void {
  // A benchmark that was interrupted leaves no process behind.
  process.on('disconnect', () => process.exit(1));
  process.on('message', (message: Readonly<Record<string, unknown>>) => {
    void reply(message);
  });
  async function reply(message: Readonly<Record<string, unknown>>): Promise<void> {
    if (message['stop'] === true) {
      await close();
      process.exit(0);
    }
    tell(await answer(message));
  }
}

export function tell(message: unknown): void {
  process.send?.(message);
}
