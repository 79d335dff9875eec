/** Remembers which nodes of items at work were seen, so that a graph can be drawn with them by whoever comes later. Memory only. */
import { RUN_ENDS } from '#protocol/views.ts';
import type { ProgressNotice, RunEvent } from '#protocol/events.ts';

export interface SeenNodes {
  readonly seen: ReadonlySet<string>;
  readonly current: string;
}

export interface NodeWatch {
  progress(notice: ProgressNotice): void;
  events(events: readonly RunEvent[]): void;
  /** Undefined when nothing was heard of its present attempt. */
  of(runId: string, step: string, item: number): SeenNodes | undefined;
}

export function createNodeWatch(): NodeWatch {
  const runs = new Map<string, Map<string, { seen: Set<string>; current: string }>>();
  return {
    progress({ runId, step, item, node }) {
      if (step === undefined || item === undefined || node === undefined) return;
      const items = runs.get(runId) ?? new Map<string, { seen: Set<string>; current: string }>();
      runs.set(runId, items);
      const known = items.get(keyOf(step, item));
      if (known === undefined) items.set(keyOf(step, item), { seen: new Set([node]), current: node });
      else {
        known.seen.add(node);
        known.current = node;
      }
    },
    events(events) {
      for (const { runId, event } of events) {
        if (event.type === 'run.status' && RUN_ENDS.includes(event.status)) runs.delete(runId);
        // A new attempt begins with nothing done.
        if (event.type === 'step.status' && event.status === 'submitting') runs.get(runId)?.delete(keyOf(event.step, event.item));
      }
    },
    of: (runId, step, item) => runs.get(runId)?.get(keyOf(step, item)),
  };
}

function keyOf(step: string, item: number): string {
  return `${step}/${String(item)}`;
}
