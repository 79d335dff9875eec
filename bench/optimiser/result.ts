/** What a measurement leaves behind, as it is written to bench/results/. */
import type { Totals } from './totals.ts';

/** What can be switched on by itself. */
export const SAVERS = ['passes', 'cache', 'fusion', 'order'] as const;
export type Saver = (typeof SAVERS)[number];

export interface SequenceResult {
  readonly id: string;
  readonly title: string;
  readonly requests: number;
  readonly naive: Totals;
  /** Seconds of the least that would have given the same outputs from the same graphs. */
  readonly least: number;
  readonly optimised: Totals;
  /** Seconds with one alone, and with all but one; absent when it was not asked for. Fusion needs the passes and goes with them. */
  readonly alone?: Readonly<Record<Saver, number>>;
  readonly without?: Readonly<Record<Saver, number>>;
  /** What runs said of themselves: passes with how often they found something. */
  readonly told: Readonly<Record<string, number>>;
}

export interface MachineResult {
  readonly profile: string;
  readonly title: string;
  readonly cache: 'classic' | 'ram';
  readonly sequences: readonly SequenceResult[];
  /** Not judged by the bars. */
  readonly extras: readonly SequenceResult[];
}

export interface OptimiserTime {
  readonly nodes: number;
  /** Milliseconds of the processor for a round, on average, and of the clock: the first round, then the median and the largest of the others. */
  readonly processor: number;
  readonly first: number;
  readonly median: number;
  readonly largest: number;
}

export interface BenchResult {
  readonly at: string;
  readonly commit: string;
  readonly machine: { readonly cores: number; readonly node: string };
  readonly machines: readonly MachineResult[];
  readonly optimiser: readonly OptimiserTime[];
}

/** Seconds of the clock on a real ComfyUI. */
export interface RealSequence {
  readonly id: string;
  readonly title: string;
  readonly naive: number;
  /** Through Callsheet, with nothing switched on. */
  readonly off: number;
  readonly optimised: number;
}

export interface RealResult {
  readonly at: string;
  readonly commit: string;
  readonly machine: BenchResult['machine'];
  /** What the server says of itself. */
  readonly version: string;
  readonly sequences: readonly RealSequence[];
}

/** Share of the naive seconds; 0 for nothing out of nothing, and for what is less than sums are exact. */
export function saved(naive: number, other: number): number {
  const share = naive === 0 ? 0 : 1 - other / naive;
  return Math.abs(share) < 1e-9 ? 0 : share;
}
