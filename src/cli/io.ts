/** What a command may touch of the world around it: streams, environment, working directory, Ctrl-C. Tests hand in their own. */
import { askAtTerminal } from './ask-at-terminal.ts';

/** The part of a TTY or pipe that the command line uses. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

export interface Io {
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative paths of the user start here. */
  readonly cwd: string;
  /** Calls back at each SIGINT, SIGTERM or SIGHUP until the returned function is called; while anyone listens, the signal does not end the process. */
  onInterrupt(listener: () => void): () => void;
  /**
   * Puts a question to the person at the terminal; resolves with a line, or with undefined when the signal is aborted or there is no more input.
   * Absent where nobody can answer: input or output is no terminal.
   */
  readonly ask?: (question: string, signal: AbortSignal) => Promise<string | undefined>;
}

export const EXIT = { done: 0, failed: 1, usage: 2, locked: 3, interrupted: 130 } as const;

export function line(output: Output, text: string): void {
  output.write(`${text}\n`);
}

/** One JSON object on one line. */
export function jsonLine(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value)}\n`);
}

/** True on a terminal that can move its cursor and has a height: there a bar is drawn, elsewhere a line for each change. */
export function isLive(output: Output, env: Io['env']): boolean {
  // A terminal that was never told its size says 0 rows, and whatever is to fit into these is nothing.
  return output.isTTY === true && output.rows !== 0 && env['TERM'] !== 'dumb';
}

/** True on such a terminal unless it was asked to stay plain (https://no-color.org). */
export function isColourful(output: Output, env: Io['env']): boolean {
  return isLive(output, env) && (env['NO_COLOR'] ?? '') === '';
}

/** Ctrl-C, a polite kill, and a terminal window that was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The process itself. */
export function processIo(): Io {
  return {
    out: process.stdout,
    err: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    onInterrupt(listener) {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener);
      };
    },
    ...(process.stdin.isTTY && process.stdout.isTTY ? { ask: askAtTerminal } : {}),
  };
}
