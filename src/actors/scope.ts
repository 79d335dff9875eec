/** The scope of a run: what references can see of parameters and of the outputs of finished steps. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Backend } from '#backends/contract.ts';
import type { ArtifactView } from '#protocol/views.ts';
import { choiceId } from '#templates/compile-choice.ts';
import type { CompiledChoice } from '#templates/compiled.ts';
import type { MediaValue, Scope, StepOutputs, Value } from '#templates/types.ts';
import { artifactsOf, candidatesOf } from './candidates.ts';
import type { RunMemory } from './deps.ts';
import type { Picks, Settled } from './logic.ts';

/** Text outputs longer than this are cut: they are meant for parameters, not for documents. In bytes. */
const TEXT_LIMIT = 1024 * 1024;

export interface ScopeOptions {
  /** Texts that steps gave are values, or `files` like all others. */
  readonly texts?: 'read' | 'files';
  /** Files of failed items as well. */
  readonly some?: 'finished' | 'all';
}

/** `backend` is what conditions see of the backend that the step would go to. */
export function scopeOf(
  memory: RunMemory,
  { skipped, picks = {} }: Settled,
  backend?: Pick<Backend, 'id' | 'kind'>,
  { texts = 'read', some = 'finished' }: ScopeOptions = {},
): Scope {
  const steps: Record<string, StepOutputs> = {};
  for (const step of memory.template.steps) {
    if (skipped.includes(step.id)) {
      steps[step.id] = null;
      continue;
    }
    const outputs: Record<string, Value[]> = {};
    for (const name of Object.keys(step.outputs)) outputs[name] = [];
    for (const artifact of artifactsOf(memory, step.id, some))
      (outputs[artifact.output] ??= []).push(texts === 'read' ? valueOf(artifact) : fileOf(artifact));
    steps[step.id] = outputs;
  }
  const choices: Record<string, Value> = {};
  const scope: Scope = {
    params: memory.params,
    steps,
    choices,
    ...(backend === undefined ? {} : { backend: { id: backend.id, kind: backend.kind } }),
  };
  // In the order of the template: a choice sees those before it.
  for (const choice of memory.template.choices) {
    const value = skipped.includes(choiceId(choice.into)) ? null : pickedValue(memory, choice, scope, picks);
    if (value !== undefined) choices[choice.into] = value;
  }
  return scope;
}

/** Undefined while the choice has not been made. */
function pickedValue(memory: RunMemory, choice: CompiledChoice, scope: Scope, picks: Picks): Value | undefined {
  const ids = Object.hasOwn(picks, choice.into) ? picks[choice.into] : undefined;
  if (ids === undefined) return undefined;
  const drawn = candidatesOf(memory, choice, scope, picks);
  const candidates = drawn.kind === 'candidates' ? drawn.candidates : [];
  const values = ids.flatMap((id) => candidates.find((candidate) => candidate.id === id)?.value ?? []);
  return choice.pick.many ? values : values[0];
}

function valueOf(artifact: ArtifactView): Value {
  if (artifact.mediaType.startsWith('text/plain')) return readFileSync(artifact.path).subarray(0, TEXT_LIMIT).toString('utf8');
  return fileOf(artifact);
}

function fileOf({ path, sha256, bytes, mediaType }: ArtifactView): MediaValue {
  return { $media: 'media', path, name: basename(path), sha256, bytes, mediaType };
}
