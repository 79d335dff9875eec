/** Follows one run to its end over the event log: every event once, then the run as it ended. */
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import type { Client } from '#protocol/client.ts';
import type { Chooser } from './choices/chooser.ts';
import type { Reporter } from './reporter.ts';
import type { Session } from './session.ts';

/** Time between two reads of the run for the bar, in milliseconds. */
const VIEW_GAP_MS = 100;

export interface Following {
  readonly reporter: Reporter;
  readonly chooser: Chooser;
  /** Rejects to leave the run before its end. */
  readonly stop: Promise<never>;
}

/** Resolves with the ended run. Throws CONNECTION_LOST when the daemon stays away, and what `stop` rejects with. */
export async function followRun(session: Session, runId: string, { reporter, chooser, stop }: Following): Promise<RunView> {
  const { client } = session;
  const ended = Promise.withResolvers<void>();
  const views = createViews(client, runId, reporter);
  const stopListening = session.onProgress((notice) => {
    if (notice.runId === runId) reporter.progress(notice);
  });
  const onEvent = (event: RunEvent) => {
    reporter.event(event);
    chooser.event(event);
    views.refresh();
    if (event.event.type === 'run.status' && RUN_ENDS.includes(event.event.status)) void lookForEnd().catch(ended.reject);
  };
  // What ended may have been an earlier try of the run, and under a rebuilt log the end may have no event: the run itself knows.
  const lookForEnd = async () => {
    const { run } = await client.call('run/get', { runId });
    if (RUN_ENDS.includes(run.status)) ended.resolve();
  };
  const subscribe = async () => {
    const since = { epoch: client.server.epoch, seq: 0 };
    await client.subscribe({ runId, since }, { onEvent, onGap: () => subscribe().catch(ended.reject) });
    await lookForEnd();
  };
  try {
    await subscribe();
    await Promise.race([ended.promise, stop, session.closed.then(lost)]);
    views.stop();
    const { run } = await client.call('run/get', { runId });
    reporter.view(run);
    return run;
  } finally {
    chooser.stop();
    views.stop();
    stopListening();
    reporter.end();
  }
}

// --- helpers ---

function lost(error: CallsheetError | undefined): never {
  throw (
    error ??
    new CallsheetError('CONNECTION_LOST', 'The connection to the daemon ended.', {
      hint: 'The run goes on when the daemon starts again: callsheet daemon',
    })
  );
}

/** Reads the run for the bar, at most once in a while, and never two reads at a time. */
function createViews(client: Client, runId: string, reporter: Reporter): { refresh(): void; stop(): void } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const read = async () => {
    try {
      const { run } = await client.call('run/get', { runId });
      if (!stopped) reporter.view(run);
    } catch {
      // The bar is for the eye only: whoever follows the run hears of a lost connection elsewhere.
    } finally {
      timer = undefined;
    }
  };
  return {
    refresh() {
      if (stopped || !reporter.wantsViews) return;
      timer ??= setTimeout(() => void read(), VIEW_GAP_MS);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
