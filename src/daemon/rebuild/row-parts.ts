/** What rebuilt rows have in common: how files lie, what is said of it, and rows of files by their notes. Pure. */
import { CallsheetError, type ErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { ArtifactView, RunStatus } from '#protocol/views.ts';
import { promptIdOf } from '#actors/ids.ts';
import type { FileNote } from '#results/notes.ts';
import type { AttemptRow, Batch, RunState } from '#store/types.ts';
import type { FoundRun } from './found.ts';

export interface Rebuilt {
  readonly runId: string;
  readonly template: string;
  readonly status: RunStatus;
  /** Absolute paths of its files that are whole, and of those that are not. */
  readonly files: readonly string[];
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
  /** It was not to be cleaned away. */
  readonly pinned?: true;
  /** Of one that only notes tell of: how much of each step lies here, 0..1. How far the run is follows once its template is found. */
  readonly shares?: ReadonlyMap<string, number>;
  /** Without the template, which the caller has or stands in for. */
  readonly batch: Batch;
}

/** Machine of a run of which nothing says how it ended. It cannot be tried again: what of it was sent is not known. */
export const REBUILT_MACHINE = 'rebuilt';

export interface Sorted {
  readonly files: readonly string[];
  readonly missing: readonly string[];
  readonly damaged: readonly string[];
}

export function sortOut({ files, notes }: FoundRun, named: readonly { readonly path: string }[]): Sorted {
  const paths = [...new Set([...named, ...notes].map(({ path }) => path))].toSorted();
  const of = (lying: string) => paths.filter((path) => files.get(path)?.lying === lying);
  return { files: of('whole'), missing: of('missing'), damaged: of('damaged') };
}

/** `from`: what the run was made again of. */
export function said({ doubts }: FoundRun, { missing, damaged }: Sorted, from: string): readonly RunEventBody[] {
  const note = (code: string, message: string): RunEventBody => ({ type: 'run.note', code, message });
  return [
    note('RUN_REBUILT', `The database was lost; this run was made again of ${from}.`),
    ...missing.map((path) => note('RESULT_MISSING', `${path}, which the run had made, is not there any more.`)),
    ...damaged.map(damageNote),
    ...doubts.map((doubt) => note('NOTE_UNREADABLE', doubt)),
  ];
}

export function damageNote(path: string): RunEventBody {
  return { type: 'run.note', code: 'RESULT_DAMAGED', message: `${path} is not what the run had made: its content is another.` };
}

export function lost(why: string): ErrorData {
  return new CallsheetError('RUN_REBUILT', `The run was made again of its files, since the database was lost. ${why}`, {
    hint: 'The files are kept. Start the template again for what is not there; what was sent to backends may still run there.',
  }).data;
}

export function ended({ status, error }: Pick<RunState, 'status' | 'error'>): RunEventBody {
  return { type: 'run.status', status, ...(error === null ? {} : { error }) };
}

export function created({ artifactId, step, item, output, path, mediaType }: FileNote): RunEventBody {
  return { type: 'artifact.created', artifactId, step, item, output, path, mediaType };
}

export function countOf(files: number): string {
  return files === 1 ? '1 file' : `${String(files)} files`;
}

export function artifactOf(note: FileNote): ArtifactView {
  const { artifactId, runId, step, item, output, node, index, path, mediaType, bytes, sha256, draft, kind, createdAt } = note;
  const { width, height, duration, facts, profile, promptId } = note;
  return {
    artifactId,
    runId,
    step,
    item,
    output,
    node,
    index,
    path,
    mediaType,
    bytes,
    sha256,
    kind,
    createdAt,
    draft,
    ...(facts === undefined ? {} : { facts }),
    ...(promptId === undefined ? {} : { promptId }),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(duration === undefined ? {} : { duration }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/** One for each prompt that made files: so that nothing is ever sent under its id again. */
export function attemptsOf(notes: readonly FileNote[], now: number): readonly AttemptRow[] {
  const first = new Map<string, FileNote>();
  for (const note of notes) {
    const { promptId } = note;
    // Of steps that shared a prompt, the one whose prompt it was.
    if (promptId !== undefined && (!first.has(promptId) || isOwn(note, promptId))) first.set(promptId, note);
  }
  return [...first].map(([promptId, note]) => ({
    promptId,
    runId: note.runId,
    step: note.step,
    item: note.item,
    attempt: note.attempt ?? numberOf(note, promptId) ?? 1,
    backend: note.backend ?? '',
    address: '',
    payloadHash: '',
    status: 'finished',
    acknowledged: true,
    number: null,
    createdAt: now,
    endedAt: now,
    error: null,
    ...(note.profile === undefined ? {} : { profile: note.profile }),
  }));
}

const MOST_ATTEMPTS = 100;

/** Ids of prompts are made of the number of the attempt: the one that gives this id. */
function numberOf({ runId, step, item }: FileNote, promptId: string): number | undefined {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    if (promptIdOf({ runId, step, item, attempt }) === promptId) return attempt;
  }
  return undefined;
}

function isOwn(note: FileNote, promptId: string): boolean {
  return numberOf(note, promptId) !== undefined;
}
