/** How long the optimiser itself takes for a graph. */
import type { OptimiserTime } from './result.ts';

export function timeOptimiser(): readonly OptimiserTime[] {
  return [];
}
