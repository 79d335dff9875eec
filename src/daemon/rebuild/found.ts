/** What lies in the output directory of one run: its record, its files as their notes describe them, and how each of them lies. */
import { readNotes, howItLies, type FileNote, type Lying } from '#results/notes.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { toErrorData } from '#protocol/errors.ts';
import { readRecord, type RunRecord } from './record.ts';

export interface FoundFile {
  readonly path: string;
  readonly lying: Lying;
  /** Only its length was looked at: reading it would have taken too long now. */
  readonly isUnread: boolean;
}

export interface FoundRun {
  readonly runId: string;
  readonly folder: string;
  readonly record: RunRecord | undefined;
  readonly notes: readonly FileNote[];
  /** By path: of the files that record and notes name. */
  readonly files: ReadonlyMap<string, FoundFile>;
  /** Sentences for people: notes and records that could not be read. */
  readonly doubts: readonly string[];
}

/** How many bytes may still be read to see whether files are what they were. */
export interface Budget {
  bytes: number;
}

export async function lookInto(folder: string, runId: string, budget: Budget): Promise<FoundRun> {
  const doubts: string[] = [];
  const record = await readRecord(folder).catch((error: unknown) => {
    doubts.push(`The record of the run in ${folder} cannot be used: ${toErrorData(error).message}`);
    return undefined;
  });
  const { notes, unreadable } = await readNotes(folder);
  doubts.push(...unreadable.map((path) => `${path} cannot be read; the file that it describes is not counted.`));
  const files = new Map<string, FoundFile>();
  for (const named of [...notes, ...(record?.artifacts ?? [])]) files.set(named.path, files.get(named.path) ?? (await look(named, budget)));
  return { runId, folder, record, notes: notes.filter((note) => note.runId === runId), files, doubts };
}

async function look(named: Pick<ArtifactView, 'path' | 'bytes' | 'sha256'>, budget: Budget): Promise<FoundFile> {
  const isUnread = named.bytes > budget.bytes;
  if (!isUnread) budget.bytes -= named.bytes;
  return { path: named.path, lying: await howItLies(named, isUnread), isUnread };
}
