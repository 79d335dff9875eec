/** What becomes of the runs that a daemon finds when it starts: taken up, queued again, or held until their backend is there. */
import type { Logger } from 'pino';
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { Backend } from '#backends/contract.ts';
import type { AttemptRow, OpenRun, RunRow, Store } from '#store/types.ts';
import { isAtRest, isAtWork } from './at-rest.ts';
import { cached } from './cached.ts';
import { type Contention, isHeld } from './contention.ts';
import { type HeldRun, heldNote, heldRun, unknownOf } from './held-runs.ts';
import { createRecovery, USUAL_SETTLE_MS } from './recovery.ts';
import type { RunHost } from './run-host.ts';
import type { RunMemories } from './run-memory.ts';
import type { RunProgress } from './run-progress.ts';
import { allEvents } from './run-view.ts';
import type { Scheduler } from './scheduler/contract.ts';
import { workBefore } from './work-before.ts';

export interface StoredRunsOptions {
  readonly store: Store;
  readonly contention: Pick<Contention, 'putOff'>;
  readonly host: Pick<RunHost, 'resume' | 'refuse' | 'append' | 'stage'>;
  readonly memories: Pick<RunMemories, 'get' | 'pinned'>;
  readonly progress: Pick<RunProgress, 'resume' | 'announce'>;
  readonly scheduler: Pick<Scheduler, 'know' | 'enqueue'>;
  readonly backends: readonly Backend[];
  readonly addressOf: (backend: Backend) => string;
  readonly rowOf: (runId: string) => RunRow;
  /** How long the daemon lives with a run before it is no longer suspected; the usual time when absent. */
  readonly settleMs?: number;
  readonly log: Logger;
  /** What is stored could not be read: everything has to be read again, and no run is judged by that. */
  readonly onStorageFailure: (error: unknown) => void;
}

export interface StoredRuns {
  /** Runs that wait for a daemon with their backend. */
  readonly held: Map<string, HeldRun>;
  /** Boots the machine of a stored run; one that cannot be is ended with its reason. */
  takeUp(runId: string): void;
  /** Judges every run that has not ended. */
  takeUpAll(): void;
  /** Takes up at once what waits for its turn. */
  hurry(runId: string): void;
  /** All of it waits for a place: it is not at work until it has one (`hurry`). */
  rest(runId: string): void;
  /** How many wait for their turn since daemons died in whose hands they were. */
  recovering(): number;
  /** Takes up nothing more. */
  stop(): void;
  /** The daemon ends by itself: its runs are blamed for nothing. */
  close(): void;
}

export function createStoredRuns(options: StoredRunsOptions): StoredRuns {
  const { store, contention, host, memories, progress, scheduler, backends, addressOf, rowOf, log } = options;
  const held = new Map<string, HeldRun>();
  let stopped = false;
  const kindsOf = cached((hash) => new Set(memories.pinned(hash).steps.map(({ backend }) => backend)));

  function hold(runId: string, run: HeldRun): void {
    held.set(runId, run);
    const note = heldNote(run);
    const last = allEvents(store, runId).at(-1)?.event;
    // Short-lived daemons come and go: each saying the same would fill the log.
    if (last?.type !== 'run.note' || last.code !== run.problem.code) host.append(runId, note);
    log.warn({ runId, missing: [...run.missing] }, 'a run waits for a backend that this daemon was started without');
  }

  const holds = (head: OpenRun, attempts: readonly AttemptRow[]) =>
    heldRun(head, attempts, {
      backends,
      addressOf,
      kinds: kindsOf(head.templateHash),
      speaksOf: (promptId) => store.run(head.runId)?.snapshot?.includes(promptId) ?? false,
    });

  function takeUp(runId: string): void {
    try {
      const { attempts } = memories.get(runId);
      const row = rowOf(runId);
      const wasAtWork = attempts.size > 0;
      const before = wasAtWork ? workBefore(allEvents(store, runId), Date.now()) : {};
      progress.resume(runId, { stored: row.progress, told: isAtWork(row), ...before });
      host.resume(row);
      if (wasAtWork) progress.announce(runId);
      log.info({ runId }, 'run resumed');
    } catch (error) {
      if (isHeld(error)) again(runId, contention.putOff(error));
      else refuse(runId, error, 'a stored run cannot be resumed');
    }
  }

  function again(runId: string, pauseMs: number): void {
    setTimeout(() => {
      if (!stopped) takeUp(runId);
    }, pauseMs).unref();
  }

  /** A disk that cannot be read now says nothing of the run. */
  function refuse(runId: string, error: unknown, what: string): void {
    if (isStorage(error)) {
      options.onStorageFailure(error);
      return;
    }
    log.error({ runId, err: error }, what);
    host.refuse(runId, toErrorData(error));
  }

  const recovery = createRecovery({
    store,
    contention,
    takeUp,
    setAside(runId, error) {
      const row = rowOf(runId);
      progress.resume(runId, { stored: row.progress, told: isAtWork(row) });
      const { attempts, events } = unknownOf(store.attempts(runId), error.message, Date.now());
      host.stage(runId, { attempts });
      for (const event of events) host.append(runId, event);
      host.refuse(runId, error);
      log.error({ runId }, 'a run took the daemon down again and again; it is set aside');
    },
    settleMs: options.settleMs ?? USUAL_SETTLE_MS,
    log,
  });

  function judge(head: OpenRun, begun: string[], atRest: Set<string>): void {
    const { runId } = head;
    const attempts = head.begun ? store.attempts(runId) : [];
    // One that is being cancelled says itself what its proof waits for.
    const waiting = head.status === 'cancelling' ? undefined : holds(head, attempts);
    if (waiting !== undefined) hold(runId, waiting);
    else if (head.begun) {
      scheduler.know(head, attempts);
      begun.push(runId);
      if (head.status === 'waiting' && isAtRest(rowOf(runId), Date.now())) atRest.add(runId);
    } else scheduler.enqueue(head);
  }

  return {
    held,
    takeUp,
    takeUpAll() {
      const begun: string[] = [];
      const atRest = new Set<string>();
      for (const head of store.openRunHeads()) {
        try {
          judge(head, begun, atRest);
        } catch (error) {
          refuse(head.runId, error, 'a stored run cannot be judged');
          if (isStorage(error)) return;
        }
      }
      recovery.begin(begun, atRest);
    },
    hurry: (runId) => recovery.hurry(runId),
    rest: (runId) => recovery.rest(runId),
    recovering: () => recovery.waiting(),
    stop() {
      stopped = true;
      recovery.stop();
    },
    close: () => recovery.close(),
  };
}

function isStorage(error: unknown): boolean {
  return isHeld(error) || (error instanceof CallsheetError && error.code === 'STORAGE_FAILED');
}
