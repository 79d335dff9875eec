/** The process of `callsheet daemon`: starts it, says so, listens to signals, and ends with a code that scripts can read. */
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import { formatProblem } from '#protocol/problem.ts';
import type { DaemonConfig } from './config.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon, DaemonParts } from './daemon.ts';

/** Milliseconds that a graceful stop may take; work on backends goes on either way. */
const PATIENCE_MS = 10_000;

const EXIT = { done: 0, failed: 1, usage: 2, locked: 3, interrupted: 130 } as const;

export interface MainOptions {
  readonly config: DaemonConfig;
  /** One JSON object a line on stdout instead of words. */
  readonly json: boolean;
  readonly parts?: DaemonParts;
}

/** Resolves with the exit code once the daemon has stopped. */
export async function runDaemon({ config, json, parts }: MainOptions): Promise<number> {
  let daemon: Daemon;
  try {
    daemon = await startDaemon(config, parts);
  } catch (error) {
    return report(error, json);
  }
  const release = guardProcess(daemon);
  const { url, pid, runtimeFile } = daemon;
  process.stdout.write(
    json ? `${JSON.stringify({ type: 'ready', url, pid, runtimeFile })}\n` : `Callsheet is ready at ${url} (process ${pid}).\n`,
  );
  const failure = await daemon.stopped;
  release();
  return failure === undefined ? EXIT.done : report(failure, json);
}

// --- helpers ---

/** Signals stop the daemon gracefully, a second one at once. Returns how to take the guard away. */
function guardProcess(daemon: Daemon): () => void {
  let asked = false;
  const stop = (): void => {
    if (asked) process.exit(EXIT.interrupted);
    asked = true;
    setTimeout(() => process.exit(EXIT.failed), PATIENCE_MS).unref();
    void daemon.close();
  };
  // What is in memory can not be trusted after an unknown error; what is on disk can, and the next start reads it.
  let crashed = false;
  const crash = (error: unknown): void => {
    // What goes wrong while it ends would begin the end again.
    if (crashed) return;
    crashed = true;
    setTimeout(() => process.exit(EXIT.failed), PATIENCE_MS).unref();
    process.stderr.write(`INTERNAL ${toErrorData(error).message}\n`);
    void endAfter(daemon.crash(error));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, stop);
  // Whoever read these may be gone; that is no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignore);
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  return () => {
    for (const signal of signals) process.off(signal, stop);
    for (const stream of [process.stdout, process.stderr]) stream.off('error', ignore);
    process.off('uncaughtException', crash);
    process.off('unhandledRejection', crash);
  };
}

function ignore(): void {
  // Nobody is left to tell.
}

async function endAfter(work: Promise<void>): Promise<void> {
  try {
    await work;
  } finally {
    process.exit(EXIT.failed);
  }
}

/** A person's sentences on stderr, a program's object on stdout. */
function report(error: unknown, json: boolean): number {
  const data = toErrorData(error);
  if (json) process.stdout.write(`${JSON.stringify({ type: 'error', error: data })}\n`);
  const lines = [`${data.code} ${data.message}`, ...(data.hint === undefined ? [] : [`    ${data.hint}`])];
  process.stderr.write(`${[...lines, ...(data.problems ?? []).map((problem) => formatProblem(problem))].join('\n')}\n`);
  if (!(error instanceof CallsheetError)) return EXIT.failed;
  if (error.code === 'STORAGE_LOCKED') return EXIT.locked;
  return error.code === 'CONFIG_INVALID' ? EXIT.usage : EXIT.failed;
}
