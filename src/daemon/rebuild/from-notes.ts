/** A run that nothing but the notes beside its files tells of: it is lost, with what it had made. Pure. */
import type { RunEventBody } from '#protocol/events.ts';
import type { FileNote } from '#results/notes.ts';
import type { AttemptRow } from '#store/types.ts';
import { artifactOf, attemptsOf, countOf, created, ended, lost, REBUILT_MACHINE, type Rebuilt, said, sortOut } from './row-parts.ts';
import type { FoundRun } from './found.ts';

/** Undefined where nothing of it lies there whole. */
export function rowsOfNotes(found: FoundRun, now: number): Rebuilt | undefined {
  const { runId, notes } = found;
  const lying = sortOut(found, notes);
  const mine = notes.filter(({ path }) => lying.files.includes(path));
  const [first] = mine;
  if (first === undefined) return undefined;
  const { template, version, templateHash, parameters = {} } = first;
  const error = lost(`Nothing says that it had ended: ${countOf(mine.length)} that it had made lie here.`);
  const attempts = attemptsOf(mine, now);
  const bySteps = Map.groupBy(mine, ({ step }) => step);
  const bodies: RunEventBody[] = [
    { type: 'run.created', template, version },
    ...said(found, lying, 'the notes beside its files'),
    ...[...bySteps].flatMap(([step, ofStep]) => stepOf(step, ofStep, attempts)),
    ended({ status: 'lost', error }),
  ];
  const stood = { draft: mine.some(({ draft }) => draft), progress: 0, machine: REBUILT_MACHINE, machineVersion: 0 };
  return {
    runId,
    template,
    status: 'lost',
    ...lying,
    shares: new Map([...bySteps].map(([step, ofStep]) => [step, new Set(ofStep.map(({ item }) => item)).size / itemsOf(ofStep)])),
    batch: {
      newRuns: [
        { runId, template, version, templateHash, backend: null, parameters: JSON.stringify(parameters), createdAt: timeOf(runId) ?? now },
      ],
      attempts,
      artifacts: mine.map(artifactOf),
      states: [{ runId, status: 'lost', ...stood, snapshot: null, timers: null, error, endedAt: now }],
      events: bodies.map((body) => ({ runId, at: now, body })),
    },
  };
}

// --- helpers ---

function stepOf(step: string, notes: readonly FileNote[], attempts: readonly AttemptRow[]): readonly RunEventBody[] {
  const items = [...Map.groupBy(notes, ({ item }) => item)].toSorted(([a], [b]) => a - b);
  const done = items.flatMap(([item, files]): RunEventBody[] => {
    const made = attempts.findLast((row) => row.step === step && row.item === item);
    const by = made === undefined ? {} : { backend: made.backend, promptId: made.promptId };
    return [...files.map(created), { type: 'step.status', step, item, attempt: made?.attempt ?? 1, status: 'done', ...by }];
  });
  return [{ type: 'step.planned', step, items: itemsOf(notes) }, ...done];
}

/** How many there were to be is not known: at least as many as the highest. */
function itemsOf(notes: readonly FileNote[]): number {
  return 1 + Math.max(...notes.map(({ item }) => item));
}

/** The first 48 bits of a UUIDv7 are its time; undefined for what is none. */
function timeOf(runId: string): number | undefined {
  const hex = runId.replaceAll('-', '');
  return /^[0-9a-f]{12}7[0-9a-f]{19}$/.test(hex) ? Number.parseInt(hex.slice(0, 12), 16) : undefined;
}
