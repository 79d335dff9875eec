/** What there is to choose from: the values that a choice draws from, each under an id that stays the same after a restart. */
import type { ArtifactView } from '#protocol/views.ts';
import type { CompiledChoice } from '#templates/compiled.ts';
import type { Reference } from '#templates/grammar.ts';
import { resolve } from '#templates/resolve.ts';
import type { Scope, Value } from '#templates/types.ts';
import type { RunMemory } from './deps.ts';
import type { Picks } from './logic.ts';

export interface Candidate {
  /** The artifactId; `value-N`, counted from 0, for what is no file of this run. */
  readonly id: string;
  readonly value: Value;
  readonly artifact?: ArtifactView;
}

export type Drawn =
  | { readonly kind: 'candidates'; readonly candidates: readonly Candidate[] }
  | { readonly kind: 'null'; readonly reason: string }
  | { readonly kind: 'problem'; readonly code: string; readonly message: string; readonly hint: string };

/** `scope` holds the outputs of finished steps and the picks of the choices before. */
export function candidatesOf(memory: RunMemory, choice: CompiledChoice, scope: Scope, picks: Picks): Drawn {
  let last: Drawn = { kind: 'null', reason: 'nothing was named' };
  for (const reference of choice.from.alternatives) {
    const resolved = resolve({ alternatives: [reference], filters: [], text: reference.text }, scope, memory.template);
    if (resolved.kind === 'value') {
      const values = Array.isArray(resolved.value) ? (resolved.value as readonly Value[]) : [resolved.value];
      return { kind: 'candidates', candidates: named(values, sourcesOf(memory, reference, scope, picks)) };
    }
    last = resolved;
    if (resolved.kind === 'problem') break;
  }
  return last;
}

/** Files of a step in the order in which references see them, those of failed items only where `all` are wanted; what the template's outputs made of them is none of the step's. */
export function artifactsOf({ artifacts }: RunMemory, step: string, some: 'finished' | 'all' = 'finished'): readonly ArtifactView[] {
  return artifacts
    .filter((artifact) => artifact.step === step && artifact.conversion === undefined && (some === 'all' || artifact.partial !== true))
    .toSorted((a, b) => a.item - b.item || a.index - b.index);
}

// --- helpers ---

type Source = Pick<Candidate, 'id' | 'artifact'>;

/** Where the values of a reference come from, one for each of them; empty for parameters. */
function sourcesOf(memory: RunMemory, { path: [root, name = '', output = ''] }: Reference, scope: Scope, picks: Picks): readonly Source[] {
  if (root === 'steps') {
    const files = artifactsOf(memory, name).filter((artifact) => artifact.output === output);
    return files.map((artifact) => ({ id: artifact.artifactId, artifact }));
  }
  const before = root === 'choices' ? memory.template.choices.find(({ into }) => into === name) : undefined;
  if (before === undefined) return [];
  const drawn = candidatesOf(memory, before, scope, picks);
  const all = drawn.kind === 'candidates' ? drawn.candidates : [];
  return (picks[name] ?? []).flatMap((id) => all.find((candidate) => candidate.id === id) ?? []);
}

function named(values: readonly Value[], sources: readonly Source[]): readonly Candidate[] {
  return values.map((value, index) => {
    const { id = `value-${String(index)}`, artifact } = sources[index] ?? {};
    return { id, value, ...(artifact === undefined ? {} : { artifact }) };
  });
}
