/** Collect-results: gives the files of a run their places in the template's outputs, converts what is asked for, and says what they become in Blender. */
import { fromPromise } from 'xstate';
import type { RunEventBody } from '#protocol/events.ts';
import type { Problem } from '#protocol/problem.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { type AssetWish, resolveAssets } from '#results/assets.ts';
import { type RenderedOutput, renderOutputs } from '#templates/outputs.ts';
import { isMedia, type Value } from '#templates/types.ts';
import { convertOutput, wishOf } from './convert-outputs.ts';
import { createdEvent } from './created-event.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import type { CollectInput, CollectResults } from './logic.ts';
import { scopeOf } from './scope.ts';

/** What a failed run has is mapped all the same. */
export function createCollectResults(deps: ActorDeps): CollectResults {
  return fromPromise(async ({ input, emit, signal }) => {
    const memory = deps.memory(input.runId);
    const warn = (problem: Problem) => emit(noteOf(problem));
    const outputs = await convertAll(deps, memory, outputsOf(memory, input), { signal, warn, emit });
    const belongs = new Map<string, string[]>();
    const wishes: AssetWish[] = [];
    for (const [output, { rendered, files }] of outputs) {
      for (const [index, artifact] of files.entries()) {
        belongs.set(artifact.artifactId, [...(belongs.get(artifact.artifactId) ?? []), output]);
        if (rendered.asset !== undefined) wishes.push(assetWish(rendered, rendered.asset, output, index, artifact));
      }
    }
    const { title = memory.template.id } = memory.template.manifest;
    const { assets, problems } = resolveAssets(wishes, title);
    for (const problem of problems) warn(problem);
    const changed: ArtifactView[] = [];
    for (const [place, artifact] of memory.artifacts.entries()) {
      const names = belongs.get(artifact.artifactId);
      const asset = assets.get(artifact.artifactId);
      const { outputs: before, asset: _, ...bare } = artifact;
      if (names === undefined && before === undefined) continue;
      const mapped = {
        ...bare,
        ...(names === undefined ? {} : { outputs: [...new Set(names)] }),
        ...(asset === undefined ? {} : { asset }),
      };
      memory.artifacts[place] = mapped;
      changed.push(mapped);
    }
    deps.stage(input.runId, { artifacts: changed });
    return { draft: memory.artifacts.some((artifact) => artifact.draft) };
  });
}

// --- helpers ---

interface CollectedOutput {
  readonly rendered: RenderedOutput;
  readonly files: readonly ArtifactView[];
}

interface Telling {
  readonly signal: AbortSignal;
  readonly warn: (problem: Problem) => void;
  readonly emit: (event: RunEventBody) => void;
}

function noteOf({ code, message, hint, step }: Problem): RunEventBody {
  const details = { ...(hint === undefined ? {} : { hint }), ...(step === undefined ? {} : { step }) };
  return { type: 'run.note', code, message, severity: 'warning', ...details };
}

function outputsOf(memory: RunMemory, input: CollectInput): ReadonlyMap<string, CollectedOutput> {
  const byPath = new Map(memory.artifacts.map((artifact) => [artifact.path, artifact]));
  // Names are made of texts, files are told by their places.
  const { value = {} } = renderOutputs(
    memory.template,
    scopeOf(memory, input, undefined, { some: 'all' }),
    scopeOf(memory, input, undefined, { some: 'all', texts: 'files' }),
  );
  return new Map(
    Object.entries(value).map(([name, rendered]): [string, CollectedOutput] => {
      const files = rendered.values.flatMap((one) => pathsIn(one)).flatMap((path) => byPath.get(path) ?? []);
      return [name, { rendered, files: [...new Set(files)] }];
    }),
  );
}

function pathsIn(value: Value): readonly string[] {
  if (Array.isArray(value)) return (value as readonly Value[]).flatMap(pathsIn);
  return isMedia(value) ? [value.path] : [];
}

/** What was made stands among the artifacts of the run from now on, and in the place of what it was made of. */
async function convertAll(
  deps: ActorDeps,
  memory: RunMemory,
  outputs: ReadonlyMap<string, CollectedOutput>,
  { signal, warn, emit }: Telling,
): Promise<ReadonlyMap<string, CollectedOutput>> {
  const converted = new Map<string, CollectedOutput>();
  for (const [name, { rendered, files }] of outputs) {
    const wish = wishOf(rendered, files);
    if (wish === undefined || files.length === 0) {
      converted.set(name, { rendered, files });
      continue;
    }
    await deps.committed(memory.runId);
    const nameOf = rendered.asset?.nameOf ?? (() => undefined);
    const embed = rendered.embed || memory.options.embed === true;
    const made = await convertOutput(deps, memory, name, files, { wish, embed, nameOf, signal });
    signal.throwIfAborted();
    for (const problem of made.problems) warn(problem);
    for (const artifact of made.files) if (artifact.conversion !== undefined) add(memory, artifact, emit);
    converted.set(name, { rendered, files: made.files });
  }
  return converted;
}

function add(memory: RunMemory, artifact: ArtifactView, emit: Telling['emit']): void {
  const place = memory.artifacts.findIndex(({ artifactId }) => artifactId === artifact.artifactId);
  if (place < 0) memory.artifacts.push(artifact);
  else memory.artifacts[place] = artifact;
  emit(createdEvent(artifact));
}

function assetWish(
  { convert }: RenderedOutput,
  { kind, colorSpace, map, nameOf, collectionOf }: NonNullable<RenderedOutput['asset']>,
  output: string,
  index: number,
  artifact: ArtifactView,
): AssetWish {
  return { artifact, output, index, kind, name: nameOf(index), collection: collectionOf(index), colorSpace, map, fps: convert?.fps };
}
