/** A world for commands: what they print is kept, and Ctrl-C is pressed by the test. */
import type { Io } from '#cli/io.ts';

export interface FakeIo extends Io {
  stdout(): string;
  stderr(): string;
  interrupt(): void;
}

export function createFakeIo(
  options: { readonly env?: Io['env']; readonly cwd?: string; readonly columns?: number; readonly ask?: NonNullable<Io['ask']> } = {},
): FakeIo {
  const texts = { out: '', err: '' };
  const listeners = new Set<() => void>();
  return {
    out: {
      ...(options.columns === undefined ? {} : { isTTY: true, columns: options.columns }),
      write: (text) => {
        texts.out += text;
      },
    },
    err: {
      write: (text) => {
        texts.err += text;
      },
    },
    env: options.env ?? {},
    cwd: options.cwd ?? '/',
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ...(options.ask === undefined ? {} : { ask: options.ask }),
    stdout: () => texts.out,
    stderr: () => texts.err,
    interrupt: () => {
      for (const listener of listeners) listener();
    },
  };
}
