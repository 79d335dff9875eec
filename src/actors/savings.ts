/** What the optimiser saved at an item: its rows in the store, the seconds by earlier runs, and whose result a node gives besides its own. */
import type { PassSaving } from '#graph/optimise/optimise.ts';
import { GRAPH_PASSES } from '#graph/optimise/passes.ts';
import type { SavingsRow } from '#store/types.ts';
import { MERGES, savingFor } from '#templates/optimise-step.ts';
import type { ActorDeps, RunMemory, StepTimings } from './deps.ts';
import type { ItemInput } from './logic.ts';

/** Rows to be written for this item; an empty one takes back what an earlier try of the run had saved. */
export function savingsRows(
  { timings }: Pick<ActorDeps, 'timings'>,
  memory: RunMemory,
  { runId, step, item }: Pick<ItemInput, 'runId' | 'step' | 'item'>,
  backendId: string,
  savings: readonly PassSaving[],
): readonly SavingsRow[] {
  const compiled = memory.template.steps.find(({ id }) => id === step);
  if (compiled === undefined) return [];
  const own = timings.of(memory.template.id, step, backendId);
  const classes = timings.of('', '', backendId);
  return GRAPH_PASSES.flatMap(({ name }): SavingsRow[] => {
    const found = savings.filter(({ pass }) => pass === name);
    if (found.length === 0 && !memory.savings.has(savingsKey({ step, item, pass: name }))) return [];
    const told = found.map((saving) => {
      const seconds = secondsOf(saving, own, classes);
      const { nodes, why } = savingFor(compiled, saving);
      return { nodes, why, ...(seconds === undefined ? {} : { seconds }) };
    });
    return [{ runId, step, item, pass: name, savings: told }];
  });
}

export function keepSavings(memory: RunMemory, rows: readonly SavingsRow[]): void {
  for (const row of rows) {
    if (row.savings.length === 0) memory.savings.delete(savingsKey(row));
    else memory.savings.set(savingsKey(row), row);
  }
}

export function savingsKey({ step, item, pass }: Pick<SavingsRow, 'step' | 'item' | 'pass'>): string {
  return `${step}\n${String(item)}\n${pass}`;
}

/** The nodes of the author's graph whose result this node of the sent one gives, itself first. */
export function givenBy(memory: RunMemory, step: string, item: number): (node: string) => readonly string[] {
  const into = new Map<string, string>();
  for (const row of memory.savings.values()) {
    if (row.step !== step || row.item !== item || !MERGES.has(row.pass)) continue;
    for (const { id, into: to } of row.savings.flatMap(({ nodes }) => nodes)) if (to !== undefined) into.set(id, to);
  }
  const standIn = (id: string): string => {
    let at = id;
    for (let next = into.get(at), left = into.size; next !== undefined && left > 0; next = into.get(at), left -= 1) at = next;
    return at;
  };
  return (node) => [node, ...[...into.keys()].filter((id) => id !== node && standIn(id) === node)];
}

// --- helpers ---

/**
 * What the nodes took that would have been executed: by this step's own history, else by what their class takes on this backend.
 * Undefined when nothing of it was ever measured.
 */
function secondsOf({ nodes }: PassSaving, own: StepTimings, classes: StepTimings): number | undefined {
  const measured = nodes
    .filter(({ ran }) => ran === true)
    .flatMap(({ id, classType }) => own.get(`node.${id}`)?.mean ?? classes.here(`class.${classType}`)?.mean ?? []);
  return measured.length === 0 ? undefined : measured.reduce((sum, seconds) => sum + seconds, 0);
}
