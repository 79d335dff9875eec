/** What a run was for: the manifest's outputs with their values and asset names. */
import type { Problem } from '#protocol/problem.ts';
import type { CompiledOutput, CompiledTemplate } from './compiled.ts';
import { applyFilters } from './filters.ts';
import { resolve } from './resolve.ts';
import type { Checked, Scope, Value } from './types.ts';

export interface RenderedOutput {
  readonly values: readonly Value[];
  /** What the values become in Blender. */
  readonly kind?: string;
  /** One for every value, where the manifest has a pattern. */
  readonly names?: readonly string[];
}

/** Every declared output, also of a run that failed: what a step did not give is an empty list. */
export function renderOutputs(template: CompiledTemplate, scope: Scope): Checked<Readonly<Record<string, RenderedOutput>>> {
  const problems: Problem[] = [];
  const outputs = [...template.outputs].map(([name, output]): [string, RenderedOutput] => {
    const resolved = resolve(output.from, scope, template);
    const given = resolved.kind === 'value' ? resolved.value : [];
    const values = Array.isArray(given) ? (given as readonly Value[]) : [given];
    if (resolved.kind === 'problem') {
      problems.push({
        code: 'OUTPUT_EMPTY',
        severity: 'warning',
        message: `The output "${name}" is empty: ${resolved.message}`,
        hint: resolved.hint,
      });
    }
    const names = output.name === undefined ? undefined : values.map((_, index) => nameOf(output.name, { ...scope, index }, template));
    return [name, { values, ...(output.kind === undefined ? {} : { kind: output.kind }), ...(names === undefined ? {} : { names }) }];
  });
  return { value: Object.fromEntries(outputs), problems };
}

/** A name is never worth a failure: what has no value in it is left out. */
function nameOf(pattern: CompiledOutput['name'], scope: Scope, template: CompiledTemplate): string {
  if (typeof pattern !== 'object') return pattern ?? '';
  return pattern.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const resolved = resolve(part, scope, template);
      const filtered = resolved.kind === 'value' ? applyFilters(resolved.value, part.filters) : undefined;
      if (filtered === undefined || 'message' in filtered) return '';
      return filtered.value;
    })
    .join('');
}
