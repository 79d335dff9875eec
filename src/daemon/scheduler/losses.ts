/**
 * Attempts on a backend that is out of reach: unknown until it answers, or until a person or the backend's policy gives them up.
 * What such an attempt still gives later is written down and never used: another one took its place.
 */
import { CallsheetError, type ErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { BackendView } from '#protocol/views.ts';
import type { Backend } from '#backends/contract.ts';
import type { AttemptRow, Store } from '#store/types.ts';
import type { Logger } from '../log.ts';
import type { PoolSettings } from './settings.ts';
import type { Slot } from './slots.ts';

export interface LossesOptions {
  readonly backends: readonly Backend[];
  readonly settings: PoolSettings;
  readonly store: Pick<Store, 'assumedLost'>;
  /** Attempts of ours on a backend. */
  readonly on: (backendId: string) => readonly Slot[];
  /** Nothing of it is waited for any more. */
  readonly onGivenUp: (backendId: string) => void;
  /** Writes the row and the line into the run's log; the run may have ended since. */
  readonly record: (row: AttemptRow, event: RunEventBody) => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

export interface Losses {
  onAssumedLost(promptId: string, listener: (error: ErrorData) => void): () => void;
  /** Gives up what runs on a backend that does not answer; how many attempts that were. Throws BACKEND_ANSWERS. */
  assume(view: BackendView): number;
  /** After each answer of a backend, or none. */
  heard(view: BackendView): void;
  close(): void;
}

export function createLosses({ backends, settings, store, on, onGivenUp, record, log }: LossesOptions): Losses {
  const listeners = new Map<string, (error: ErrorData) => void>();
  /** Since when a backend has not answered, by a clock that does not jump. */
  const silentSince = new Map<string, number>();
  const looking = new Set<string>();
  const closing = new AbortController();

  function giveUp({ id, url, status }: BackendView, why: string): number {
    const data: ErrorData = {
      code: 'ATTEMPT_ASSUMED_LOST',
      message: `Backend '${id}'${url === undefined ? '' : ` at ${url}`} ${status === 'worker-dead' ? 'executes nothing any more' : 'does not answer'}, and ${why} decided that its attempts are lost. Whether they still run there is not known.`,
      hint: 'What they still give is written down when the backend is back, and not used.',
      retryable: true,
    };
    const told = on(id).flatMap(({ promptId }) => listeners.get(promptId) ?? []);
    for (const listener of told) listener(data);
    onGivenUp(id);
    if (told.length > 0) log.warn({ backend: id, attempts: told.length, why }, 'attempts were given up without proof');
    return told.length;
  }

  /** Looks once for what was given up there; takes off what is not done yet. */
  async function lookForLate(backend: Backend): Promise<void> {
    for (const row of store.assumedLost().filter((one) => isOf(backend, one))) {
      const { runId, step, item, attempt: number, promptId, backend: backendId } = row;
      const attempt = { runId, step, item, attempt: number, promptId, backendId };
      const { state } = await backend.attach(attempt, closing.signal);
      const isOpen = state === 'queued' || state === 'running';
      const finished = state === 'finished' || (isOpen && (await backend.cancel(attempt, closing.signal)).result === 'finished');
      if (closing.signal.aborted) return;
      const status = finished ? 'late' : isOpen ? 'cancelled' : 'lost';
      record({ ...row, status }, { type: 'run.note', code: 'ATTEMPT_LATE', step, message: lateMessage(row, status) });
      log.info(
        { runId, step, item, attempt: number, promptId, backend: backendId, status },
        'an attempt that was given up was found again',
      );
    }
  }

  return {
    onAssumedLost(promptId, listener) {
      listeners.set(promptId, listener);
      return () => {
        if (listeners.get(promptId) === listener) listeners.delete(promptId);
      };
    },
    assume(view) {
      if (view.status === 'ready') {
        throw new CallsheetError('BACKEND_ANSWERS', `Backend '${view.id}' answers, so what runs there is known.`, {
          hint: 'Cancel the runs that you do not want: callsheet runs cancel ID',
        });
      }
      return giveUp(view, 'a person');
    },
    heard(view) {
      const { id, status } = view;
      if (status === 'ready') {
        silentSince.delete(id);
        const backend = backends.find((one) => one.id === id);
        if (backend === undefined || looking.has(id)) return;
        looking.add(id);
        lookForLate(backend)
          .catch(() => undefined)
          .finally(() => looking.delete(id));
        return;
      }
      const since = silentSince.get(id) ?? performance.now();
      silentSince.set(id, since);
      const after = settings.backends[id]?.assumeLostAfterMs;
      if (after === undefined || performance.now() - since < after) return;
      // What takes the place of these may go to the same silent backend: it is given the same time.
      if (giveUp(view, `its policy (${String(after / 1000)} s without an answer)`) > 0) silentSince.set(id, performance.now());
    },
    close: () => closing.abort(),
  };
}

// --- helpers ---

/** At another address it is another server, which knows nothing of it. The embedded sandbox died with its daemon. */
function isOf({ id, kind, url }: Backend, row: AttemptRow): boolean {
  return row.backend === id && (kind === 'sandbox' || row.address === url);
}

function lateMessage({ attempt, backend, error }: AttemptRow, status: string): string {
  const isCancelled = error?.code === 'CANCELLED';
  const when = isCancelled ? 'before its cancel was proven' : `while backend '${backend}' did not answer`;
  const which = `Attempt ${String(attempt)}, which was given up ${when},`;
  if (status === 'late')
    return `${which} had a result after all. It is not used: ${isCancelled ? 'the run was cancelled' : 'another attempt took its place'}.`;
  return status === 'cancelled' ? `${which} was still there and has been taken off.` : `${which} is gone from there.`;
}
