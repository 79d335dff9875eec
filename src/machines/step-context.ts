/** What a step machine remembers, and what follows from it for its actors, its events and its retries. Pure functions over plain data. */
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import { type RetryClass, retryClass } from '#protocol/retry-class.ts';
import type { StepStatus } from '#protocol/views.ts';
import type { ItemInput, ParseInput, Profile } from '#actors/logic.ts';
import { MOST_RETRIES } from './back-off.ts';
import type { Tried } from './step-ends.ts';

/** What spawns a step machine. */
export interface StepInput extends ItemInput {
  /** The first attempt to make, 1-based; 1 when absent. A run that is tried again goes on where its attempts ended. */
  readonly attempt?: number;
  /** That attempt was sent by an earlier try, which never learnt what became of it: when it is gone, a person has asked for the next one. */
  readonly takenUp?: number;
  /** That of the attempt which is taken up. */
  readonly profile?: Profile;
}

export interface StepContext extends ItemInput {
  /** 1-based; the attempt at work. */
  readonly attempt: number;
  readonly promptId: string | null;
  readonly backendId: string | null;
  readonly outputs: ParseInput['outputs'] | null;
  readonly contact: 'ok' | 'lost' | 'unresponsive';
  readonly error: ErrorData | null;
  readonly draft: boolean;
  readonly end: StepResult['status'] | null;
  /** Retries made so far, by class. Absent in snapshots from before there were classes. */
  readonly retries?: Readonly<Record<Exclude<RetryClass, 'permanent'>, number>>;
  /** Absent: the values that were asked for. */
  readonly profile?: Profile;
  readonly takenUp?: number;
}

export interface StepResult {
  readonly step: string;
  readonly item: number;
  readonly status: 'done' | 'failed' | 'cancelled' | 'lost';
  readonly draft: boolean;
  readonly error: ErrorData | null;
}

/** The whole of what `executing` and everything before it needs as one attempt's key. */
export function executeInput(context: StepContext) {
  return { ...prepareInput(context), promptId: context.promptId ?? '', backendId: context.backendId ?? '' };
}

export function prepareInput({ runId, step, item, skipped, picks, attempt, profile }: StepContext) {
  return { runId, step, item, skipped, ...(picks === undefined ? {} : { picks }), attempt, ...(profile === undefined ? {} : { profile }) };
}

export function retriesOf(context: StepContext) {
  return context.retries ?? { transient: context.attempt - 1, memory: 0 };
}

export function triedOf(context: StepContext): Tried {
  return { ...retriesOf(context), isLow: context.profile !== undefined };
}

/** True when an attempt that ended with this error may be followed by another one. */
export function mayRetry(context: StepContext, error: ErrorData, wanted: RetryClass): boolean {
  return retryClass(error) === wanted && wanted !== 'permanent' && retriesOf(context)[wanted] < MOST_RETRIES[wanted];
}

export function statusEvent(context: StepContext, status: StepStatus, error: ErrorData | null): RunEventBody {
  const { step, item, attempt, backendId, promptId, profile } = context;
  return {
    type: 'step.status',
    step,
    item,
    attempt,
    status,
    ...(profile === undefined ? {} : { profile }),
    ...(backendId === null ? {} : { backend: backendId }),
    ...(promptId === null ? {} : { promptId }),
    ...(error === null ? {} : { error }),
  };
}
