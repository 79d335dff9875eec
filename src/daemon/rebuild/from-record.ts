/** A run as its record has it: rows, log and keys come back as they were; how its files lie decides whether its end still holds. Pure. */
import type { NewEvent, RunState } from '#store/types.ts';
import { artifactOf, attemptsOf, countOf, created, ended, lost, REBUILT_MACHINE, type Rebuilt, said, sortOut } from './row-parts.ts';
import type { FoundRun } from './found.ts';
import type { RunRecord } from './record.ts';

/** `known`: how many lines of its log stand in a database that was restored from a backup, which has it as it was before. */
export function rowsOfRecord(found: FoundRun, record: RunRecord, known: number | undefined, now: number): Rebuilt {
  const { runId } = found;
  const lying = sortOut(found, record.artifacts);
  const whole = new Set(lying.files);
  const ids = new Set(record.artifacts.map(({ artifactId }) => artifactId));
  /** Made by another try, after the end that was recorded. */
  const later = found.notes.filter((note) => !ids.has(note.artifactId) && whole.has(note.path));
  const end = endOf(record, record.artifacts.filter(({ path }) => !whole.has(path)).length, later.length);

  const log = record.events.map((event, index) => ({ ...event, index }));
  const last = log.findLastIndex(({ body }) => body.type === 'run.status' && body.status === record.state.status);
  const before = log.filter(({ index }) => index >= (known ?? 0) && (later.length > 0 || index !== last));
  const say = (body: NewEvent['body']) => ({ at: now, body });
  const events = [
    ...before.map(({ at, body }) => ({ at, body })),
    ...(later.length === 0
      ? []
      : [say({ type: 'run.retried', nth: 2 + triesBefore(record), again: [...new Set(later.map(({ step }) => step))] })]),
    ...said(found, lying, 'the record of its end').map(say),
    ...later.map(created).map(say),
    { at: later.length === 0 ? (log[last]?.at ?? now) : now, body: ended(end) },
  ];
  return {
    runId,
    template: record.run.template,
    status: end.status,
    ...lying,
    batch: {
      ...(known === undefined ? { newRuns: [record.run] } : {}),
      requestKeys: record.requestKeys,
      attempts: [...record.attempts, ...attemptsOf(later, now)],
      artifacts: [...record.artifacts.filter(({ path }) => whole.has(path)), ...later.map(artifactOf)],
      states: [{ ...record.state, ...end, snapshot: null, timers: null, ...(later.length === 0 ? {} : { machine: REBUILT_MACHINE }) }],
      events: events.map((event) => ({ runId, ...event })),
      savings: record.savings,
      graphs: [...found.graphs].map(([hash, content]) => ({ hash, content })),
      provenance: record.provenance.flatMap((row) => {
        const workflow = row.workflow !== null && found.graphs.has(row.workflow) ? row.workflow : null;
        return found.graphs.has(row.graph) ? [{ ...row, workflow }] : [];
      }),
    },
    ...(record.pinned === undefined ? {} : { pinned: record.pinned }),
  };
}

// --- helpers ---

/** What has ended well is said to have done so only where all that it made is there. */
function endOf({ state, artifacts }: RunRecord, gone: number, later: number): Pick<RunState, 'status' | 'error'> {
  const { status, error } = state;
  if (later > 0)
    return {
      status: 'lost',
      error: lost(`It was ${status}, and was tried again: ${countOf(later)} of that lie here, and nothing says how it ended.`),
    };
  if (status !== 'succeeded' || gone === 0) return { status, error };
  return { status: 'lost', error: lost(`It had succeeded; ${String(gone)} of its ${countOf(artifacts.length)} are missing or damaged.`) };
}

function triesBefore({ events }: RunRecord): number {
  return events.filter(({ body }) => body.type === 'run.retried').length;
}
