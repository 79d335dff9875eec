/** Tells when all of a run waits for a place on a backend, and when the first of it has one: in between nothing is done for it. */
import type { Places } from '#actors/deps.ts';
import type { StepProgress } from '#machines/run-steps.ts';

export interface PlaceWaits {
  /** Steps of an open run. */
  readonly stepsOf: (runId: string) => readonly StepProgress[];
  readonly rests: (runId: string) => void;
  readonly works: (runId: string) => void;
}

export function watchWaits(acquire: Places['acquire'], { stepsOf, rests, works }: PlaceWaits): Places['acquire'] {
  /** Items that wait, by run. */
  const waits = new Map<string, Set<string>>();
  return async (memory, input, signal, onQueued) => {
    const { runId } = memory;
    const item = `${input.step}/${String(input.item)}`;
    const onWait: typeof onQueued = (reason) => {
      onQueued(reason);
      const waiting = waits.get(runId) ?? new Set();
      waits.set(runId, waiting.add(item));
      const steps = stepsOf(runId);
      const open = steps.reduce((sum, step) => sum + step.open.length, 0);
      if (waiting.size === open && !steps.some(({ status }) => status === 'planning')) rests(runId);
    };
    try {
      const backend = await acquire(memory, input, signal, onWait);
      works(runId);
      return backend;
    } finally {
      const waiting = waits.get(runId);
      waiting?.delete(item);
      if (waiting?.size === 0) waits.delete(runId);
    }
  };
}
