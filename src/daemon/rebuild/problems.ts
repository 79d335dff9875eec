/** What the log of a rebuilt run says of that, as problems for whoever looks at the run. */
import type { RunEvent } from '#protocol/events.ts';
import type { Problem } from '#protocol/problem.ts';

const NOTES: ReadonlyMap<string, Pick<Problem, 'severity' | 'hint'>> = new Map([
  ['RUN_REBUILT', { severity: 'info', hint: 'Nothing to do. daemon/status of that start, and its log, say what else was lost.' }],
  ['RESULT_MISSING', { severity: 'warning', hint: 'Put it back where it was, or start the template again.' }],
  ['RESULT_DAMAGED', { severity: 'warning', hint: 'Put a copy in its place, or start the template again.' }],
  ['NOTE_UNREADABLE', { severity: 'warning', hint: 'Look at the file; what it said is not known.' }],
]);

export function rebuildProblems(events: readonly RunEvent[]): readonly Problem[] {
  return events.flatMap(({ event }): Problem[] => {
    if (event.type !== 'run.note') return [];
    const { code, message } = event;
    const known = NOTES.get(code);
    return known === undefined ? [] : [{ code, message, ...known }];
  });
}
