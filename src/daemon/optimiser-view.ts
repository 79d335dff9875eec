/** What a run saved, as clients see it: the rows of all passes in the order of steps, items and passes, and the sum of what was measured. */
import { type OptimiserView, PASSES, type RunOptions, type Saving } from '#protocol/views.ts';
import type { SavingsRow } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';

export function optimiserOf(
  { steps }: Pick<CompiledTemplate, 'steps'>,
  { optimize }: RunOptions,
  rows: readonly SavingsRow[],
): OptimiserView {
  const order = new Map(steps.map(({ id }, place) => [id, place]));
  const placeOf = (row: SavingsRow): readonly number[] => [order.get(row.step) ?? steps.length, row.item ?? -1, PASSES.indexOf(row.pass)];
  const savings = rows.toSorted((a, b) => compare(placeOf(a), placeOf(b))).flatMap(savingsOf);
  const measured = savings.flatMap(({ seconds }) => seconds ?? []);
  return {
    enabled: optimize && steps.some((step) => step.optimize),
    savings,
    ...(measured.length === 0 ? {} : { seconds: measured.reduce((sum, seconds) => sum + seconds, 0) }),
  };
}

// --- helpers ---

function savingsOf({ pass, step, item, savings }: SavingsRow): readonly Saving[] {
  return savings.map((saving) => ({ pass, step, ...(item === null ? {} : { item }), ...saving }));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const place = a.findIndex((value, at) => value !== b[at]);
  return place < 0 ? 0 : (a[place] ?? 0) - (b[place] ?? 0);
}
