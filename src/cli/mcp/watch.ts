/** Follows one run until it ends or asks for a choice, and tells the caller how far it is meanwhile. */
import type { ProgressNotice, RunEventBody } from '#protocol/events.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { formatDuration } from '../format.ts';
import type { DaemonLink } from './daemon-link.ts';

/** Callers that give up when they hear nothing hear at least this often: milliseconds. */
const SIGN_OF_LIFE_MS = 5000;
/** What a sign of life adds: the protocol wants each progress to be more than the last. */
const LEAST_STEP = 1e-6;

export interface Watching {
  readonly waitMs: number;
  /** The caller went away; the run goes on. */
  readonly signal: AbortSignal;
  /** Absent when the caller does not want to hear. */
  readonly onProgress?: ((progress: number, message: string) => void) | undefined;
  /** A choice that waits is no reason to come back. */
  readonly untilEnd?: boolean;
}

export const hasEnded = ({ status }: Pick<RunView, 'status'>): boolean => RUN_ENDS.includes(status);

/** The run as it stands when it ended, asks, or the time is up. Throws RUN_NOT_FOUND, DAEMON_NOT_RUNNING. */
export async function watchRun(link: DaemonLink, runId: string, watching: Watching): Promise<RunView> {
  const { waitMs, signal, untilEnd = false } = watching;
  const teller = createTeller(watching.onProgress);
  let moved = Promise.withResolvers<void>();
  const stop = link.listen({
    progress: (notice) => {
      if (notice.runId === runId) teller.notice(notice);
    },
    run: (id, body) => {
      if (id !== undefined && id !== runId) return;
      if (body !== undefined) teller.event(body);
      if (body === undefined || body.type === 'run.status' || body.type.startsWith('choice.')) moved.resolve();
    },
  });
  const left = Promise.withResolvers<'left'>();
  const leave = () => left.resolve('left');
  const timer = setTimeout(leave, waitMs);
  signal.addEventListener('abort', leave);
  try {
    for (;;) {
      moved = Promise.withResolvers();
      const { run } = await link.call('run/get', { runId });
      if (hasEnded(run) || signal.aborted) return run;
      if (!untilEnd && run.choices?.some(({ status }) => status === 'waiting') === true) return run;
      teller.at(run.progress);
      if ((await Promise.race([moved.promise, left.promise])) === 'left') {
        return (await link.call('run/get', { runId })).run;
      }
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
    teller.stop();
    stop();
  }
}

// --- helpers ---

function createTeller(onProgress: Watching['onProgress']) {
  let last = -1;
  let message = 'queued';
  let step = '';
  const tell = (progress: number) => {
    last = Math.max(progress, last + LEAST_STEP, 0);
    onProgress?.(last, message);
  };
  const beat = onProgress === undefined ? undefined : setInterval(() => tell(last), SIGN_OF_LIFE_MS);
  return {
    at(progress: number) {
      if (last < 0) tell(progress);
    },
    notice({ progress, etaSeconds, step: at = step }: ProgressNotice) {
      step = at;
      message = `${step === '' ? 'running' : `step ${step}`}${etaSeconds === undefined ? '' : `, about ${formatDuration(etaSeconds)} left`}`;
      tell(progress);
    },
    event(body: RunEventBody) {
      if (body.type === 'step.status') {
        step = body.step;
        message = `step ${body.step} ${body.status}`;
        tell(last);
      } else if (body.type === 'run.status') {
        message = body.status;
        tell(last);
      }
    },
    stop: () => clearInterval(beat),
  };
}
