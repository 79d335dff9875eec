/** Files of an attempt that lie at home already, whole, and are in no database: of a run that comes from a backup (docs/store.md 4). */
import { basename } from 'node:path';
import type { RemoteOutputs } from '#backends/contract.ts';
import { howItLies, readNotes, type FileNote } from '#results/notes.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { prefixOf } from './fused/part-nodes.ts';
import type { PrepareInput } from './logic.ts';

/**
 * What the attempt gave, as if its backend still had it. Undefined unless every output that the step declares has a file here. A node of which
 * only some files came home is not told from one that gave no more: the backend, which knows, is asked first.
 */
export async function outputsAtHome(
  deps: Pick<ActorDeps, 'artifactDirectory'>,
  memory: RunMemory,
  { runId, step }: PrepareInput,
  promptId: string,
): Promise<RemoteOutputs | undefined> {
  const { notes } = await readNotes(deps.artifactDirectory(runId));
  const whole: FileNote[] = [];
  for (const note of notes) if (note.promptId === promptId && (await howItLies(note)) === 'whole') whole.push(note);
  const declared = Object.keys(memory.template.steps.find(({ id }) => id === step)?.outputs ?? {});
  const isAll = declared.every((output) => whole.some((note) => note.step === step && note.output === output));
  if (whole.length === 0 || !isAll) return undefined;
  const files = whole
    .toSorted((a, b) => (a.node === b.node ? a.index - b.index : a.node < b.node ? -1 : 1))
    .map(({ step: of, node, path, draft }) => ({
      node: of === step ? node : `${prefixOf(of)}${node}`,
      key: '',
      filename: basename(path),
      subfolder: '',
      type: 'output' as const,
      draft,
    }));
  return { files, texts: [], cachedNodes: [] };
}

type LyingFile = Pick<FileNote, 'path' | 'bytes' | 'sha256' | 'mediaType' | 'width' | 'height' | 'duration' | 'kind' | 'facts' | 'draft'>;

/** The file of this artifact, where it lies at home whole. */
export async function fileAtHome(
  deps: Pick<ActorDeps, 'artifactDirectory'>,
  runId: string,
  artifactId: string,
): Promise<LyingFile | undefined> {
  const { notes } = await readNotes(deps.artifactDirectory(runId));
  const note = notes.find((one) => one.artifactId === artifactId);
  if (note === undefined || (await howItLies(note)) !== 'whole') return undefined;
  const { path, bytes, sha256, mediaType, width, height, duration, kind, facts, draft } = note;
  return {
    path,
    bytes,
    sha256,
    mediaType,
    kind,
    draft,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(duration === undefined ? {} : { duration }),
    ...(facts === undefined ? {} : { facts }),
  };
}
