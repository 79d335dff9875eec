/** `callsheet runs`: what was executed, how one run stands, watching, cancelling and trying it again. */
import { randomUUID } from 'node:crypto';
import type { RunSummary } from '#protocol/views.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import { backendOption, chooseBackend } from '../choose-backend.ts';
import { type Arguments, type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { finishRun } from '../finish-run.ts';
import { formatDuration, formatPercent, formatTable, formatTime } from '../format.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import { openSession } from '../open-session.ts';
import { integerOption, noMorePositionals, onePositional, subcommand } from '../parse-arguments.ts';
import type { Session } from '../session.ts';
import { printError, printProblems } from '../report-error.ts';
import { printRun } from '../show-run.ts';
import { CLEAN_OPTIONS, cleanRuns, pinRun, policyOption } from '../clean-runs.ts';
import { chosenRun, makeChoice } from '../choices/make-choice.ts';
import { outOption, writeExport } from '../write-export.ts';

const ACTIONS = ['list', 'show', 'watch', 'cancel', 'retry', 'choose', 'export', 'pin', 'unpin', 'clean'] as const;

export const runsCommand: Command = {
  name: 'runs',
  summary: 'Lists runs, shows one, watches, cancels, tries again or exports it, makes its choices, or cleans old ones away.',
  usage: [
    'runs [list] [--limit N]',
    'runs show ID',
    'runs watch ID [--out DIR]',
    'runs cancel ID [--force]',
    'runs choose ID VALUE… [--into NAME]',
    'runs retry ID [--from STEP] [--backend ID] [--out DIR]',
    'runs export ID [--bundle] --out PATH',
    'runs pin ID, runs unpin ID',
    'runs clean [--older-than AGE] [--keep N] [--max-bytes SIZE] [--template ID] [--dry-run]',
  ],
  options: {
    limit: { type: 'string', value: 'N', help: 'list: at most so many, newest first (default 20)' },
    out: {
      type: 'string',
      value: 'DIR',
      help: 'watch, retry: copy the results into DIR at the end; export: the folder, or with --bundle the file, to write',
    },
    from: { type: 'string', value: 'STEP', help: 'retry: do this step again, and everything made of it; else what is not done' },
    backend: { type: 'string', value: 'ID', help: 'retry: go on with this backend instead of the one it had' },
    force: { type: 'boolean', help: 'cancel: end a run that is being cancelled without proof, as lost' },
    into: { type: 'string', value: 'NAME', help: 'choose: the choice that is made, where several are awaited' },
    none: { type: 'boolean', help: 'choose: pick nothing, where the template allows it' },
    bundle: { type: 'boolean', help: 'export: one *.callsheet file with provenance and lock instead of a folder' },
    id: { type: 'string', value: 'ID', help: 'export: id of the template that is made' },
    ...CLEAN_OPTIONS,
    ...JSON_OPTION,
    ...DATA_OPTION,
  },
  notes: ['Without a running daemon one is started in this process, and runs that had not ended go on in it while the command lasts.'],

  async run(args, io) {
    const action = subcommand(args, ACTIONS, 'list');
    const limit = integerOption(args, 'limit', 1, 1000) ?? 20;
    if (action === 'list' || action === 'clean') noMorePositionals(args, 1);
    const policy = action === 'clean' ? policyOption(args) : {};
    const id =
      action === 'list' || action === 'clean' ? '' : action === 'choose' ? chosenRun(args) : onePositional(args, 'the ID of a run', 1);
    const out = action === 'export' ? outOption(args, io, 'the folder, or with --bundle the file, to write') : '';
    const session = await openSession(args, io, { backends: backendOption(args)?.own ?? [] });
    try {
      if (action === 'clean') return await cleanRuns(session, policy, args, io);
      if (action === 'pin' || action === 'unpin') return await pinRun(session, id, action === 'pin', args, io);
      if (action === 'export') return await exportRun(session, id, out, args, io);
      return await act(session, { action, id, limit }, args, io);
    } finally {
      await session.close();
    }
  },
};

// --- helpers ---

interface Wish {
  readonly action: Exclude<(typeof ACTIONS)[number], 'export' | 'pin' | 'unpin' | 'clean'>;
  readonly id: string;
  readonly limit: number;
}

async function act(session: Session, { action, id, limit }: Wish, args: Arguments, io: Io): Promise<number> {
  const json = args.flag('json');
  switch (action) {
    case 'list': {
      const { runs } = await session.client.call('run/list', { limit });
      if (json) jsonLine(io.out, { runs });
      else io.out.write(runs.length === 0 ? 'There are no runs yet.\n' : runTable(runs));
      return EXIT.done;
    }
    case 'show': {
      const { run } = await session.client.call('run/get', { runId: id });
      if (json) {
        jsonLine(io.out, { run });
        return EXIT.done;
      }
      printRun(run, io);
      printProblems(run.problems, io);
      if (run.error !== undefined) printError(run.error, io);
      return EXIT.done;
    }
    case 'watch':
      return finishRun(session, id, io, { json, out: args.text('out'), onInterrupt: 'leave' });
    case 'choose':
      return makeChoice(session, id, args, io);
    case 'retry':
      return retryRun(session, id, args, io);
    default: {
      const { status } = await session.client.call('run/cancel', { runId: id, ...(args.flag('force') ? { force: true } : {}) });
      if (json) jsonLine(io.out, { runId: id, status });
      else if (status === 'lost' && args.flag('force')) line(io.out, `Run ${id} was given up: nobody proved that its jobs are gone.`);
      // One that had not begun is over with the answer.
      else if (status === 'cancelled') line(io.out, `Run ${id} is cancelled.`);
      else if (RUN_ENDS.includes(status)) line(io.out, `Run ${id} had ended before: ${status}.`);
      else line(io.out, `Run ${id} is being cancelled.`);
      return EXIT.done;
    }
  }
}

async function retryRun(session: Session, runId: string, args: Arguments, io: Io): Promise<number> {
  const json = args.flag('json');
  const from = args.text('from');
  const backend = await chooseBackend(session, backendOption(args));
  const { again } = await session.client.call('run/retry', {
    runId,
    requestKey: randomUUID(),
    ...(from === undefined ? {} : { from }),
    ...(backend === undefined ? {} : { backend }),
  });
  const options = { json, out: args.text('out'), onInterrupt: 'leave' } as const;
  if (json) {
    jsonLine(io.out, { type: 'retry', runId, again });
    return finishRun(session, runId, io, options);
  }
  line(io.out, `run ${runId} goes on: ${again.join(', ')}`);
  const { tries } = (await session.client.call('run/get', { runId })).run;
  return finishRun(session, runId, io, { ...options, ...(tries === undefined ? {} : { fromTry: tries }) });
}

async function exportRun(session: Session, runId: string, out: string, args: Arguments, io: Io): Promise<number> {
  const as = args.flag('bundle') ? 'bundle' : 'template';
  const id = args.text('id');
  const exported = await session.client.call('run/export', { runId, as, ...(id === undefined ? {} : { id }) });
  return writeExport(exported, as === 'bundle' ? 'file' : 'folder', out, session, args, io);
}

function runTable(runs: readonly RunSummary[]): string {
  const rows = runs.map((run) => [
    run.runId,
    run.status,
    formatPercent(run.progress),
    formatTime(run.createdAt),
    run.endedAt === undefined ? '' : formatDuration((run.endedAt - run.createdAt) / 1000),
    `${run.template} ${run.version}${run.draft ? ' (draft)' : ''}${run.pinned === true ? ' (pinned)' : ''}`,
  ]);
  return formatTable(['ID', 'STATUS', 'DONE', 'CREATED', 'TOOK', 'TEMPLATE'], rows);
}
