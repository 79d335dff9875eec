/** Errors on the command line: what goes to stderr and which exit code it means (docs/cli.md, Exit codes). */
import { toErrorData } from '#protocol/errors.ts';
import type { ErrorData } from '#protocol/errors.ts';
import { formatProblem } from '#protocol/problem.ts';
import type { Problem } from '#protocol/problem.ts';
import { UsageError } from './command.ts';
import { EXIT, jsonLine, line } from './io.ts';
import type { Io } from './io.ts';

/** With `--json` the error is the last line of stdout too, so that a script never has to parse stderr. */
export function reportError(error: unknown, command: string, io: Io, json: boolean): number {
  if (error instanceof UsageError) {
    if (json) jsonLine(io.out, { type: 'error', error: { code: 'USAGE', message: error.message, retryable: false } });
    line(io.err, `callsheet${command === '' ? '' : ` ${command}`}: ${error.message}`);
    return EXIT.usage;
  }
  const data = toErrorData(error);
  if (json) jsonLine(io.out, { type: 'error', error: data });
  if (data.code === 'CONFIG_INVALID') {
    // Options that only the daemon understands are still options: one sentence for each mistake.
    for (const { message, hint } of data.problems ?? [data]) {
      line(io.err, `callsheet ${command}: ${message}${hint === undefined ? '' : ` ${hint}`}`);
    }
    return EXIT.usage;
  }
  printError(data, io);
  if (data.code === 'INTERNAL' && io.env['CALLSHEET_DEBUG'] !== undefined && error instanceof Error) line(io.err, error.stack ?? '');
  return exitCodeOf(data);
}

export function printError(data: ErrorData, io: Io): void {
  const problems = data.problems ?? [];
  printProblems(problems, io);
  const place = [data.step === undefined ? '' : ` step ${data.step}`, data.node === undefined ? '' : ` node ${data.node}`].join('');
  line(io.err, `callsheet:${place} error ${data.code} ${data.message}`);
  // The hint of the first problem is often the hint of the whole.
  if (data.hint !== undefined && !problems.some(({ hint }) => hint === data.hint)) line(io.err, `    ${data.hint}`);
}

export function printProblems(problems: readonly Problem[], io: Io): void {
  for (const problem of problems) line(io.err, formatProblem(problem));
}

function exitCodeOf({ code }: ErrorData): number {
  return code === 'STORAGE_LOCKED' ? EXIT.locked : EXIT.failed;
}
