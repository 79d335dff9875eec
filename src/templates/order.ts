/** The order of steps: what each needs, circles named step by step, and a stable topological order. */
import { choiceId } from './compile-choice.ts';
import type { CompiledTemplate } from './compiled.ts';

export interface Needs {
  readonly id: string;
  readonly needs: readonly string[];
}

/** One circle for every group of steps that wait for each other: `[a, b, c]` means a needs b, b needs c, c needs a. */
export function findCycles(steps: readonly Needs[]): readonly (readonly string[])[] {
  const needs = new Map(steps.map((step) => [step.id, step.needs]));
  const done = new Set<string>();
  const cycles: (readonly string[])[] = [];
  for (const { id } of steps) {
    const path: { id: string; next: number }[] = done.has(id) ? [] : [{ id, next: 0 }];
    while (path.length > 0) {
      const top = path.at(-1);
      if (top === undefined) break;
      const next = needs.get(top.id)?.[top.next];
      top.next += 1;
      if (next === undefined) {
        done.add(top.id);
        path.pop();
      } else if (!done.has(next) && needs.has(next)) {
        const begin = path.findIndex((each) => each.id === next);
        if (begin === -1) path.push({ id: next, next: 0 });
        else cycles.push(path.slice(begin).map((each) => each.id));
      }
    }
  }
  return cycles;
}

/** Steps, and among them choices as `choices.NAME`, each with what must have ended before it. */
export function waitingOrder({ steps, choices }: Pick<CompiledTemplate, 'steps' | 'choices'>): readonly Needs[] {
  return topological([
    ...steps.map(({ id, waits }) => ({ id, needs: waits })),
    ...choices.map(({ into, waits }) => ({ id: choiceId(into), needs: waits })),
  ]);
}

/** Every step after the ones it needs; among free ones the given order stands. Needs a set of steps without circles. */
export function topological<T extends Needs>(steps: readonly T[]): readonly T[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const placed = new Set<string>();
  const ordered: T[] = [];
  const place = (step: T): void => {
    if (placed.has(step.id)) return;
    placed.add(step.id);
    for (const id of step.needs) {
      const before = byId.get(id);
      if (before !== undefined) place(before);
    }
    ordered.push(step);
  };
  steps.forEach(place);
  return ordered;
}
