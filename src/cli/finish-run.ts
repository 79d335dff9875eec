/** From a started run to the exit code: Ctrl-C, the result line, copies for `--out`. */
import { resolve } from 'node:path';
import type { RunView } from '#protocol/views.ts';
import { createChooser } from './choices/chooser.ts';
import { copyArtifacts } from './copy-artifacts.ts';
import { followRun } from './follow-run.ts';
import { EXIT, type Io, jsonLine } from './io.ts';
import { fromNewestTry } from './newest-try.ts';
import { printError, printProblems } from './report-error.ts';
import { createReporter } from './reporter.ts';
import type { Session } from './session.ts';
import { printResult } from './show-run.ts';

export interface FinishOptions {
  readonly json: boolean;
  /** Where copies of the artifacts go. */
  readonly out: string | undefined;
  /** `cancel`: the first Ctrl-C cancels and waits, the second leaves. `leave`: the first one leaves, the run goes on. */
  readonly onInterrupt: 'cancel' | 'leave';
  /** Only what happens from this try on is told; absent: everything that the log has. */
  readonly fromTry?: number;
  /** Choice → values that are picked without asking. */
  readonly presets?: ReadonlyMap<string, readonly string[]>;
}

/** Thrown inside to leave a run that goes on without us. */
class Left extends Error {}

export async function finishRun(session: Session, runId: string, io: Io, options: FinishOptions): Promise<number> {
  const reporter = fromNewestTry(createReporter(io, options.json), options.fromTry);
  const left = Promise.withResolvers<never>();
  // Nobody waits for it when the run ends by itself.
  left.promise.catch(() => undefined);
  let interrupts = options.onInterrupt === 'leave' ? 1 : 0;
  const stopListening = io.onInterrupt(() => {
    interrupts += 1;
    if (interrupts > 1) {
      left.reject(new Left());
      return;
    }
    reporter.say('Cancelling; the backend is asked to stop. Ctrl-C again leaves without waiting.');
    session.client.call('run/cancel', { runId }).catch(left.reject);
  });
  const { json, presets = new Map<string, readonly string[]>() } = options;
  const chooser = createChooser({ session, runId, reporter, io, json, presets, onError: left.reject });
  try {
    const run = await followRun(session, runId, { reporter, chooser, stop: left.promise });
    return await showEnd(run, io, options, interrupts > 0 && options.onInterrupt === 'cancel');
  } catch (error) {
    if (!(error instanceof Left)) throw error;
    reporter.say(`Left the run ${runId}; it goes on while a daemon runs. Watch it: callsheet runs watch ${runId}`);
    return EXIT.interrupted;
  } finally {
    stopListening();
  }
}

// --- helpers ---

async function showEnd(run: RunView, io: Io, { json, out }: FinishOptions, interrupted: boolean): Promise<number> {
  const artifacts = out === undefined ? run.artifacts : await copyArtifacts(run.artifacts, resolve(io.cwd, out));
  if (json) jsonLine(io.out, { type: 'result', run, artifacts });
  else printResult(run, artifacts, io);
  // Those of its error are said with it.
  const told = new Set(run.error?.problems?.map(({ code, message }) => `${code} ${message}`));
  printProblems(
    run.problems.filter(({ code, message }) => !told.has(`${code} ${message}`)),
    io,
  );
  if (run.error !== undefined) printError(run.error, io);
  if (run.status === 'succeeded') return EXIT.done;
  return run.status === 'cancelled' && interrupted ? EXIT.interrupted : EXIT.failed;
}
