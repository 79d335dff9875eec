/** Brings home the files that an attempt gave: fetched, checked, named, and one for every output that the step wants. */
import { createHash } from 'node:crypto';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { CachedFrom, SourceFile } from '#protocol/provenance.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { Backend, RemoteFile, RemoteText } from '#backends/contract.ts';
import type { ActorDeps, RunMemory, StagedRows } from './deps.ts';
import { fetchFile, type FileWish, whenWritable } from './fetch-file.ts';
import { createFileNames, type NamedFile } from './file-names.ts';
import { fileAtHome } from './find-home.ts';
import { artifactIdOf } from './ids.ts';
import { attemptSources, type AttemptSources, keepGraphs, saveWith, wantsEmbedding } from './keep-provenance.ts';
import type { ParseInput } from './logic.ts';
import { createNodeNames } from './node-names.ts';
import { givenBy } from './savings.ts';
import { scopeOf } from './scope.ts';
import { inOrderOfFetching, type Wanted, wantedFiles } from './wanted-files.ts';
import { watchWork } from './watch-phases.ts';

export interface Brought {
  readonly artifact: ArtifactView;
  /** As the backend told of it. */
  readonly found: RemoteFile | RemoteText;
  /** A clause for people: why its provenance is not inside it, although somebody asked for it. */
  readonly notEmbedded?: string;
}

export interface KeptBefore {
  readonly sha256: string;
  readonly cachedFrom: CachedFrom;
  /** As a backend gave it, where its provenance was put into it then. */
  readonly origin?: SourceFile;
}

export interface Fetching {
  readonly memory: RunMemory;
  /** Where the files are fetched from: a backend, or what is kept of it. */
  readonly backend: Pick<Backend, 'id' | 'fetch'>;
  readonly input: ParseInput;
  /** The prompt of this run whose provenance is that of the files. */
  readonly madeBy: string;
  /** Graphs of it that are stored with the files, and not before. */
  readonly graphs?: StagedRows['graphs'];
  /** Of a file that was made before: what it must hold, to the byte, and whose it is. */
  readonly kept?: (found: RemoteFile | RemoteText) => KeptBefore | undefined;
  readonly signal: AbortSignal;
  readonly onWait: FileWish['onWait'];
  /** Told before it throws, where some files did come. Not of one that was cancelled. */
  readonly onPart?: (brought: readonly Brought[]) => void;
}

/** Every file that the step wants of the outputs, in its place. Throws OUTPUT_MISSING when one that is declared did not come, and the signal's reason. */
export async function bringHomeAll(deps: ActorDeps, fetching: Fetching): Promise<readonly Brought[]> {
  const { memory, input, signal, onWait } = fetching;
  const wanted = wantedFiles(declaredOutputs(memory, input.step), input.outputs, givers(fetching));
  const graph = (hash: string) => fetching.graphs?.find((one) => one.hash === hash)?.content ?? deps.graph(hash);
  const sources = attemptSources({ graph, storeId: deps.storeId }, memory, fetching.madeBy);
  if (wanted.length > 0) {
    await whenWritable(deps, { step: input.step, signal, onWait }, () => keepGraphs(deps.artifactDirectory(input.runId), sources));
  }
  const home = new Map<Wanted, Brought>();
  const nameOf = createFileNames(memory.template, () => scopeOf(memory, input));
  const brought = () => wanted.flatMap((one) => home.get(one) ?? []);
  try {
    for (const one of inOrderOfFetching(wanted)) {
      if (!isShownAgain(one, home)) home.set(one, await bringHome(deps, { ...fetching, sources, nameOf, home }, one));
    }
    mustHaveEvidence(
      memory,
      input,
      brought().map(({ artifact }) => artifact),
    );
  } catch (error) {
    if (home.size > 0 && !signal.aborted) fetching.onPart?.(brought());
    throw error;
  }
  // Cancelled meanwhile: nothing may be told of a run after its end.
  signal.throwIfAborted();
  return brought();
}

/** Says of what is waited for, once for each reason. */
export function waitNotes(emit: (event: RunEventBody) => void, step: string): FileWish['onWait'] {
  const told = new Set<string>();
  return (code, error) => {
    if (!told.has(code)) emit({ type: 'run.note', code, message: `${error.message} ${WAITING[code]}`, step });
    told.add(code);
  };
}

// --- helpers ---

const WAITING = {
  BACKEND_WAITED_FOR: 'The finished files are fetched once it answers.',
  DISK_WAITED_FOR: 'The file is fetched again in a while: make room, or give the folder back its rights.',
} as const;

function declaredOutputs({ template }: RunMemory, step: string): Readonly<Record<string, string>> {
  return template.steps.find(({ id }) => id === step)?.outputs ?? {};
}

