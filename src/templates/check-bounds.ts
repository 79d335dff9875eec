/** Bounds of a parameter against those of the input that it fills. */
import type { InputSpec } from '#graph/node-classes.ts';
import type { JsonValue } from '#graph/types.ts';
import type { Given, SiteFinding } from './check-sites.ts';
import type { Site } from './compiled.ts';
import type { ParameterDefinition } from './types.ts';

/** A parameter that lets through what the server will refuse: found by the person who chose such a value, not by the author. */
export function boundsProblem({ text, parameter }: Given, site: Site, spec: InputSpec): SiteFinding | undefined {
  if (parameter === undefined || (spec.type !== 'INT' && spec.type !== 'FLOAT')) return undefined;
  const { definition, name } = parameter;
  if (definition.type !== 'integer' && definition.type !== 'number' && definition.type !== 'seed') return undefined;
  const [low, high] = rangeOf(definition);
  const [min, max] = [bound(spec.options['min']), bound(spec.options['max'])];
  const below = min !== undefined && (low === undefined || low < min);
  const above = max !== undefined && (high === undefined || high > max);
  if (!below && !above) return undefined;
  const cure = [below ? `"minimum": ${min}` : '', above ? `"maximum": ${max}` : ''].filter((part) => part !== '').join(' and ');
  return {
    code: 'TEMPLATE_PARAMETER_BOUNDS',
    severity: 'warning',
    message: `${text} takes ${range(low, high)}, but input "${site.input}" of node ${site.node} (${site.classType}) only ${range(min, max)}.`,
    hint: `Give the parameter ${cure}.`,
    parameter: name,
  };
}

type Bound = number | bigint | undefined;

function rangeOf({ type, minimum, maximum }: ParameterDefinition): readonly [Bound, Bound] {
  return type === 'seed' ? [minimum ?? 0, maximum ?? 2n ** 64n - 1n] : [minimum, maximum];
}

/** Infinite and undefined bounds bind nothing. */
function bound(value: JsonValue | undefined): Bound {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value)) ? value : undefined;
}

function range(low: Bound, high: Bound): string {
  if (low === undefined && high === undefined) return 'any number';
  if (low === undefined) return `up to ${high}`;
  return high === undefined ? `${low} and more` : `${low} to ${high}`;
}
