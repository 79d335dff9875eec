/** Parse-results: brings an attempt's outputs home as artifacts. Repeating it after a crash gives the same files and rows. */
import { createHash } from 'node:crypto';
import { fromPromise } from 'xstate';
import { CallsheetError } from '#protocol/errors.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { Attempt, Backend } from '#backends/contract.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { createFileNames } from './file-names.ts';
import type { NamedFile } from './file-names.ts';
import { fetchFile, whenWritable } from './fetch-file.ts';
import type { FileWish } from './fetch-file.ts';
import { artifactIdOf } from './ids.ts';
import { type Bare, bareProblems } from './embed-notes.ts';
import { attemptSources, type AttemptSources, keepGraphs, saveWith, wantsEmbedding } from './keep-provenance.ts';
import type { ParseInput, ParseResults } from './logic.ts';
import { createNodeNames } from './node-names.ts';
import { scopeOf } from './scope.ts';
import { inOrderOfFetching, wantedFiles } from './wanted-files.ts';
import type { Wanted } from './wanted-files.ts';

export function createParseResults(deps: ActorDeps): ParseResults {
  return fromPromise(async ({ input, signal, emit }) => {
    const memory = deps.memory(input.runId);
    const backend = deps.backend(input.backendId);
    const told = new Set<string>();
    const onWait: FileWish['onWait'] = (code, error) => {
      if (!told.has(code)) emit({ type: 'run.note', code, message: `${error.message} ${WAITING[code]}`, step: input.step });
      told.add(code);
    };
    const sources = attemptSources(deps, memory, input.promptId);
    const names = createNodeNames(memory, input.step);
    const wanted = wantedFiles(declaredOutputs(memory, input.step), input.outputs, (node) => names.of(node));
    const waiting = { step: input.step, signal, onWait };
    if (wanted.length > 0) await whenWritable(deps, waiting, () => keepGraphs(deps.artifactDirectory(input.runId), sources));
    const home = new Map<Wanted, ArtifactView>();
    const nameOf = createFileNames(memory.template, () => scopeOf(memory, input));
    const fetching = { memory, backend, input, signal, onWait, sources, nameOf, home };
    const bare: Bare[] = [];
    for (const one of inOrderOfFetching(wanted)) {
      if (isShownAgain(one, home)) continue;
      const { artifact, notEmbedded } = await bringHome(deps, fetching, one);
      home.set(one, artifact);
      if (notEmbedded !== undefined) bare.push({ artifact, why: notEmbedded });
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
    for (const problem of bareProblems(bare)) emit({ type: 'run.note', ...problem, step: input.step });
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
  readonly onWait: FileWish['onWait'];
  readonly sources: AttemptSources;
  readonly nameOf: (file: NamedFile) => string;
  /** What is there already. */
  readonly home: ReadonlyMap<Wanted, ArtifactView>;
}

interface Home {
  readonly artifact: ArtifactView;
  /** A clause for people: why its provenance is not inside it. */
  readonly notEmbedded: string | undefined;
}

const WAITING = {
  BACKEND_WAITED_FOR: 'The finished files are fetched once it answers.',
  DISK_WAITED_FOR: 'The file is fetched again in a while: make room, or give the folder back its rights.',
} as const;

async function bringHome(deps: ActorDeps, fetching: Fetching, wanted: Wanted): Promise<Home> {
  const { memory, backend, input, signal, onWait, sources, nameOf, home } = fetching;
  const { runId, step, item, promptId } = input;
  const { output, index, file } = wanted;
  const draft = 'filename' in file && (file.draft ?? false);
  const lowered = input.profile === undefined ? {} : { profile: input.profile };
  const artifactId = artifactIdOf(promptId, file.node, index);
  const twinOf = ({ bytes, sha256 }: Pick<ArtifactView, 'bytes' | 'sha256'>) =>
    [...memory.artifacts, ...home.values()].find(
      (other) => other.sha256 === sha256 && other.bytes === bytes && other.artifactId !== artifactId,
    );
  const identity = { artifactId, runId, step, item, output, node: file.node, index, draft, ...lowered };
  const { notEmbedded, ...saved } = await fetchFile(deps, {
    backend,
    file,
    step,
    signal,
    onWait,
    directory: deps.artifactDirectory(runId),
    baseName: nameOf({ step, item, output, node: file.node, index }),
    twinOf,
    ...saveWith(identity, sources, wantsEmbedding(memory, step, output)),
  });
  return { artifact: { ...identity, promptId, ...saved, createdAt: deps.now() }, notEmbedded };
}

/** A node that saves a text often shows it as well: the file is enough, and one value stays one value. */
function isShownAgain({ file }: Wanted, home: ReadonlyMap<Wanted, ArtifactView>): boolean {
  if (!('text' in file)) return false;
  const sha256 = createHash('sha256').update(file.text).digest('hex');
  return [...home].some(([other, artifact]) => 'filename' in other.file && other.file.node === file.node && artifact.sha256 === sha256);
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
