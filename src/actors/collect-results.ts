/** Collect-results: gives the files of a run their places in the template's outputs, and says what they become in Blender. */
import { fromPromise } from 'xstate';
import type { ArtifactView } from '#protocol/views.ts';
import { type AssetWish, resolveAssets } from '#results/assets.ts';
import { type RenderedOutput, renderOutputs } from '#templates/outputs.ts';
import { isMedia, type Value } from '#templates/types.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import type { CollectInput, CollectResults } from './logic.ts';
import { scopeOf } from './scope.ts';

/** What a failed run has is mapped all the same. */
export function createCollectResults(deps: ActorDeps): CollectResults {
  return fromPromise(async ({ input, emit }) => {
    const memory = deps.memory(input.runId);
    const outputs = outputsOf(memory, input);
    const belongs = new Map<string, string[]>();
    const wishes: AssetWish[] = [];
    for (const [output, { rendered, files }] of outputs) {
      for (const [index, artifact] of files.entries()) {
        belongs.set(artifact.artifactId, [...(belongs.get(artifact.artifactId) ?? []), output]);
        if (rendered.asset !== undefined) wishes.push(wishOf(rendered, rendered.asset, output, index, artifact));
      }
    }
    const { title = memory.template.id } = memory.template.manifest;
    const { assets, problems } = resolveAssets(wishes, title);
    for (const { code, message, hint, step } of problems)
      emit({
        type: 'run.note',
        code,
        message,
        severity: 'warning',
        ...(hint === undefined ? {} : { hint }),
        ...(step === undefined ? {} : { step }),
      });
    const changed: ArtifactView[] = [];
    for (const [place, artifact] of memory.artifacts.entries()) {
      const names = belongs.get(artifact.artifactId);
      const asset = assets.get(artifact.artifactId);
      if (names === undefined) continue;
      const mapped = {
        ...artifact,
        outputs: [...new Set([...(artifact.outputs ?? []), ...names])],
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

function outputsOf(memory: RunMemory, input: CollectInput): ReadonlyMap<string, CollectedOutput> {
  const byPath = new Map(memory.artifacts.map((artifact) => [artifact.path, artifact]));
  // Names are made of texts, files are told by their places.
  const { value = {} } = renderOutputs(memory.template, scopeOf(memory, input), scopeOf(memory, input, undefined, 'files'));
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

function wishOf(
  { convert }: RenderedOutput,
  { kind, colorSpace, map, nameOf, collectionOf }: NonNullable<RenderedOutput['asset']>,
  output: string,
  index: number,
  artifact: ArtifactView,
): AssetWish {
  return { artifact, output, index, kind, name: nameOf(index), collection: collectionOf(index), colorSpace, map, fps: convert?.fps };
}
