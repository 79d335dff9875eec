/** Makes a choice: the pick reaches the run's machine once, and is on disk together with its request key before anybody is told. */
import { CallsheetError } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import type { RunStatus, RunView } from '#protocol/views.ts';
import { NOTHING } from './contention.ts';
import { notWaiting, type Picked, pickOf } from './pick-of.ts';
import { type RunHost, statusOf } from './run-host.ts';
import type { ChooseRequest } from './run-service.ts';

export interface ChooseParts {
  readonly host: Pick<RunHost, 'choose' | 'stored' | 'snapshot' | 'stage'>;
  /** Throws RUN_NOT_FOUND. */
  readonly get: (runId: string) => RunView;
  /** What was answered to the choice with this request key, once that stands. */
  readonly answerOf: (key: string, paramsHash: string) => string | undefined;
  /** Why a run is held, when it is. */
  readonly problemOf: (runId: string) => Problem | undefined;
}

/** `paramsHash` is that of the request without its key. Throws RUN_NOT_FOUND, CHOICE_NOT_WAITING, CHOICE_INVALID. */
export function createChoose({ host, get, answerOf, problemOf }: ChooseParts) {
  return async (request: ChooseRequest, paramsHash: string): Promise<Picked & { readonly status: RunStatus }> => {
    const { runId, requestKey: key } = request;
    // What was offered a moment ago may not be in the log yet.
    if (host.snapshot(runId) !== undefined) await host.stored(runId, NOTHING);
    // The same wish, made before while the database could not be written: it stands now.
    const first = key === undefined ? undefined : answerOf(key, paramsHash);
    if (first !== undefined) return JSON.parse(first) as Picked & { readonly status: RunStatus };
    const { choices = [], status } = get(runId);
    const problem = problemOf(runId);
    if (problem !== undefined) throw new CallsheetError('CHOICE_NOT_WAITING', problem.message, { hint: problem.hint ?? '' });
    const pick = pickOf(request, choices, status);
    if (!host.choose(runId, pick.into, pick.picked)) {
      // Somebody else was faster; the log says what was picked.
      await host.stored(runId, NOTHING);
      const now = get(runId);
      throw notWaiting(pick.into, now.choices ?? [], now.status);
    }
    const snapshot = host.snapshot(runId);
    const answer = { ...pick, status: snapshot === undefined ? status : statusOf(snapshot) };
    // In one transaction with the pick: a repeated call never finds the one without the other.
    if (key !== undefined) host.stage(runId, { requestKeys: [{ key, method: 'run/choose', paramsHash, answer: JSON.stringify(answer) }] });
    await host.stored(runId);
    return answer;
  };
}
