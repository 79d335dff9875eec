/** What a step asks of a backend, for the pool: whether it fits, and which models it would load. */
import type { CompiledTemplate } from '#templates/compiled.ts';
import { type BackendOffer, type Fit, stepFits } from '#templates/fits.ts';
import { needsOf } from '#templates/needs.ts';
import { modelsOf } from '#templates/step-models.ts';
import type { Values } from '#templates/types.ts';

export interface StepDemand {
  readonly models: readonly string[];
  readonly fit: (id: string) => Fit['verdict'];
}

/** Judged once for each thing that a backend says of itself. */
export function demandOf(template: CompiledTemplate, stepId: string, values: Values, offer: (id: string) => BackendOffer): StepDemand {
  const needs = needsOf(template);
  const step = needs.steps.find(({ id }) => id === stepId);
  if (step === undefined) return { models: [], fit: () => 'unknown' };
  const judged = new Map<string, { readonly offer: BackendOffer; readonly verdict: Fit['verdict'] }>();
  return {
    models: modelsOf(template, [stepId], values),
    fit(id) {
      const now = offer(id);
      const known = judged.get(id);
      if (known?.offer === now) return known.verdict;
      const { verdict } = stepFits(needs, step, now, values);
      judged.set(id, { offer: now, verdict });
      return verdict;
    },
  };
}

/** What the steps load with which a run of these values begins. */
export function firstModels(template: CompiledTemplate, values: Values): readonly string[] {
  const roots = template.steps.filter(({ waits }) => waits.length === 0).map(({ id }) => id);
  return modelsOf(template, roots, values);
}

/** A condition that names the backend is decided before one is chosen: the step then stays with the one that it was decided for. */
export function namesBackend(template: CompiledTemplate, stepId: string): boolean {
  const step = template.steps.find(({ id }) => id === stepId);
  return step?.when?.reads.some(([root]) => root === 'backend') ?? false;
}
