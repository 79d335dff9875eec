/** What is gathered for the next transaction. */
import type { Batch, NewEvent, RunState } from '#store/types.ts';

/** With lists that can be added to. */
export function emptyBatch() {
  return {
    templates: [] as NonNullable<Batch['templates']>[number][],
    newRuns: [] as NonNullable<Batch['newRuns']>[number][],
    retries: [] as NonNullable<Batch['retries']>[number][],
    requestKeys: [] as NonNullable<Batch['requestKeys']>[number][],
    attempts: [] as NonNullable<Batch['attempts']>[number][],
    graphs: [] as NonNullable<Batch['graphs']>[number][],
    provenance: [] as NonNullable<Batch['provenance']>[number][],
    artifacts: [] as NonNullable<Batch['artifacts']>[number][],
    states: [] as RunState[],
    events: [] as NewEvent[],
    outbox: [] as NonNullable<Batch['outbox']>[number][],
    timings: [] as NonNullable<Batch['timings']>[number][],
    savings: [] as NonNullable<Batch['savings']>[number][],
  };
}

export function isEmpty(batch: Batch): boolean {
  return Object.values(batch).every((rows) => rows === undefined || rows.length === 0);
}

/** The rows of several batches as one, in their order. */
export function joined(batches: readonly Batch[]): Batch {
  const all = emptyBatch();
  for (const batch of batches) for (const key of Object.keys(batch) as (keyof Batch)[]) (all[key] as unknown[]).push(...(batch[key] ?? []));
  return all;
}
