/** Send-attempt: hands one attempt to its backend, once the queue lets anything out, and says what a refusal may mean. */
import { CallsheetError, type ErrorData } from '#protocol/errors.ts';
import { retryClass } from '#protocol/retry-class.ts';
import type { Attempt, Backend, Payload } from '#backends/contract.ts';
import { wasNeverSent } from '#backends/never-sent.ts';
import type { AttemptRow } from '#store/types.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { renderFused } from './fused/render-fused.ts';
import { isRefused, withGrace } from './grace.ts';
import type { InFlight } from './in-flight.ts';
import type { ExecuteInput } from './logic.ts';

export interface Sending {
  readonly input: ExecuteInput;
  readonly attempt: Attempt;
  readonly backend: Backend;
  readonly memory: RunMemory;
  readonly signal: AbortSignal;
  readonly record: (change: Partial<AttemptRow>) => void;
  /** Says something of the item, which stays where it is. */
  readonly remark: (code: string, message: string) => void;
  /** Tells of a part of the graph that the backend refused while it does the rest. */
  readonly warn: (warning: ErrorData) => void;
}

/**
 * Sends the prompt once. No answer is not a failure: the follower finds out whether it arrived. Neither is an error of something in between
 * (a proxy's 502), which is given back: with the prompt proven absent, the next attempt waits as long as that answer asked.
 */
export async function sendAttempt(
  deps: ActorDeps,
  inFlight: InFlight,
  { input, attempt, backend, memory, signal, record, remark, warn }: Sending,
): Promise<CallsheetError | undefined> {
  let told: string | undefined;
  /** Prepared before the queue was paused or the card was handed on, by this process or an earlier one: it goes when it may. */
  const go = <T>(anew: () => void, work: () => Promise<T>): Promise<T> =>
    deps.places.send(
      backend.id,
      signal,
      ({ code, reason }) => {
        anew();
        if (reason !== told) remark(code, reason);
        told = reason;
      },
      work,
    );
  const payload: Payload =
    inFlight.takePayload(attempt.promptId) ??
    (await withGrace(deps, signal, (anew) => go(anew, () => renderFused(deps, memory, input, backend, signal))));
  const once = async (): Promise<CallsheetError | undefined> => {
    memory.fresh.delete(attempt.promptId);
    try {
      const receipt = await inFlight.track(attempt.promptId, backend.submit(attempt, payload));
      record({ status: 'submitted', acknowledged: true, number: receipt.number ?? null });
      if (receipt.warnings.length > 0) memory.leftOut.set(attempt.promptId, receipt.warnings);
      for (const warning of receipt.warnings) warn(warning);
      return undefined;
    } catch (error) {
      if (!(error instanceof CallsheetError) || wasNeverSent(error) || retryClass(error.data) !== 'transient') throw error;
      return error.data.details?.['status'] === undefined ? undefined : error;
    }
  };
  const leaves = (error: unknown) => isRefused(error) && deps.places.leave(memory, input.step, backend.id);
  // What never left this machine can safely be sent again.
  return withGrace({ ...deps, leaves }, signal, (anew) => go(anew, () => (signal.aborted ? Promise.resolve(undefined) : once())));
}
