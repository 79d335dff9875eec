/** The clock of one item of a step: follows its states and tells its phases and attempts as they end. */
import type { RunEventBody } from '#protocol/events.ts';
import type { ErrorCode } from '#protocol/errors.ts';
import { type RetryClass, retryClass } from '#protocol/retry-class.ts';
import type { StepStatus } from '#protocol/views.ts';
import type { AttemptFact, AttemptOutcome, Fact, ItemEnd, ItemFact, Phase, PhaseFact, RetryFact } from './facts.ts';
import { ITEM_ENDS } from './facts.ts';

export type StepState = Extract<RunEventBody, { readonly type: 'step.status' }>;

type WithoutRun<F extends Fact> = Omit<F, 'runId' | 'template' | 'nth' | 'resumed'>;
export type ItemNews = WithoutRun<PhaseFact> | WithoutRun<AttemptFact> | WithoutRun<RetryFact> | WithoutRun<ItemFact>;

export interface ItemClock {
  take(event: StepState, at: number): readonly ItemNews[];
  /** Its outputs came: from here on it does not execute any more. */
  parsedFrom(at: number): void;
}

const PHASE_OF: Partial<Record<StepStatus, Phase>> = {
  waiting: 'place',
  submitting: 'submit',
  queued: 'backend-queue',
  running: 'execute',
  unknown: 'out-of-touch',
  unresponsive: 'out-of-touch',
  freeing: 'free',
  'backing-off': 'back-off',
  cancelling: 'cancel',
};

/** What an attempt that is out came to, by the state that follows; the others leave it out. */
const OUTCOME_OF: Partial<Record<StepStatus, AttemptOutcome>> = {
  done: 'finished',
  failed: 'failed',
  freeing: 'failed',
  'backing-off': 'failed',
  lost: 'lost',
  removed: 'removed',
  cancelled: 'cancelled',
};

/** An attempt whose end brought no error with it is tried again for one of these. */
const WHY_AGAIN: Partial<Record<AttemptOutcome, ErrorCode>> = { lost: 'BACKEND_RESTARTED', removed: 'PROMPT_REMOVED' };

export function createItemClock(step: string, item: number): ItemClock {
  const key = { step, item };
  let phase: { readonly phase: Phase; readonly attempt: number; readonly from: number } | undefined;
  let out: Pick<AttemptFact, 'attempt' | 'backend' | 'promptId' | 'profile' | 'from'> | undefined;
  let before: AttemptOutcome | undefined;
  let parsing: number | undefined;

  function endPhase(at: number, next: Phase | undefined): readonly ItemNews[] {
    if (phase === undefined || phase.phase === next) return [];
    const { from } = phase;
    const until = phase.phase === 'execute' && parsing !== undefined ? Math.min(at, parsing) : at;
    const over = { kind: 'phase', ...key, ...phase, until: Math.max(from, until) } as const;
    phase = undefined;
    return [over];
  }

  function endAttempt(outcome: AttemptOutcome, at: number, error: StepState['error']): readonly ItemNews[] {
    if (out === undefined) return [];
    const over = { kind: 'attempt', ...key, ...out, until: Math.max(out.from, at), outcome, ...(error && { error }) } as const;
    out = undefined;
    before = outcome;
    return [over];
  }

  function retryOf({ error }: StepState): WithoutRun<RetryFact> {
    const code = error?.code ?? WHY_AGAIN[before ?? 'failed'] ?? 'INTERNAL';
    const found: RetryClass = error === undefined ? 'transient' : retryClass(error);
    return { kind: 'retry', ...key, class: found, code };
  }

  return {
    take(event, at) {
      const { status, attempt, backend, promptId, profile, error } = event;
      const next = PHASE_OF[status];
      const news = [...endPhase(at, next)];
      if (status === 'submitting' && out?.attempt !== attempt) {
        news.push(...endAttempt('unknown', at, undefined));
        before = undefined;
        out = { attempt, backend: backend ?? '', from: at, ...(promptId && { promptId }), ...(profile && { profile }) };
      }
      const outcome = OUTCOME_OF[status];
      if (outcome !== undefined) news.push(...endAttempt(outcome, at, error));
      if (status === 'backing-off') news.push(retryOf(event));
      if (next === undefined) parsing = undefined;
      else phase ??= { phase: next, attempt, from: at };
      if (isItemEnd(event)) news.push({ kind: 'item', ...key, status: event.status });
      return news;
    },
    parsedFrom(at) {
      if (phase?.phase === 'execute') parsing = at;
    },
  };
}

/** A lost attempt that is followed by another one says no error with it; the last one does. */
export function isItemEnd(event: StepState): event is StepState & { readonly status: ItemEnd } {
  if (event.status === 'lost' && event.error === undefined) return false;
  return (ITEM_ENDS as readonly StepStatus[]).includes(event.status);
}
