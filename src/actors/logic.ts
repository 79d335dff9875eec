/**
 * The actors' public words: what each takes, gives back and reports.
 * Names of `src` and shapes of inputs land in stored snapshots: rename only with a snapshot migration.
 */
import type { CallbackActorLogic, PromiseActorLogic } from 'xstate';
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { RemoteOutputs } from '#backends/contract.ts';

export interface RunKey {
  readonly runId: string;
}

/** What the run machine needs to know of a template: order and dependence, nothing else. */
export interface RunPlan {
  /** In topological order; choices stand among the steps as `choices.NAME`. */
  readonly steps: readonly { readonly id: string; readonly needs: readonly string[] }[];
  /** Choices that stand from an earlier try of the run; absent when there are none. */
  readonly picks?: Picks;
}

/** Choice → ids of the candidates that were picked, in order. */
export type Picks = Readonly<Record<string, readonly string[]>>;

/** What ended before, as far as references can see it. */
export interface Settled extends RunKey {
  /** Steps, and choices as `choices.NAME`, that were skipped: references to them are null. */
  readonly skipped: readonly string[];
  /** Choices that were made; absent when there are none. */
  readonly picks?: Picks;
}

export interface PlanInput extends Settled {
  readonly step: string;
}

export interface ChoiceInput extends Settled {
  readonly into: string;
}

/** What a person is asked, or why there is nothing to ask. */
export type OfferOutput = { readonly skip: string } | ChoiceOffer;

export interface ChoiceOffer {
  readonly asked: Omit<Extract<RunEventBody, { readonly type: 'choice.offered' }>, 'type'>;
  /** Milliseconds until `onTimeout`; null waits for ever. */
  readonly timeoutMs: number | null;
  readonly onTimeout: 'first' | 'fail' | 'wait';
}

/** Where an item goes on that earlier tries of the run did not finish. */
export interface Begin {
  readonly item: number;
  /** The attempt to begin with. */
  readonly attempt: number;
  /** It was sent by an earlier try, which never learnt what became of it. */
  readonly isTakenUp: boolean;
  /** That of the attempt which is taken up. */
  readonly profile?: Profile;
}

export interface Planned {
  readonly items: number;
  /** Items that earlier tries of the run finished; absent when there are none, as `begin`. */
  readonly kept?: readonly number[];
  readonly begin?: readonly Begin[];
}

export type PlanOutput = { readonly skip: string } | Planned;

export interface ItemInput extends PlanInput {
  /** From 0. */
  readonly item: number;
}

/** With what the step's `lowMemory` sets (docs/templates.md, TS10). Absent wherever it stands: with the values that were asked for. */
export type Profile = 'low';

export interface PrepareInput extends ItemInput {
  /** 1-based. */
  readonly attempt: number;
  readonly profile?: Profile;
}

/** The deterministic key of an attempt; the effect looks it up before it begins (DESIGN 6, attach or begin). */
export interface Prepared {
  readonly promptId: string;
  readonly backendId: string;
}

/** Nothing has to be sent: the result was made before, and its files are there. */
export interface ServedFromCache {
  readonly cached: true;
  readonly draft: boolean;
}

export interface ExecuteInput extends PrepareInput, Prepared {}

export interface ParseInput extends ExecuteInput {
  readonly outputs: RemoteOutputs;
}

export interface ParseOutput {
  readonly artifacts: number;
  readonly draft: boolean;
}

export type CollectInput = Settled;

export interface FreeOutput {
  /** Whether the step has a lower profile to go on with. */
  readonly lower: boolean;
}

export interface CollectOutput {
  readonly draft: boolean;
}

/** What execute-step reports to its step machine. Progress and previews go past the machine: they are not state. */
export type ExecuteEvent =
  | { readonly type: 'backend.queued' }
  | { readonly type: 'backend.started' }
  | { readonly type: 'backend.contact'; readonly status: 'lost' | 'restored' | 'unresponsive' }
  | { readonly type: 'backend.finished'; readonly outputs: RemoteOutputs }
  | { readonly type: 'backend.failed'; readonly error: ErrorData }
  | { readonly type: 'backend.lost'; readonly cause: 'restarted' | 'removed' | 'assumed' };

export type LoadTemplate = PromiseActorLogic<RunPlan, RunKey>;
export type InjectParameters = PromiseActorLogic<void, RunKey>;
export type PlanStep = PromiseActorLogic<PlanOutput, PlanInput>;
export type OfferChoice = PromiseActorLogic<OfferOutput, ChoiceInput, RunEventBody>;
export type PrepareStep = PromiseActorLogic<Prepared | ServedFromCache, PrepareInput, RunEventBody>;
export type ExecuteStep = CallbackActorLogic<{ type: 'none' }, ExecuteInput, RunEventBody>;
export type ParseResults = PromiseActorLogic<ParseOutput, ParseInput, RunEventBody>;
export type CancelStep = PromiseActorLogic<void, ExecuteInput, RunEventBody>;
/** Takes every attempt of the run that has no end off its backend. */
export type ReleaseAttempts = PromiseActorLogic<void, RunKey, RunEventBody>;
export type FreeBackend = PromiseActorLogic<FreeOutput, ExecuteInput, RunEventBody>;
export type CollectResults = PromiseActorLogic<CollectOutput, CollectInput, RunEventBody>;

export interface StepActors {
  readonly 'prepare-step': PrepareStep;
  readonly 'execute-step': ExecuteStep;
  readonly 'parse-results': ParseResults;
  readonly 'cancel-step': CancelStep;
  readonly 'free-backend': FreeBackend;
}

export interface ChoiceActors {
  readonly 'offer-choice': OfferChoice;
}

export interface RunActors extends StepActors, ChoiceActors {
  readonly 'load-template': LoadTemplate;
  readonly 'inject-parameters': InjectParameters;
  readonly 'plan-step': PlanStep;
  readonly 'collect-results': CollectResults;
  readonly 'release-attempts': ReleaseAttempts;
}
