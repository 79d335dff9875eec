/** Events: the numbered lines of a run's log. What clients see and what resume replays (DESIGN 1, 5, 7). */
import type { ErrorData } from './errors.ts';
import type { CacheResult, ChoiceCandidate, RunStatus, StepStatus } from './views.ts';

export type RunEventBody =
  | { readonly type: 'run.created'; readonly template: string; readonly version: string }
  | { readonly type: 'run.status'; readonly status: RunStatus; readonly error?: ErrorData }
  /**
   * An ended run goes on: the `nth` try of all. Each try ends with one `run.status`. `again`: steps, and choices as `choices.NAME`, that are
   * done again, in whole or in part; `dropped`: ids of artifacts that no longer count; `from`, `backend`: what was asked for.
   */
  | {
      readonly type: 'run.retried';
      readonly nth: number;
      readonly again: readonly string[];
      readonly dropped?: readonly string[];
      /** Choices that stand, with the ids of what was picked. */
      readonly picks?: Readonly<Record<string, readonly string[]>>;
      readonly from?: string;
      readonly backend?: string;
    }
  /** `kept`: items that an earlier try finished. */
  | { readonly type: 'step.planned'; readonly step: string; readonly items: number; readonly kept?: readonly number[] }
  | {
      readonly type: 'step.status';
      readonly step: string;
      readonly item: number;
      readonly attempt: number;
      readonly status: StepStatus;
      /** `low`: with the values that the template sets for too little memory. */
      readonly profile?: 'low';
      readonly backend?: string;
      readonly promptId?: string;
      readonly reason?: string;
      readonly error?: ErrorData;
    }
  | {
      readonly type: 'artifact.created';
      readonly artifactId: string;
      readonly step: string;
      readonly item: number;
      readonly output: string;
      readonly path: string;
      readonly mediaType: string;
      /** Its item failed for what did not come with it. */
      readonly partial?: boolean;
    }
  | {
      /** The run waits for a person. */
      readonly type: 'choice.offered';
      readonly into: string;
      readonly after: string;
      readonly title?: string;
      readonly pick: { readonly min: number; readonly max: number };
      readonly candidates: readonly ChoiceCandidate[];
      readonly deadline?: number;
      readonly onTimeout?: 'first' | 'fail' | 'wait';
    }
  | { readonly type: 'choice.made'; readonly into: string; readonly picked: readonly string[]; readonly by: 'person' | 'timeout' }
  | {
      /** It ended, or never began, without a pick. */
      readonly type: 'choice.status';
      readonly into: string;
      readonly status: 'skipped' | 'blocked' | 'failed' | 'cancelled';
      readonly reason?: string;
      readonly error?: ErrorData;
    }
  /** What the result cache had for an item; `hit` is followed by the status `cached`. */
  | {
      readonly type: 'step.cache';
      readonly step: string;
      readonly item: number;
      readonly attempt: number;
      readonly result: CacheResult;
      /** One sentence for people. */
      readonly reason: string;
      /** Of a hit: the run that made it. */
      readonly runId?: string;
    }
  /** Something about an item that does not change its state: shown as its reason until its next state, or until a note `STEP_MOVES`. */
  | {
      readonly type: 'step.note';
      readonly step: string;
      readonly item: number;
      readonly attempt: number;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: 'run.note';
      readonly code: string;
      readonly message: string;
      readonly step?: string;
      /** `warning`: it stands among the problems of the run from then on. */
      readonly severity?: 'warning';
      readonly hint?: string;
    };

export interface RunEvent {
  readonly runId: string;
  /** Number within the run's log, from 1, without a gap. */
  readonly seq: number;
  /** Number within the whole log of this epoch, from 1, without a gap. */
  readonly position: number;
  /** Names the log: changes only when the database was rebuilt from a backup. */
  readonly epoch: string;
  /** Milliseconds since 1970; for people, never for ordering. */
  readonly at: number;
  readonly event: RunEventBody;
}

/** Coalesced, not stored, not numbered. */
export interface ProgressNotice {
  readonly runId: string;
  readonly progress: number;
  readonly etaSeconds?: number;
  /** The rest takes between these two in about four of five cases; seconds. */
  readonly etaRange?: readonly [number, number];
  readonly step?: string;
  readonly item?: number;
  /** Id of the node at work, as the graph of the step has it. */
  readonly node?: string;
}

export interface PreviewNotice {
  readonly runId: string;
  readonly step: string;
  readonly item: number;
  readonly mediaType: string;
  /** Base64 of the picture. */
  readonly data: string;
}
