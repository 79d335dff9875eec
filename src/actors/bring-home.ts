/** Brings home the files that an attempt gave: fetched, checked, named, and one for every output that the step wants. */
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import type { ArtifactView, CachedFrom } from '#protocol/views.ts';
import type { Backend, RemoteFile, RemoteText } from '#backends/contract.ts';
import { saveArtifact } from '#results/save.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { fileAtHome } from './find-home.ts';
import { withGrace } from './grace.ts';
import { artifactIdOf } from './ids.ts';
import type { ParseInput } from './logic.ts';
import { createNodeNames } from './node-names.ts';
import { givenBy } from './savings.ts';

/** Pauses before a file that arrived broken is asked for again, in milliseconds: it may still be being written. */
const REFETCH_PAUSES = [200, 1000];

export interface Brought {
  readonly artifact: ArtifactView;
  /** As the backend told of it. */
  readonly found: RemoteFile | RemoteText;
}

/** Every file that the step wants of the outputs, in its place. Throws OUTPUT_MISSING when one that is declared did not come, and the signal's reason. */
export async function bringHomeAll(deps: ActorDeps, fetching: Fetching): Promise<readonly Brought[]> {
  const { memory, input, signal } = fetching;
  const brought: Brought[] = [];
  for (const wanted of wantedFiles(fetching)) brought.push({ artifact: await bringHome(deps, fetching, wanted), found: wanted.found });
  mustHaveEvidence(
    memory,
    input,
    brought.map(({ artifact }) => artifact),
  );
  // Cancelled meanwhile: nothing may be told of a run after its end.
  signal.throwIfAborted();
  return brought;
}

interface Wanted {
  readonly output: string;
  /** Position among the files of this node, from 0. */
  readonly index: number;
  readonly found: RemoteFile | RemoteText;
  /** The same with the author's node. */
  readonly file: RemoteFile | RemoteText;
}

/** The files of declared outputs, or every file when the step declares none. Temp files count only when asked for by name. */
function wantedFiles({ memory, input, kept }: Fetching): readonly Wanted[] {
  const isKept = kept !== undefined;
  const declared = Object.entries(memory.template.steps.find((step) => step.id === input.step)?.outputs ?? {});
  const names = createNodeNames(memory, input.step);
  const all = declared.find(([, node]) => node === '*');
  const nameOf = (node: string) => declared.find(([, id]) => id === node)?.[0] ?? all?.[0] ?? (declared.length === 0 ? '*' : undefined);
  const isNamed = (node: string) => declared.some(([, id]) => id === node);
  const counts = new Map<string, number>();
  const wanted: Wanted[] = [];
  // What was kept is there for each of the nodes already.
  const nodesOf = isKept ? (node: string) => [node] : givenBy(memory, input.step, input.item);
  // A node that a patch put in gives its files in the name of the one that it stands for, and one that others were merged into for each of them.
  const reported = [...input.outputs.files, ...input.outputs.texts].flatMap((found) =>
    nodesOf(names.of(found.node)).map((node) => ({ found, file: { ...found, node } })),
  );
  for (const { found, file } of reported) {
    const output = nameOf(file.node);
    if (output === undefined) continue;
    if ('filename' in file && file.type !== 'output' && !isNamed(file.node)) continue;
    const index = counts.get(file.node) ?? 0;
    counts.set(file.node, index + 1);
    wanted.push({ output, index, found, file });
  }
  return wanted;
}

export interface Fetching {
  readonly memory: RunMemory;
  /** Where the files are fetched from: a backend, or what is kept of it. */
  readonly backend: Pick<Backend, 'id' | 'fetch'>;
  readonly input: ParseInput;
  /** Of a file that was made before: what it must hold, to the byte, and whose it is. */
  readonly kept?: (found: RemoteFile | RemoteText) => { readonly sha256: string; readonly cachedFrom: CachedFrom } | undefined;
  readonly signal: AbortSignal;
  readonly onWait: (error: unknown) => void;
}

