/** The scope of a run: what references can see of parameters and of the outputs of finished steps. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Backend } from '#backends/contract.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { Scope, StepOutputs, Value } from '#templates/types.ts';
import type { RunMemory } from './deps.ts';

/** Text outputs longer than this are cut: they are meant for parameters, not for documents. In bytes. */
const TEXT_LIMIT = 1024 * 1024;

/** `backend` is what conditions see of the backend that the step would go to. */
export function scopeOf(memory: RunMemory, skipped: readonly string[], backend?: Pick<Backend, 'id' | 'kind'>): Scope {
  const steps: Record<string, StepOutputs> = {};
  for (const step of memory.template.steps) {
    if (skipped.includes(step.id)) {
      steps[step.id] = null;
      continue;
    }
    const outputs: Record<string, Value[]> = {};
    for (const name of Object.keys(step.outputs)) outputs[name] = [];
    for (const artifact of inOrder(memory.artifacts, step.id)) (outputs[artifact.output] ??= []).push(valueOf(artifact));
    steps[step.id] = outputs;
  }
  return {
    params: memory.params,
    steps,
    choices: {},
    ...(backend === undefined ? {} : { backend: { id: backend.id, kind: backend.kind } }),
  };
}

function inOrder(artifacts: readonly ArtifactView[], step: string): readonly ArtifactView[] {
  return artifacts.filter((artifact) => artifact.step === step).toSorted((a, b) => a.item - b.item || a.index - b.index);
}

function valueOf(artifact: ArtifactView): Value {
  if (artifact.mediaType.startsWith('text/plain')) return readFileSync(artifact.path).subarray(0, TEXT_LIMIT).toString('utf8');
  const { path, sha256, bytes, mediaType } = artifact;
  return { $media: 'media', path, name: basename(path), sha256, bytes, mediaType };
}
