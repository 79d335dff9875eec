/** What earlier runs taught about how long things take: read from the store once, and again when something new was learned. */
import type { Store, Timing } from '#store/types.ts';
import type { StepTimings, TimingBook } from '#actors/deps.ts';
import type { UsualStep } from './progress.ts';

export interface Timings extends TimingBook {
  /** What the steps of a template usually take, by preference on this backend; undefined when none of them has run yet. */
  usual(template: string, steps: readonly string[], backend: string | null): ReadonlyMap<string, UsualStep> | undefined;
  /** What stands in memory of a step is read again. */
  forget(template: string, step: string): void;
}

export function createTimings(store: Pick<Store, 'timings'>): Timings {
  const known = new Map<string, readonly Timing[]>();
  const rowsOf = (template: string, step: string): readonly Timing[] => {
    const key = `${template}\n${step}`;
    const rows = known.get(key) ?? store.timings(template, step);
    known.set(key, rows);
    return rows;
  };
  const find = (rows: readonly Timing[], part: string, backend: string | null): Timing | undefined => {
    const candidates = rows.filter((row) => row.part === part);
    // Another backend's times are better than none for weighing one part against another.
    return candidates.find((row) => row.backend === backend) ?? candidates.toSorted((a, b) => b.count - a.count)[0];
  };
  return {
    of(template, step, backend): StepTimings {
      const rows = rowsOf(template, step);
      return { get: (part) => find(rows, part, backend), here: (part) => rows.find((row) => row.part === part && row.backend === backend) };
    },
    usual(template, steps, backend) {
      const found = steps.flatMap((step): [string, UsualStep][] => {
        const rows = rowsOf(template, step);
        const item = find(rows, 'item', backend);
        if (item === undefined) return [];
        const items = Math.max(1, Math.round(find(rows, 'items', backend)?.mean ?? 1));
        return [[step, { mean: item.mean, variance: item.variance, items }]];
      });
      return found.length === 0 ? undefined : new Map(found);
    },
    forget: (template, step) => void known.delete(`${template}\n${step}`),
  };
}
