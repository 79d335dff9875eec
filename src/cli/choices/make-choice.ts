/** `callsheet runs choose`: makes a choice that a run waits for. */
import { randomUUID } from 'node:crypto';
import { type Arguments, UsageError } from '../command.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import type { Session } from '../session.ts';
import { asValue } from './presets.ts';

/** The run's id. Throws UsageError when nothing is picked, unless that is said with --none. */
export function chosenRun(args: Arguments): string {
  const [, id, ...values] = args.positionals;
  if (id === undefined) throw new UsageError('Missing the ID of a run.');
  if (values.length === 0 && !args.flag('none')) {
    throw new UsageError(`Missing VALUE: the index, file name or id of what is picked. See: callsheet runs show ${id}`);
  }
  if (values.length > 0 && args.flag('none')) throw new UsageError('Give either VALUE or --none.');
  return id;
}

export async function makeChoice(session: Session, runId: string, args: Arguments, io: Io): Promise<number> {
  const into = args.text('into');
  const values = args.positionals.slice(2).map((value) => asValue(value, io.cwd));
  const made = await session.client.call('run/choose', {
    runId,
    values,
    requestKey: randomUUID(),
    ...(into === undefined ? {} : { into }),
  });
  if (args.flag('json')) jsonLine(io.out, { runId, ...made });
  else {
    line(io.out, `Choice '${made.into}' of run ${runId} is made: ${made.picked.length === 0 ? 'nothing' : made.picked.join(', ')}.`);
    if (session.own) line(io.err, `No daemon runs; the run goes on with: callsheet runs watch ${runId}`);
  }
  return EXIT.done;
}