async function bringHome(
  deps: ActorDeps,
  { memory, backend, input, kept, signal, onWait }: Fetching,
  wanted: Wanted,
): Promise<ArtifactView> {
  const { runId, step, item, promptId } = input;
  const { output, index, file } = wanted;
  const draft = 'filename' in file && (file.draft ?? false);
  const lowered = input.profile === undefined ? {} : { profile: input.profile };
  const before = kept?.(wanted.found);
  const cached = before === undefined ? {} : { cachedFrom: before.cachedFrom };
  const artifactId = artifactIdOf(promptId, file.node, index);
  // Brought home after the backup was made: its row is all that is missing.
  const home = memory.restored === true ? await fileAtHome(deps, runId, artifactId) : undefined;
  if (home !== undefined) {
    const { path, bytes, sha256, mediaType, width, height, duration } = home;
    const size = { ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }) };
    const facts = { path, bytes, sha256, mediaType, ...size, ...(duration === undefined ? {} : { duration }) };
    return { artifactId, runId, step, item, output, node: file.node, index, draft: home.draft, ...lowered, ...cached, ...facts };
  }
  const provenance = {
    artifactId,
    runId,
    template: memory.template.id,
    version: memory.template.version,
    templateHash: memory.template.hash,
    step,
    item,
    output,
    node: file.node,
    index,
    promptId,
    backend: backend.id,
    draft,
    ...lowered,
    ...cached,
    store: deps.storeId,
  };
  // The files lie on the backend's disk and outlive its restart: what is finished is not given up for an answer that is late.
  const patience = { graceMs: deps.restartGraceMs, retryMs: deps.retryMs, outwaitsSilence: true, outwaitsErrors: true };
  const fetchOnce = () =>
    refetching(signal, async () => {
      const remote = 'filename' in file ? await backend.fetch(file, signal) : { stream: textStream(file.text) };
      return saveArtifact({
        source: remote.stream,
        ...('bytes' in remote && remote.bytes !== undefined ? { expectedBytes: remote.bytes } : {}),
        ...(before === undefined ? {} : { expectedSha256: before.sha256 }),
        directory: deps.artifactDirectory(runId),
        baseName: fileName(step, item, output, file.node, index),
        ...('filename' in file ? { claimedName: file.filename } : { allowEmpty: true }),
        provenance,
        signal,
      });
    });
  const saved = await withGrace(patience, signal, fetchOnce, onWait);
  return { artifactId, runId, step, item, output, node: file.node, index, draft, ...lowered, ...cached, ...saved };
}

function textStream(text: string): NodeJS.ReadableStream {
  return Readable.from([Buffer.from(text, 'utf8')]);
}

async function refetching<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (const wait of REFETCH_PAUSES) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CallsheetError) || error.code !== 'OUTPUT_INVALID') throw error;
      await pause(wait, undefined, { signal });
    }
  }
  return work();
}

/** `base-02_portrait_1`: step, item from the second on, output, file from the second on. */
function fileName(step: string, item: number, output: string, node: string, index: number): string {
  const head = item === 0 ? step : `${step}-${String(item + 1).padStart(2, '0')}`;
  const tail = index === 0 ? '' : `_${String(index + 1)}`;
  return `${head}_${output === '*' ? node : output}${tail}`;
}

/** `succeeded` only with evidence: every declared output has at least one file, and a step that declares none has any at all (DESIGN 5). */
function mustHaveEvidence(memory: RunMemory, input: ParseInput, artifacts: readonly ArtifactView[]): void {
  const declared = memory.template.steps.find((step) => step.id === input.step)?.outputs ?? {};
  if (Object.keys(declared).length === 0 && artifacts.length === 0) {
    throw new CallsheetError('OUTPUT_MISSING', `Step '${input.step}' finished without a single file to show for it.`, {
      step: input.step,
      hint: 'Give the workflow a node that saves its result; what only a preview shows counts when `outputs` of the step names its node.',
    });
  }
  const missing = Object.entries(declared).filter(([name]) => !artifacts.some((artifact) => artifact.output === name));
  if (missing.length === 0) return;
  const list = missing.map(([name, node]) => `'${name}' (node ${node})`).join(', ');
  throw new CallsheetError('OUTPUT_MISSING', `Step '${input.step}' finished without its output ${list}.`, {
    step: input.step,
    hint: 'The node gave no file: check in the workflow that it is an output node that runs, and that `outputs` of the step names its id.',
  });
}
