/** How long the rest of a run takes, with how sure that is: from what its steps usually take, else from its own pace. Pure. */

export interface Estimate {
  readonly seconds: number;
  /** The rest takes between these two in about four of five cases, by what earlier runs were like. Seconds. */
  readonly range: readonly [number, number];
}

export interface ItemAtWork {
  /** 0..1 */
  readonly value: number;
  /** Since it began. */
  readonly seconds: number;
  readonly backend: string;
}

export interface StepWork {
  /** Of one item, in seconds; undefined when the step has no history. */
  readonly usual: { readonly mean: number; readonly variance: number } | undefined;
  /** Items that have not begun. */
  readonly waiting: number;
  readonly open: readonly ItemAtWork[];
}

export interface Pace {
  /** Of the whole run's work: done since it was first seen, and left. */
  readonly share: number;
  readonly left: number;
  /** Since it was first seen. */
  readonly seconds: number;
}

/** Below this share of the work, or within so many seconds, a pace says nothing: the first nodes are the quick ones. */
const PACE_FROM = 0.05;
const PACE_AFTER = 2;
/** Eighty per cent of a normal distribution lie within this many deviations. */
const DEVIATIONS = 1.28;
/** However alike earlier runs were, the next may differ by this much: parameters change. */
const LEAST_DOUBT = 0.1;
/** The pace of a run without history: its steps need not be alike. */
const PACE_DOUBT = { low: 0.5, high: 2 };

export function estimate(steps: readonly StepWork[], pace: Pace): Estimate | undefined {
  if (steps.every((step) => step.usual !== undefined)) return byHistory(steps);
  if (pace.share < PACE_FROM || pace.seconds < PACE_AFTER) return undefined;
  const seconds = (pace.seconds / pace.share) * pace.left;
  return rounded(seconds, seconds * PACE_DOUBT.low, seconds * PACE_DOUBT.high);
}

function byHistory(steps: readonly StepWork[]): Estimate | undefined {
  let seconds = 0;
  let variance = 0;
  const backends = new Set<string>();
  for (const { usual, waiting, open } of steps) {
    if (usual === undefined) return undefined;
    seconds += usual.mean * waiting;
    variance += usual.variance * waiting;
    for (const item of open) {
      backends.add(item.backend);
      seconds += leftOf(item, usual.mean);
      variance += usual.variance * (1 - item.value);
    }
  }
  // Each backend works on one thing at a time; items on several go on side by side.
  const lanes = Math.max(1, backends.size);
  const left = seconds / lanes;
  const doubt = Math.max((DEVIATIONS * Math.sqrt(Math.max(0, variance))) / lanes, left * LEAST_DOUBT);
  return rounded(left, left - doubt, left + doubt);
}

/** History counts for what is ahead, the item's own pace the more the further it is; one that is overdue still takes a while. */
function leftOf({ value, seconds }: ItemAtWork, mean: number): number {
  const byMean = Math.max(mean * (1 - value), mean - seconds > 0 ? 0 : mean * 0.1 * (1 - value));
  if (value <= PACE_FROM) return seconds < mean ? Math.max(0, mean - seconds) : byMean;
  const byPace = (seconds / value) * (1 - value);
  return byPace * value + byMean * (1 - value);
}

function rounded(seconds: number, low: number, high: number): Estimate {
  const whole = (value: number): number => Math.max(0, Math.round(value));
  return { seconds: whole(seconds), range: [whole(low), whole(high)] };
}
