/** Which models steps load with the values of a run, by name. */
import type { CompiledTemplate } from './compiled.ts';
import { needsOf } from './needs.ts';
import type { Values } from './types.ts';

export function modelsOf(template: CompiledTemplate, steps: readonly string[], values: Values): readonly string[] {
  const needs = needsOf(template).steps.filter(({ id }) => steps.includes(id));
  const models = needs.flatMap((step) =>
    step.models.flatMap(({ name, parameter }) => {
      const value = name ?? (parameter === undefined ? undefined : values[parameter]);
      return typeof value === 'string' ? [value] : [];
    }),
  );
  return [...new Set(models)];
}
