/** From a placeholder to its value inside a run. */
import type { CompiledTemplate } from './compiled.ts';
import { applyFilters } from './filters.ts';
import type { Placeholder, Reference } from './grammar.ts';
import type { Scope, Value } from './types.ts';

export type Resolved =
  | { readonly kind: 'value'; readonly value: Value }
  /** An optional parameter that was not given, or (`skipped`) an output of a step that was skipped. */
  | { readonly kind: 'null'; readonly skipped: boolean; readonly reason: string }
  | { readonly kind: 'problem'; readonly code: string; readonly message: string; readonly hint: string };

type Steps = Pick<CompiledTemplate, 'steps' | 'manifest'>;

/** The first alternative that is not null, filters not applied. */
export function resolve(placeholder: Placeholder, scope: Scope, template: Steps): Resolved {
  let last: Resolved | undefined;
  for (const reference of placeholder.alternatives) {
    last = resolveReference(reference, scope, template);
    if (last.kind !== 'null') return last;
  }
  return last ?? { kind: 'null', skipped: false, reason: 'nothing was named' };
}

/** As `resolve`, then the filters. Null stays null. */
export function resolveFiltered(placeholder: Placeholder, scope: Scope, template: Steps): Resolved {
  const resolved = resolve(placeholder, scope, template);
  if (resolved.kind !== 'value' || placeholder.filters.length === 0) return resolved;
  const filtered = applyFilters(resolved.value, placeholder.filters);
  if ('value' in filtered) return { kind: 'value', value: filtered.value };
  const hint = 'Take one item with [0], or leave the filter out.';
  return { kind: 'problem', code: 'STEP_FILTER', message: `${placeholder.text}: ${filtered.message}.`, hint };
}

function resolveReference(reference: Reference, scope: Scope, template: Steps): Resolved {
  const found = lookUp(reference, scope, template);
  if (found.kind !== 'value' || reference.at === undefined) return found;
  const items = Array.isArray(found.value) ? (found.value as readonly Value[]) : [found.value];
  const item = items[reference.at];
  if (item !== undefined) return { kind: 'value', value: item };
  const has = items.length === 1 ? 'one item' : `${items.length} items`;
  return missing(`{${reference.text}} does not exist: there ${items.length === 1 ? 'is' : 'are'} ${has}, counted from 0.`);
}

function lookUp({ path, text }: Reference, scope: Scope, template: Steps): Resolved {
  const [root = '', name = '', output = ''] = path;
  if (path.length === 1) {
    if (root === 'index') return { kind: 'value', value: scope.index ?? 0 };
    const value = root === 'each' ? scope.each : own(scope.params, root);
    if (value === undefined) return missing(`{${text}} has no value here.`);
    return value === null ? { kind: 'null', skipped: false, reason: `the parameter "${root}" is not given` } : { kind: 'value', value };
  }
  if (root === 'choices') {
    const picked = own(scope.choices, name);
    if (picked === undefined) return missing(`The choice "${name}" has not been made.`);
    return picked === null
      ? { kind: 'null', skipped: true, reason: `the choice "${name}" was left out` }
      : { kind: 'value', value: picked };
  }
  const outputs = own(scope.steps, name);
  if (outputs === undefined) return missing(`Step "${name}" has no result.`);
  if (outputs === null) return { kind: 'null', skipped: true, reason: `step "${name}" was skipped` };
  const values = own(outputs, output);
  if (values === undefined) return missing(`Step "${name}" has no output "${output}".`);
  const [only] = values;
  const single = values.length === 1 && only !== undefined && !fansOut(name, template);
  return { kind: 'value', value: single ? only : values };
}

function fansOut(id: string, template: Steps): boolean {
  return template.manifest.steps.find((step) => step.id === id)?.each !== undefined;
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function missing(message: string): Resolved {
  return { kind: 'problem', code: 'STEP_REFERENCE_MISSING', message, hint: 'Look at what the steps before it gave.' };
}
