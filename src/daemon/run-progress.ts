/** Progress of all open runs as clients hear it: reports of items become notices, and what finished items took is learned. */
import type { ActorDeps, ItemKey, Lesson } from '#actors/deps.ts';
import type { StepProgress } from '#machines/run-steps.ts';
import type { ProgressNotice } from '#protocol/events.ts';
import type { Store, TimingSample } from '#store/types.ts';
import { createProgressTracker, type ResumedRun } from './progress.ts';
import type { LiveProgress } from './run-view.ts';
import { createTimings } from './timings.ts';

export interface RunProgressOptions {
  readonly store: Pick<Store, 'timings'>;
  readonly memory: ActorDeps['memory'];
  /** The steps of an open run that make work for backends. */
  readonly stepsOf: (runId: string) => readonly StepProgress[];
  /** True while a person is asked: nobody knows how long that takes. */
  readonly isWaiting: (runId: string) => boolean;
  readonly stage: ActorDeps['stage'];
  /** Has the run written down soon. */
  readonly touch: (runId: string) => void;
  readonly tell: (notice: ProgressNotice) => void;
}

export interface RunProgress {
  readonly timings: ActorDeps['timings'];
  report(key: ItemKey, value: number, node?: string): void;
  learn(key: ItemKey, lesson: Lesson): void;
  /** Takes up a run after a restart, before its machine goes on. */
  resume(runId: string, before: ResumedRun): void;
  /** What clients would hear of it now: its next report may be long in coming. */
  now(runId: string): ProgressNotice;
  /** Tells them. */
  announce(runId: string): void;
  live(runId: string): LiveProgress;
  /** For the row that is being written. */
  store(runId: string): number;
  drop(runId: string): void;
}

export function createRunProgress(options: RunProgressOptions): RunProgress {
  const { memory, stepsOf } = options;
  const timings = createTimings(options.store);
  const tracker = createProgressTracker((runId) => {
    const { template, backend } = memory(runId);
    return timings.usual(
      template.id,
      template.steps.map(({ id }) => id),
      backend,
    );
  });
  /** Runs in which a person was asked when they were looked at last. */
  const asked = new Set<string>();
  /** True while a person is asked. */
  const isWaiting = (runId: string): boolean => {
    const waits = options.isWaiting(runId);
    if (waits) asked.add(runId);
    else if (asked.delete(runId)) tracker.paceAnew(runId);
    return waits;
  };
  const etaOf = (runId: string): Pick<LiveProgress, 'etaSeconds' | 'etaRange'> => {
    const eta = isWaiting(runId) ? undefined : tracker.eta(runId, stepsOf(runId));
    return eta === undefined ? {} : { etaSeconds: eta.seconds, etaRange: eta.range };
  };
  const now = (runId: string): ProgressNotice => ({ runId, progress: tracker.of(runId, stepsOf(runId)), ...etaOf(runId) });
  return {
    timings,
    report(key, value, node) {
      const { runId, step } = key;
      const progress = tracker.report({ ...key, value }, stepsOf(runId));
      if (tracker.isAhead(runId)) options.touch(runId);
      options.tell({ runId, progress, step, item: key.item, ...(node === undefined ? {} : { node }), ...etaOf(runId) });
    },
    learn({ runId, step, item, backend }, lesson) {
      const template = memory(runId).template.id;
      const items = stepsOf(runId).find(({ id }) => id === step)?.items;
      const rows = lesson.map(({ part, seconds }): TimingSample => {
        // What is known of a class holds wherever it stands.
        const isClass = part.startsWith('class.');
        return { template: isClass ? '' : template, step: isClass ? '' : step, backend, part, seconds };
      });
      if (rows.length > 0 && item === 0 && items !== undefined && items > 0)
        rows.push({ template, step, backend, part: 'items', seconds: items });
      options.stage(runId, { timings: rows });
      timings.forget(template, step);
      timings.forget('', '');
    },
    resume: (runId, before) => tracker.resume(runId, before),
    now,
    announce: (runId) => options.tell(now(runId)),
    live: (runId) => ({ progress: tracker.of(runId, stepsOf(runId)), ...etaOf(runId) }),
    store(runId) {
      // Every state is written down, so that no question is missed, however short.
      isWaiting(runId);
      return tracker.store(runId, stepsOf(runId));
    },
    drop(runId) {
      asked.delete(runId);
      tracker.drop(runId);
    },
  };
}
