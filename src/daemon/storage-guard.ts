/**
 * Outlives a disk that is full or fails: runs are set aside as a killed daemon would leave them, what is stored can still be read,
 * and as soon as something can be written again everything is read afresh and goes on (reliability F3, F4; DESIGN 5.7).
 */
import { CallsheetError } from '#protocol/errors.ts';
import type { Store } from '#store/types.ts';
import type { Logger } from './log.ts';
import { createNotices } from './notices.ts';
import type { QueueService } from './scheduler/queue-service.ts';
import type { Supervisor } from './supervisor.ts';

/** Between two tries to write, in milliseconds: from the first to twice it each time, up to the last. */
const FIRST_TRY_MS = 250;
const LONGEST_TRY_MS = 10_000;

/** What waiting mends. A database that is merely held comes here only when it could not be read at the start. */
const PASSING: ReadonlySet<string> = new Set(['STORAGE_FAILED', 'STORAGE_BUSY']);

export interface StorageGuardOptions {
  readonly store: Pick<Store, 'putSetting'>;
  /** Makes a supervisor that tells when a commit of its failed. It is used no more after that. */
  readonly make: (onStorageFailure: (error: unknown) => void) => Supervisor;
  readonly log: Pick<Logger, 'error' | 'info' | 'warn'>;
  /** A failure that waiting does not mend: the process must end. */
  readonly onLastFailure: (error: unknown) => void;
}

export function guardStorage({ store, make, log, onLastFailure }: StorageGuardOptions): Supervisor {
  const notices = createNotices();
  const backendListeners = new Set<Parameters<Supervisor['onBackend']>[0]>();
  let failure: CallsheetError | undefined;
  let failedAt = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let current = begin();

  function begin(): Supervisor {
    const made = make((error) => fail(made, error));
    made.onEvents((events) => notices.events(events));
    made.onProgress((notice) => notices.progress(notice));
    made.onPreview((notice) => notices.preview(() => notice));
    made.onBackend((view) => {
      for (const listener of backendListeners) listener(view);
    });
    return made;
  }

  function fail(failed: Supervisor, error: unknown): void {
    if (failed !== current || failure !== undefined || closed) return;
    if (!(error instanceof CallsheetError) || !PASSING.has(error.code)) {
      onLastFailure(error);
      return;
    }
    failure = error;
    failedAt = performance.now();
    log.error({ err: error }, 'nothing can be stored; runs wait, jobs on backends go on');
    failed.setAside();
    tryAgain(FIRST_TRY_MS);
  }

  function tryAgain(pauseMs: number): void {
    timer = setTimeout(() => {
      try {
        store.putSetting('storage', `written again after ${new Date().toISOString()}`);
      } catch (error) {
        if (error instanceof CallsheetError && PASSING.has(error.code)) tryAgain(Math.min(2 * pauseMs, LONGEST_TRY_MS));
        else onLastFailure(error);
        return;
      }
      failure = undefined;
      log.info('storage works again; runs are read and go on');
      current = begin();
      resume(current);
    }, pauseMs);
    timer.unref();
  }

  /** A disk that fails while runs are read is waited for like one that fails later. */
  function resume(supervisor: Supervisor): void {
    try {
      supervisor.resume();
    } catch (error) {
      fail(supervisor, error);
    }
  }

  /** What changes something is refused with its reason while nothing can be stored. */
  function writable(): Supervisor {
    if (failure === undefined) return current;
    throw refusal();
  }

  function refusal(): CallsheetError {
    const { message = '', hint = '' } = failure?.data ?? {};
    return new CallsheetError('STORAGE_FAILED', `Nothing can be stored at the moment. ${message}`, {
      hint,
      retryable: true,
      cause: failure,
    });
  }

  const refuse = () => Promise.reject(refusal());

  return {
    start: async (request) => writable().start(request),
    get: (runId) => current.get(runId),
    list: (query) => current.list(query),
    cancel: async (runId, options) => writable().cancel(runId, options),
    choose: async (request) => writable().choose(request),
    retry: async (request) => writable().retry(request),
    onEvents: notices.onEvents,
    onProgress: notices.onProgress,
    onPreview: notices.onPreview,
    onBackend(listener) {
      backendListeners.add(listener);
      return () => void backendListeners.delete(listener);
    },
    counts: () => current.counts(),
    atWork: () => current.atWork(),
    isBusy: (runId) => current.isBusy(runId),
    pinnedTemplates: () => current.pinnedTemplates(),
    once: async (requestKey, method, params, work) => writable().once(requestKey, method, params, work),
    get queue(): QueueService {
      const { queue } = current;
      return failure === undefined ? queue : { ...queue, pause: refuse, resume: refuse, free: refuse, assumeLost: refuse };
    },
    storage() {
      if (failure === undefined) return current.storage();
      const { message, hint = '' } = failure.data;
      return { status: 'failed', seconds: (performance.now() - failedAt) / 1000, message, hint };
    },
    get cache() {
      return current.cache;
    },
    resume: () => current.resume(),
    setAside: () => current.setAside(),
    async close() {
      closed = true;
      clearTimeout(timer);
      await current.close();
    },
  };
}
