/** What a fold of a run's event log holds: its machines by the ids they have in the run machine, and the bookkeeping behind them. */

export const RUN_ID = 'run';
export const stepId = (step: string, item: number) => `step:${step}:${String(item)}`;
export const choiceId = (into: string) => `choice:${into}`;

/** Ids of all steps and, as `choices.NAME`, of all choices of the template. */
export interface Plan {
  readonly ids: readonly string[];
}

export interface FoldedMachine {
  /** `run`, `step:STEP:ITEM` or `choice:NAME`. */
  readonly id: string;
  readonly machine: 'run' | 'step' | 'choice';
  /** Names of the active states from outside in, with dots: `executing.queued`. */
  readonly value: string;
  /** `seq` of the event with which it entered the state. */
  readonly since: number;
  /** Of a step's item: 1-based. */
  readonly attempt?: number;
  readonly ended: boolean;
  /** It was ended from outside, in the state that it was in. */
  readonly stopped?: boolean;
}

/** A step that is planned, or that has settled. */
export interface FoldedStep {
  readonly items: number;
  readonly kept: ReadonlySet<number>;
  readonly open: Set<number>;
  /** The item to begin next. */
  next: number;
  settled: boolean;
}

export interface FoldedRun {
  readonly plan: Plan | undefined;
  /** Of the last event that was taken in; 0 before the first. */
  seq: number;
  /** How many times the run was begun by a person. */
  tries: number;
  isCancelling: boolean;
  readonly steps: Map<string, FoldedStep>;
  readonly machines: Map<string, FoldedMachine>;
}

/** A copy that later events do not change. */
export function copyFold(fold: FoldedRun): FoldedRun {
  const steps = new Map([...fold.steps].map(([id, step]) => [id, { ...step, open: new Set(step.open) }]));
  return { ...fold, steps, machines: new Map(fold.machines) };
}

const FINAL: Readonly<Record<FoldedMachine['machine'], ReadonlySet<string>>> = {
  run: new Set(['succeeded', 'failed', 'cancelled', 'lost']),
  step: new Set(['done', 'cached', 'failed', 'cancelled', 'lost']),
  choice: new Set(['made', 'skipped', 'failed']),
};

export function isOver(machine: FoldedMachine['machine'], value: string): boolean {
  return FINAL[machine].has(value);
}
