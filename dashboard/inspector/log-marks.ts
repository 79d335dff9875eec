/** Places in a log that somebody looks for: where a new try began, and where a crash or a stop of the daemon cut in. Pure. */
import { RUN_ENDS } from '#protocol/views.ts';
import type { RunLog } from './run-log.ts';

export interface Mark {
  /** The position to look at. */
  readonly position: number;
  readonly words: string;
}

/**
 * `startedAt`: when this daemon began, in milliseconds since 1970. The events before it are of one that ended; where the run had not ended then,
 * the position after the last of them is the moment at which it was cut off. Of earlier daemons nothing is known.
 */
export function marksOf(log: Pick<RunLog, 'length' | 'event'>, startedAt: number): readonly Mark[] {
  const marks: Mark[] = [];
  for (let position = 1; position <= log.length; position += 1) {
    const logged = log.event(position);
    if (logged === undefined) continue;
    const { at, event } = logged;
    const before = log.event(position - 1);
    const isEnded = before?.event.type === 'run.status' && RUN_ENDS.includes(before.event.status);
    if (before !== undefined && !isEnded && before.at < startedAt && at >= startedAt) {
      marks.push({ position: position - 1, words: 'Daemon started again' });
    } else if (event.type === 'run.retried') marks.push({ position: position - 1, words: `Try ${String(event.nth)}` });
  }
  return marks;
}
