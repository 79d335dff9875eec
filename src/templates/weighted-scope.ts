/** What placeholders see of parameters whose names carry strengths: the names alone. Only a stack of LoRAs takes the strengths. */
import type { CompiledStep, CompiledTemplate } from './compiled.ts';
import type { Scope, Value } from './types.ts';
import { parseWeighted } from './weighted.ts';

export function namesOnly(template: CompiledTemplate, step: CompiledStep, scope: Scope): Scope {
  const weighted = [...template.parameters].filter(([, definition]) => definition.weighted === true).map(([name]) => name);
  if (weighted.length === 0) return scope;
  const params = weighted.flatMap((name): [string, Value][] => {
    const value = Object.hasOwn(scope.params, name) ? scope.params[name] : undefined;
    return value === undefined ? [] : [[name, nameIn(value)]];
  });
  const { each } = scope;
  const fromWeighted = step.each?.alternatives.every(({ path }) => path.length === 1 && weighted.includes(path[0] ?? '')) === true;
  const item = each === undefined || !fromWeighted ? {} : { each: nameIn(each) };
  return { ...scope, ...item, params: { ...scope.params, ...Object.fromEntries(params) } };
}

function nameIn(value: Value): Value {
  if (typeof value === 'string') return parseWeighted(value).name;
  return Array.isArray(value) ? value.map((item: Value) => nameIn(item)) : value;
}
