/** What the clock of runs tells: things that are over, with their times. All times are milliseconds since 1970. */
import type { WatchedPhase } from '#actors/watch-phases.ts';
import type { ErrorCode, ErrorData } from '#protocol/errors.ts';
import type { RetryClass } from '#protocol/retry-class.ts';
import type { RunStatus, StepStatus } from '#protocol/views.ts';

/** In the order of a run. Some lie within others: `place` in `prepare`, `fetch` in `parse`. */
export const PHASES = [
  'run-queue',
  'load',
  'inject',
  'plan',
  'prepare',
  'place',
  'submit',
  'backend-queue',
  'execute',
  'out-of-touch',
  'parse',
  'fetch',
  'free',
  'back-off',
  'cancel',
  'choice',
  'collect',
] as const;
/** Those that are measured where they are done, and those that show in the log. */
export type Phase = WatchedPhase | (typeof PHASES)[number];

export const ATTEMPT_OUTCOMES = ['finished', 'failed', 'lost', 'removed', 'cancelled', 'unknown'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

export type ItemEnd = Extract<StepStatus, 'done' | 'cached' | 'skipped' | 'blocked' | 'failed' | 'cancelled' | 'lost'>;
export const ITEM_ENDS: readonly ItemEnd[] = ['done', 'cached', 'skipped', 'blocked', 'failed', 'cancelled', 'lost'];

interface Timed {
  readonly from: number;
  readonly until: number;
}

interface OfRun {
  readonly runId: string;
  readonly template: string;
  /** Which try of the run, from 1. */
  readonly nth: number;
  /** A process before this one had it. */
  readonly resumed: boolean;
}

interface OfItem extends OfRun {
  readonly step: string;
  readonly item: number;
}

export type RunFact = OfRun & Timed & { readonly kind: 'run'; readonly status: RunStatus; readonly error?: ErrorData };
export type StepFact = OfRun &
  Timed & { readonly kind: 'step'; readonly step: string; readonly items: number; readonly status: string; readonly error?: ErrorData };
export type ItemFact = OfItem & { readonly kind: 'item'; readonly status: ItemEnd };
export type AttemptFact = OfItem &
  Timed & {
    readonly kind: 'attempt';
    readonly attempt: number;
    readonly backend: string;
    readonly promptId?: string;
    readonly profile?: 'low';
    readonly outcome: AttemptOutcome;
    readonly error?: ErrorData;
  };
export type RetryFact = OfItem & { readonly kind: 'retry'; readonly class: RetryClass; readonly code: ErrorCode };
export type PhaseFact = OfRun &
  Timed & {
    readonly kind: 'phase';
    readonly phase: Phase;
    readonly step?: string;
    readonly item?: number;
    readonly attempt?: number;
    readonly error?: ErrorData;
  };

export type Fact =
  | (OfRun & { readonly kind: 'accepted' | 'retried' })
  | RunFact
  | StepFact
  | ItemFact
  | AttemptFact
  | RetryFact
  | PhaseFact;
