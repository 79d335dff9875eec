/** `callsheet runs clean`, `pin` and `unpin`: what may go, what went, and what stays for good. */
import { randomUUID } from 'node:crypto';
import type { CleanResult } from '#protocol/methods/clean.ts';
import { parseAge, parseSize } from '#daemon/retention/policy.ts';
import { type Arguments, type OptionTable, UsageError } from './command.ts';
import { formatBytes, formatTable, formatTime, safeText } from './format.ts';
import { EXIT, type Io, jsonLine, line } from './io.ts';
import { integerOption } from './parse-arguments.ts';
import type { Session } from './session.ts';

export const CLEAN_OPTIONS: OptionTable = {
  'older-than': { type: 'string', value: 'AGE', help: 'clean: runs that ended longer ago, e.g. 30d, 12h, 2w' },
  keep: { type: 'string', value: 'N', help: 'clean: so many of the newest stay in any case; alone: all others go' },
  'max-bytes': { type: 'string', value: 'SIZE', help: 'clean: the oldest go until all files together are no larger, e.g. 20GB' },
  template: { type: 'string', value: 'ID', help: 'clean: runs of this template alone' },
  'dry-run': { type: 'boolean', help: 'clean: say exactly what would go, and remove nothing' },
};

interface Policy {
  readonly olderThan?: number;
  readonly keep?: number;
  readonly maxBytes?: number;
  readonly template?: string;
}

/** Throws UsageError, also when nothing says what is to go. */
export function policyOption(args: Arguments): Policy {
  const olderThan = measured(args, 'older-than', parseAge, '30d, 12h or 2w');
  const maxBytes = measured(args, 'max-bytes', parseSize, '20GB or 500MiB');
  const keep = integerOption(args, 'keep', 0, 1_000_000);
  const template = args.text('template');
  if (olderThan === undefined && maxBytes === undefined && keep === undefined) {
    throw new UsageError('Say what is to go: --older-than 30d, --keep 20 or --max-bytes 20GB. With --dry-run nothing is removed.');
  }
  return {
    ...(olderThan === undefined ? {} : { olderThan }),
    ...(keep === undefined ? {} : { keep }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(template === undefined ? {} : { template }),
  };
}

export async function cleanRuns(session: Session, policy: Policy, args: Arguments, io: Io): Promise<number> {
  const dryRun = args.flag('dry-run');
  const result = await session.client.call('run/clean', { ...policy, dryRun, requestKey: randomUUID() });
  if (args.flag('json')) jsonLine(io.out, result);
  else print(result, io);
  return EXIT.done;
}

export async function pinRun(session: Session, runId: string, pinned: boolean, args: Arguments, io: Io): Promise<number> {
  const answer = await session.client.call('run/pin', { runId, pinned, requestKey: randomUUID() });
  if (args.flag('json')) jsonLine(io.out, answer);
  else line(io.out, pinned ? `Run ${runId} is pinned: it is never cleaned away.` : `Run ${runId} is not pinned any more.`);
  return EXIT.done;
}

// --- helpers ---

function measured(args: Arguments, name: string, parse: (text: string) => number | undefined, examples: string): number | undefined {
  const text = args.text(name);
  const value = text === undefined ? undefined : parse(text);
  if (text !== undefined && value === undefined) throw new UsageError(`Option --${name} must be like ${examples}, got "${text}".`);
  return value;
}

function print({ dryRun, runs, bytes, kept, more }: CleanResult, io: Io): void {
  const rows = runs.map((run) => [
    run.runId,
    run.status,
    formatTime(run.endedAt),
    formatBytes(run.bytes),
    String(run.files.length),
    run.template,
  ]);
  if (rows.length > 0) io.out.write(formatTable(['ID', 'STATUS', 'ENDED', 'SIZE', 'FILES', 'TEMPLATE'], rows));
  if (dryRun)
    for (const { path, bytes: size } of runs.flatMap(({ files }) => files)) line(io.out, `  ${safeText(path)}  ${formatBytes(size)}`);
  for (const { path, why } of runs.flatMap(({ left }) => left)) line(io.out, `stays: ${safeText(path)}: ${safeText(why)}`);
  for (const { runId, why } of kept) line(io.out, `stays: run ${runId}: ${why}`);
  const count = `${String(runs.length)} ${runs.length === 1 ? 'run' : 'runs'}`;
  if (runs.length === 0) line(io.out, 'There is nothing to remove.');
  else line(io.out, dryRun ? `${count} would be removed, ${formatBytes(bytes)}. Nothing was.` : `${count} removed, ${formatBytes(bytes)}.`);
  if (more) line(io.out, 'There are more: run the same command again.');
}
