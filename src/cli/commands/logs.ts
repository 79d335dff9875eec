/** `callsheet logs`: what the daemons of a data directory wrote down, of one run or of all, and what they write. */
import { CallsheetError } from '#protocol/errors.ts';
import { type Arguments, type Command, DATA_OPTION, UsageError } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { EXIT, type Io, line } from '../io.ts';
import { fits, type Level, LEVELS, lineText, type LogFilter, readLine } from '../logs/log-line.ts';
import { CAUGHT_UP, readLog } from '../logs/read-logs.ts';
import { createPaint } from '../paint.ts';
import { integerOption, noMorePositionals } from '../parse-arguments.ts';

export const logsCommand: Command = {
  name: 'logs',
  summary: 'Shows the log of the daemon, of one run or of all.',
  usage: ['logs [RUN] [--follow] [--level LEVEL] [--limit N] [--json]'],
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on with what is written, until Ctrl-C' },
    level: { type: 'string', value: 'LEVEL', help: `${Object.keys(LEVELS).join(', ')}: this one and above (default trace)` },
    limit: { type: 'string', value: 'N', help: 'at most so many of the newest lines (default 200; of one run all)' },
    json: { type: 'boolean', help: 'the lines as they stand in the file, one JSON object each' },
    ...DATA_OPTION,
  },
  notes: [
    'RUN is the id of a run, or its beginning. No daemon is needed, and none is started.',
    'What is below CALLSHEET_LOG_LEVEL (default info) is not written by the daemon, so it cannot be shown.',
  ],

  async run(args, io) {
    const [run] = args.positionals;
    noMorePositionals(args, 1);
    const filter = { level: levelOption(args), ...(run === undefined ? {} : { run: runOption(run) }) };
    const limit = integerOption(args, 'limit', 1, 1_000_000) ?? (run === undefined ? 200 : Infinity);
    const dataDir = dataDirOf(args, io);
    const show = shower(args, io);
    const stop = new AbortController();
    const follows = args.flag('follow');
    const release = follows ? io.onInterrupt(() => stop.abort()) : () => undefined;
    const kept = keepNewest(limit);
    let isNew = false;
    try {
      for await (const text of readLog(dataDir, follows ? stop.signal : undefined)) {
        if (text === CAUGHT_UP) {
          for (const one of kept.lines()) show(one);
          isNew = true;
        } else if (!isWanted(text, filter)) continue;
        else if (isNew) show(text);
        else kept.add(text);
      }
      // Nothing of a run that was asked for by its id is an answer too, and not a good one.
      return run !== undefined && !follows && kept.lines().length === 0 ? EXIT.failed : EXIT.done;
    } catch (error) {
      throw unreadable(error);
    } finally {
      release();
    }
  },
};

// --- helpers ---

function shower(args: Arguments, io: Io): (text: string) => void {
  const paint = createPaint(io.out, io.env);
  if (args.flag('json')) return (text) => line(io.out, text);
  return (text) => {
    const read = readLine(text);
    if (read !== undefined) line(io.out, lineText(read, paint));
  };
}

function isWanted(text: string, filter: LogFilter): boolean {
  const read = readLine(text);
  return read !== undefined && fits(read, filter);
}

/** The last `limit` of what is added, in order; a few more may be held meanwhile. */
function keepNewest(limit: number) {
  let kept: string[] = [];
  return {
    add(text: string): void {
      kept.push(text);
      if (kept.length >= 2 * limit + 1000) kept = kept.slice(-limit);
    },
    lines: (): readonly string[] => (limit === Infinity ? kept : kept.slice(-limit)),
  };
}

function levelOption(args: Arguments): Level {
  const text = args.text('level') ?? 'trace';
  const found = (Object.keys(LEVELS) as Level[]).find((level) => level === text.toLowerCase());
  if (found === undefined) throw new UsageError(`--level must be one of ${Object.keys(LEVELS).join(', ')}.`);
  return found;
}

function runOption(text: string): string {
  const id = text.toLowerCase();
  if (!/^[0-9a-f][0-9a-f-]{3,35}$/.test(id)) throw new UsageError(`"${text}" is no id of a run; list them: callsheet runs`);
  return id;
}

function unreadable(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EACCES') return error;
  return new CallsheetError('STORAGE_FAILED', `The log can not be read: ${error.message}.`, {
    hint: 'It belongs to the user who runs the daemon.',
    cause: error,
  });
}
