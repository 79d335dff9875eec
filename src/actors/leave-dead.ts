/** Leave-dead: takes an attempt away from a backend that answers and will never execute it, where another one would. */
import type { ErrorData } from '#protocol/errors.ts';
import type { Attempt, Backend } from '#backends/contract.ts';
import type { RunMemory } from './deps.ts';
import type { ExecuteInput } from './logic.ts';

export interface LeaveDeadOptions {
  readonly memory: RunMemory;
  readonly input: ExecuteInput;
  readonly backend: Pick<Backend, 'attach' | 'cancel'>;
  readonly attempt: Attempt;
  readonly signal: AbortSignal;
  /** Without another one the restart is waited for, which loses the attempt all the same. */
  readonly hasOther: () => boolean;
  /** It was queued, and is proven to be in the queue no more. */
  readonly takenOff: (error: ErrorData) => void;
  /** The worker died while it executed this one. */
  readonly diedAtWork: (error: ErrorData) => Promise<void>;
}

export interface LeaveDead {
  /** True while its end on that backend is our own doing. */
  readonly isLeaving: boolean;
  /** To be called again and again while the worker is dead. Never rejects. */
  leave(error: ErrorData): Promise<void>;
}

export function createLeaveDead(options: LeaveDeadOptions): LeaveDead {
  const { memory, input, backend, attempt, signal, hasOther } = options;
  let isLeaving = false;
  return {
    get isLeaving() {
      return isLeaving;
    },
    async leave(error) {
      if (isLeaving || signal.aborted || !hasOther()) return;
      isLeaving = true;
      try {
        const { state } = await backend.attach(attempt, signal);
        const isOff = state === 'queued' && (await backend.cancel(attempt, signal)).result === 'gone';
        if (signal.aborted) return;
        if (isOff) options.takenOff(error);
        else if (state === 'running') await options.diedAtWork(guiltyOf(memory, input, error));
      } catch {
        // It is tried again.
      } finally {
        isLeaving = false;
      }
    },
  };
}

// --- helpers ---

/** One worker may die of anything; a prompt at which two have died is not given to a third. */
function guiltyOf({ attempts }: RunMemory, { step, item, promptId, backendId }: ExecuteInput, error: ErrorData): ErrorData {
  const first = [...attempts.values()].find(
    (row) => row.step === step && row.item === item && row.promptId !== promptId && row.error?.details?.['diedAtWork'] === true,
  );
  const details = { diedAtWork: true };
  if (first === undefined) return { ...error, details };
  return {
    ...error,
    message: `The worker of backend '${backendId}' died while it executed this prompt, as that of '${first.backend}' had before. It is not given to another.`,
    hint: 'Look into the logs of both for the node that does it, and restart them; then: callsheet runs retry ID.',
    retryable: false,
    details,
  };
}
