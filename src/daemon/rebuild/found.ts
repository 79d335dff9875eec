/** What lies in the output directory of one run: its record, its files as their notes describe them, and how each of them lies. */
import { readGraph } from '#results/sidecar.ts';
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
  /** Graphs that the record names, by hash, where they lie whole beside the notes. */
  readonly graphs: ReadonlyMap<string, string>;
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
  const graphs = record === undefined ? new Map<string, string>() : await graphsOf(folder, record);
  return { runId, folder, record, notes: notes.filter((note) => note.runId === runId), graphs, files, doubts };
}

async function graphsOf(folder: string, { provenance }: RunRecord): Promise<ReadonlyMap<string, string>> {
  const graphs = new Map<string, string>();
  for (const { graph, workflow } of provenance) {
    for (const [hash, what] of [[graph, 'graph'] as const, [workflow, 'workflow'] as const]) {
      if (hash === null || graphs.has(hash)) continue;
      const text = await readGraph(folder, hash, what);
      if (text !== undefined) graphs.set(hash, text);
    }
  }
  return graphs;
}

async function look(named: Pick<ArtifactView, 'path' | 'bytes' | 'sha256'>, budget: Budget): Promise<FoundFile> {
  const isUnread = named.bytes > budget.bytes;
  if (!isUnread) budget.bytes -= named.bytes;
  return { path: named.path, lying: await howItLies(named, isUnread), isUnread };
}
