/** Which files a step hands to its backend: those of parameters, and those that other steps made. */
import type { CompiledStep, CompiledTemplate } from './compiled.ts';
import type { Placeholder } from './grammar.ts';
import { placeholdersOf } from './plan.ts';
import { MEDIA_TYPES } from './types.ts';
import type { ParameterDefinition, Values } from './types.ts';

export interface FileNeed {
  /** The parameter whose files go in; absent for files of other steps. */
  readonly parameter?: string;
  /** There is a file also when nothing is said of the parameter: it has a default, or must be given. */
  readonly isUsual: boolean;
}

export function fileNeeds(template: CompiledTemplate, step: CompiledStep): readonly FileNeed[] {
  const needs = new Map<string, FileNeed>();
  const read = (placeholder: Placeholder): void => {
    for (const { path } of placeholder.filters.length > 0 ? [] : placeholder.alternatives) {
      const [root = ''] = path;
      const definition = template.parameters.get(root);
      if (root === 'steps' || root === 'choices') needs.set(root, { isUsual: true });
      else if (definition !== undefined && isMedia(definition)) needs.set(root, { parameter: root, isUsual: definition.default !== null });
    }
  };
  const placeholders = [...step.sites, ...(step.lowMemory ?? [])].flatMap(placeholdersOf);
  placeholders.forEach(read);
  const takesItems = placeholders.some(({ alternatives }) => alternatives.some(({ path }) => path[0] === 'each'));
  if (takesItems && step.each !== undefined) read(step.each);
  return [...needs.values()];
}

/** With the values so far: whether there is a file. */
export function hasFile({ parameter, isUsual }: FileNeed, values: Values): boolean {
  if (parameter === undefined || !Object.hasOwn(values, parameter)) return isUsual;
  const value = values[parameter];
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}

function isMedia({ type, of }: ParameterDefinition): boolean {
  return MEDIA_TYPES.some((media) => media === type || media === of);
}
