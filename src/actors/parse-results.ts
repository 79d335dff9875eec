/** Parse-results: brings an attempt's outputs home as artifacts. Repeating it after a crash gives the same files and rows. */
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { fromPromise } from 'xstate';
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { Attempt, Backend } from '#backends/contract.ts';
import { saveArtifact } from '#results/save.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { withGrace } from './grace.ts';
import { artifactIdOf } from './ids.ts';
import { attemptSources, type AttemptSources, keepGraphs, saveWith, wantsEmbedding } from './keep-provenance.ts';
import type { ParseInput, ParseResults } from './logic.ts';
import { createNodeNames } from './node-names.ts';
import { inOrderOfFetching, wantedFiles } from './wanted-files.ts';
import type { Wanted } from './wanted-files.ts';

/** Pauses before a file that arrived broken is asked for again, in milliseconds: it may still be being written. */
const REFETCH_PAUSES = [200, 1000];

export function createParseResults(deps: ActorDeps): ParseResults {
  return fromPromise(async ({ input, signal, emit }) => {
    const memory = deps.memory(input.runId);
    const backend = deps.backend(input.backendId);
    let isTold = false;
    const onWait = (error: unknown) => {
      if (!isTold) emit({ type: 'run.note', code: 'BACKEND_WAITED_FOR', message: waitingFor(error), step: input.step });
      isTold = true;
    };
    const sources = attemptSources(deps, memory, input.promptId);
    const names = createNodeNames(memory, input.step);
    const wanted = wantedFiles(declaredOutputs(memory, input.step), input.outputs, (node) => names.of(node));
    if (wanted.length > 0) await keepGraphs(deps.artifactDirectory(input.runId), sources);
    const home = new Map<Wanted, ArtifactView>();
    for (const one of inOrderOfFetching(wanted)) {
      const { artifact, notEmbedded } = await bringHome(deps, { memory, backend, input, signal, onWait, sources }, one);
      home.set(one, artifact);
      if (notEmbedded === undefined) continue;
      const message = leftBare(artifact, notEmbedded);
      emit({ type: 'run.note', code: 'EMBED_NOT_POSSIBLE', severity: 'warning', message, step: input.step });
    }
    const artifacts = wanted.flatMap((one) => home.get(one) ?? []);
    mustHaveEvidence(memory, input, artifacts);
    // Cancelled meanwhile: nothing may be told of a run after its end.
    signal.throwIfAborted();
    for (const artifact of artifacts) {
      const place = memory.artifacts.findIndex((one) => one.artifactId === artifact.artifactId);
      if (place < 0) memory.artifacts.push(artifact);
      else memory.artifacts[place] = artifact;
      const { artifactId, step, item, output, path, mediaType } = artifact;
      emit({ type: 'artifact.created', artifactId, step, item, output, path, mediaType });
    }
    // Our own history entry is removed only once the rows stand: from the outbox, after the commit (DESIGN 4).
    deps.stage(input.runId, { artifacts, outbox: [{ kind: 'backend.forget', body: JSON.stringify(attemptOf(input)) }] });
    return { artifacts: artifacts.length, draft: artifacts.some((artifact) => artifact.draft) };
  });
}

function declaredOutputs({ template }: RunMemory, step: string): Readonly<Record<string, string>> {
  return template.steps.find(({ id }) => id === step)?.outputs ?? {};
}

interface Fetching {
  readonly memory: RunMemory;
  readonly backend: Backend;
  readonly input: ParseInput;
  readonly signal: AbortSignal;
  readonly onWait: (error: unknown) => void;
  readonly sources: AttemptSources;
}

interface Home {
  readonly artifact: ArtifactView;
  /** A clause for people: why its provenance is not inside it. */
  readonly notEmbedded: string | undefined;
}

function leftBare({ path }: ArtifactView, why: string): string {
  return `Graph and provenance are not in ${basename(path)}: ${why}. They stand in its note.`;
}

function waitingFor(error: unknown): string {
  return `${toErrorData(error).message} The finished files are fetched once it answers.`;
}

async function bringHome(deps: ActorDeps, { memory, backend, input, signal, onWait, sources }: Fetching, wanted: Wanted): Promise<Home> {
  const { runId, step, item, promptId } = input;
  const { output, index, file } = wanted;
  const draft = 'filename' in file && (file.draft ?? false);
  const lowered = input.profile === undefined ? {} : { profile: input.profile };
  const artifactId = artifactIdOf(promptId, file.node, index);
  const identity = { artifactId, runId, step, item, output, node: file.node, index, draft, ...lowered };
  // The files lie on the backend's disk and outlive its restart: what is finished is not given up for an answer that is late.
  const patience = { graceMs: deps.restartGraceMs, retryMs: deps.retryMs, outwaitsSilence: true, outwaitsErrors: true };
  const fetchOnce = () =>
    refetching(signal, async () => {
      const remote = 'filename' in file ? await backend.fetch(file, signal) : { stream: textStream(file.text) };
      return saveArtifact({
        source: remote.stream,
        ...('bytes' in remote && remote.bytes !== undefined ? { expectedBytes: remote.bytes } : {}),
        directory: deps.artifactDirectory(runId),
        baseName: fileName(step, item, output, file.node, index),
        ...('filename' in file ? { claimedName: file.filename } : { allowEmpty: true }),
        ...saveWith(identity, sources, wantsEmbedding(memory, step, output)),
        signal,
      });
    });
  const { notEmbedded, ...saved } = await withGrace(patience, signal, fetchOnce, onWait);
  return { artifact: { ...identity, promptId, ...saved, createdAt: deps.now() }, notEmbedded };
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
  throw new CallsheetError('OUTPUT_MISSING', `Step '${input.step}' finished without its output ${list}.`, {
    step: input.step,
    hint: 'The node gave no file: check in the workflow that it is an output node that runs, and that `outputs` of the step names its id.',
  });
}

function attemptOf({ runId, step, item, attempt, promptId, backendId }: ParseInput): Attempt {
  return { runId, step, item, attempt, promptId, backendId };
}
