/** Sums of what prompts cost. */
import type { LedgerEntry } from '#backends/sandbox/options.ts';

export interface Totals {
  readonly seconds: number;
  readonly loading: number;
  readonly modelLoads: number;
  readonly bytesRead: number;
  readonly bytesMoved: number;
  readonly samplerSteps: number;
  readonly prompts: number;
}

export function totalsOf(ledger: readonly LedgerEntry[]): Totals {
  const sum = (pick: (costs: NonNullable<LedgerEntry['costs']>) => number): number =>
    ledger.reduce((total, { costs }) => total + (costs === undefined ? 0 : pick(costs)), 0);
  return {
    seconds: sum(({ seconds }) => seconds),
    loading: sum(({ loading }) => loading),
    modelLoads: sum(({ modelLoads }) => modelLoads),
    bytesRead: sum(({ bytesRead }) => bytesRead),
    bytesMoved: sum(({ bytesMoved }) => bytesMoved),
    samplerSteps: sum(({ samplerSteps }) => samplerSteps),
    prompts: ledger.length,
  };
}