/**
 * The author's nodes whose result a node gives: that which a patch put it in for, and those that were merged into it. What was kept is there
 * for each of them already.
 */
function givers({ memory, input, kept }: Fetching): (node: string) => readonly string[] {
  const names = createNodeNames(memory, input.step);
  const given = kept === undefined ? givenBy(memory, input.step, input.item) : (node: string) => [node];
  return (node) => given(names.of(node));
}

interface Bringing extends Fetching {
  readonly sources: AttemptSources;
  readonly nameOf: (file: NamedFile) => string;
  /** What is there already. */
  readonly home: ReadonlyMap<Wanted, Brought>;
}

async function bringHome(deps: ActorDeps, bringing: Bringing, { output, index, file, found }: Wanted): Promise<Brought> {
  const { memory, backend, input, kept, madeBy, signal, onWait, sources, nameOf, home } = bringing;
  const { runId, step, item, promptId } = input;
  const draft = 'filename' in file && (file.draft ?? false);
  const artifactId = artifactIdOf(promptId, file.node, index);
  const before = kept?.(found);
  const identity = {
    artifactId,
    runId,
    step,
    item,
    output,
    node: file.node,
    index,
    draft,
    ...(input.profile === undefined ? {} : { profile: input.profile }),
    ...(before === undefined ? {} : { cachedFrom: before.cachedFrom }),
  };
  // Brought home after the backup was made: its row is all that is missing.
  const lying = memory.restored === true ? await fileAtHome(deps, runId, artifactId) : undefined;
  if (lying !== undefined) return { artifact: { ...identity, promptId: madeBy, ...lying, createdAt: deps.now() }, found };
  const twinOf = ({ bytes, sha256 }: Pick<ArtifactView, 'bytes' | 'sha256'>) =>
    [...memory.artifacts.filter(({ partial }) => partial !== true), ...[...home.values()].map(({ artifact }) => artifact)].find(
      (other) => other.sha256 === sha256 && other.bytes === bytes && other.artifactId !== artifactId,
    );
  const wish: FileWish = {
    backend,
    file,
    step,
    signal,
    onWait,
    ...(before === undefined ? {} : { expectedSha256: before.sha256 }),
    ...(before?.origin === undefined ? {} : { origin: before.origin }),
    directory: deps.artifactDirectory(runId),
    baseName: nameOf({ step, item, output, node: file.node, index }),
    twinOf,
    ...saveWith(identity, sources, wantsEmbedding(memory, step, output)),
  };
  const { notEmbedded, ...saved } = await watchWork(deps.watch, 'fetch', input, () => fetchFile(deps, wish));
  const artifact = { ...identity, promptId: madeBy, ...saved, createdAt: deps.now() };
  return { artifact, found, ...(notEmbedded === undefined ? {} : { notEmbedded }) };
}

/** A node that saves a text often shows it as well: the file is enough, and one value stays one value. */
function isShownAgain({ file }: Wanted, home: ReadonlyMap<Wanted, Brought>): boolean {
  if (!('text' in file)) return false;
  const sha256 = createHash('sha256').update(file.text).digest('hex');
  return [...home].some(([other, { artifact }]) => 'filename' in other.file && other.file.node === file.node && artifact.sha256 === sha256);
}

/** `succeeded` only with evidence: every declared output has at least one file, and a step that declares none has any at all (DESIGN 5). */
function mustHaveEvidence(memory: RunMemory, input: ParseInput, artifacts: readonly ArtifactView[]): void {
  const declared = declaredOutputs(memory, input.step);
  if (Object.keys(declared).length === 0 && artifacts.length === 0) {
    throw new CallsheetError('OUTPUT_MISSING', `Step '${input.step}' finished without a single file to show for it.`, {
      step: input.step,
      hint: 'Give the workflow a node that saves its result; what only a preview shows counts when `outputs` of the step names its node.',
    });
  }
  const missing = Object.entries(declared).filter(([name]) => !artifacts.some((artifact) => artifact.output === name));
  if (missing.length === 0) return;
  const list = missing.map(([name, node]) => `'${name}' (node ${node})`).join(', ');
  const message = `Step '${input.step}' finished without its output ${list}.`;
  const [refused] = memory.leftOut.get(input.promptId) ?? [];
  if (refused !== undefined) {
    const { message: why, hint, node, problems } = refused;
    const place = { step: input.step, ...(node === undefined ? {} : { node }), ...(problems === undefined ? {} : { problems }) };
    throw new CallsheetError('OUTPUT_MISSING', `${message} ${why}`, { ...place, ...(hint === undefined ? {} : { hint }) });
  }
  throw new CallsheetError('OUTPUT_MISSING', message, {
    step: input.step,
    hint: 'The node gave no file: check in the workflow that it is an output node that runs, and that `outputs` of the step names its id.',
  });
}
