/** What is kept and what is done again when a run is tried again: decided from its view and its rows, before anything is changed. Pure. */
import { choiceOf } from '#machines/run-steps.ts';
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import type { ArtifactView, RunView } from '#protocol/views.ts';
import type { Picks } from '#actors/logic.ts';
import type { AttemptRow } from '#store/types.ts';

export interface RetryFacts {
  /** Steps, and choices as `choices.NAME`, each after everything it waits for. */
  readonly order: readonly { readonly id: string; readonly needs: readonly string[] }[];
  readonly run: Pick<RunView, 'steps' | 'choices' | 'artifacts'>;
  readonly events: readonly RunEvent[];
  readonly attempts: readonly AttemptRow[];
  /** Ids of artifacts whose files are gone, or hold something else by now. */
  readonly gone: ReadonlySet<string>;
  /** A step that is done again with everything that follows from it; undefined for what is not done. */
  readonly from: string | undefined;
  /** Whether what is left of an attempt may be looked for where it was sent. */
  readonly reachable: (attempt: AttemptRow) => boolean;
  readonly now: number;
}

export interface RetryPlan {
  /** Steps and choices that are done again, as a whole or in part; all others stay as they are. */
  readonly again: readonly string[];
  /** Ids of artifacts that no longer count; their files stay where they are. */
  readonly dropped: readonly string[];
  /** Rows that change: attempts that are taken up again, and those that are given up for good. */
  readonly attempts: readonly AttemptRow[];
  readonly picks: Picks;
}

export function planRetry(facts: RetryFacts): RetryPlan {
  const { order, run, gone, from } = facts;
  const again: string[] = [];
  const dropped = new Set<string>();
  const picks: Record<string, readonly string[]> = {};
  /** What follows from these was made of something that is made anew. */
  const changed = new Set<string>();
  /** Steps of which nothing is kept. */
  const whole = new Set<string>();
  for (const { id, needs } of order) {
    const into = choiceOf(id);
    const follows = needs.some((need) => changed.has(need));
    if (into !== undefined) {
      const choice = run.choices?.find((one) => one.into === into);
      const picked = choice?.status === 'made' ? (choice.picked ?? []) : undefined;
      if (picked !== undefined && !follows && !picked.some((one) => dropped.has(one))) picks[into] = picked;
      else if (choice?.status !== 'skipped' || follows) again.push(id);
      if (picked !== undefined && picks[into] === undefined) changed.add(id);
      continue;
    }
    const artifacts = run.artifacts.filter(({ step }) => step === id);
    const status = run.steps.find((step) => step.id === id)?.status;
    if (id === from || follows) {
      whole.add(id);
      changed.add(id);
      again.push(id);
      for (const { artifactId } of artifacts) dropped.add(artifactId);
      continue;
    }
    // What an output made of files is made again of them at the end.
    for (const { artifactId, partial } of artifacts) if (partial === true) dropped.add(artifactId);
    const own = artifacts.filter(({ conversion, partial }) => conversion === undefined && partial !== true);
    for (const { artifactId, conversion } of artifacts) if (conversion !== undefined && gone.has(artifactId)) dropped.add(artifactId);
    const lost = new Set(own.filter(({ artifactId }) => gone.has(artifactId)).map(({ item }) => item));
    for (const { artifactId, item } of own) if (lost.has(item)) dropped.add(artifactId);
    if (lost.size > 0) changed.add(id);
    if (lost.size > 0 || (status !== 'done' && status !== 'cached' && status !== 'skipped')) again.push(id);
  }
  const kept = run.artifacts.filter(({ artifactId }) => !dropped.has(artifactId));
  return { again, dropped: [...dropped], picks, attempts: changedAttempts(facts, kept, whole) };
}

/** Of each item that is done again the newest attempt: nobody knows what became of some, and they are looked for before anything is sent. */
function changedAttempts(
  { attempts, events, reachable, now }: RetryFacts,
  kept: readonly ArtifactView[],
  whole: ReadonlySet<string>,
): readonly AttemptRow[] {
  const done = new Set(kept.filter(({ conversion }) => conversion === undefined).map(({ step, item }) => itemKey(step, item)));
  const newest = new Map<string, AttemptRow>();
  for (const row of attempts) {
    const key = itemKey(row.step, row.item);
    if (!done.has(key) && row.attempt > (newest.get(key)?.attempt ?? 0)) newest.set(key, row);
  }
  const errors = lastErrors(events);
  const superseded = droppedBefore(events);
  return attempts.flatMap((row): readonly AttemptRow[] => {
    const key = itemKey(row.step, row.item);
    if (done.has(key)) return [];
    const error = errors.get(key);
    const isNewest = newest.get(key) === row;
    // Its files may still be there to be fetched; a prompt that gave none will not give any now.
    const isUnfetched = row.status === 'finished' && error?.code !== 'OUTPUT_MISSING' && !superseded.has(key);
    const isDoubtful = row.status === 'unknown' || row.endedAt === null || isUnfetched;
    if (isNewest && isDoubtful && !whole.has(row.step) && reachable(row)) {
      return [{ ...row, status: row.acknowledged ? 'submitted' : 'prepared', endedAt: null, error: null }];
    }
    if (row.endedAt === null) return [{ ...row, status: 'unknown', endedAt: now }];
    // Its files could not be had. One whose files only no longer count did finish, and is followed by the next.
    return isNewest && row.status === 'finished' && error !== undefined ? [{ ...row, status: 'failed', error: row.error ?? error }] : [];
  });
}

function lastErrors(events: readonly RunEvent[]): ReadonlyMap<string, ErrorData> {
  const errors = new Map<string, ErrorData>();
  for (const { event } of events) {
    if (event.type !== 'step.status' || event.attempt === 0) continue;
    const key = itemKey(event.step, event.item);
    if (event.error === undefined) errors.delete(key);
    else errors.set(key, event.error);
  }
  return errors;
}

/** Items whose files an earlier retry dropped, and that have made none since: what was to be done again is not fetched once more. Partial ones say nothing. */
function droppedBefore(events: readonly RunEvent[]): ReadonlySet<string> {
  const madeBy = new Map<string, string>();
  const dropped = new Set<string>();
  for (const { event } of events) {
    if (event.type === 'artifact.created' && event.partial !== true) {
      const key = itemKey(event.step, event.item);
      madeBy.set(event.artifactId, key);
      dropped.delete(key);
    } else if (event.type === 'run.retried') {
      for (const id of event.dropped ?? []) {
        const key = madeBy.get(id);
        if (key !== undefined) dropped.add(key);
      }
    }
  }
  return dropped;
}

function itemKey(step: string, item: number): string {
  return `${step}\n${String(item)}`;
}
