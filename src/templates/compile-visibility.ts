/** Checks the conditions under which parameters are shown: readable, over parameters that exist, not over themselves. */
import { type CompileContext, countUse, report } from './compile-context.ts';
import { parseCondition } from './conditions.ts';
import type { Path } from './locate.ts';
import { closest } from '#graph/suggest.ts';
import type { ParameterDefinition } from './types.ts';
import { parametersRead, visibilityOrder } from './visibility.ts';

export function checkVisibility(context: CompileContext, parameters: ReadonlyMap<string, ParameterDefinition>): void {
  for (const [name, { visible }] of parameters) {
    if (visible === undefined) continue;
    const at: Path = ['parameters', name, 'visible'];
    const parsed = parseCondition(visible);
    if ('message' in parsed) {
      const hint = `${parsed.hint} In "visible" there are parameters only.`;
      report(context, at, 'TEMPLATE_CONDITION_INVALID', parsed.message, { parameter: name, hint });
      continue;
    }
    const other = parsed.condition.reads.find(([root]) => root !== 'params');
    if (other !== undefined) {
      const message = `"visible" cannot read ${other.join('.')}: a form is drawn before there are steps.`;
      report(context, at, 'TEMPLATE_CONDITION_INVALID', message, {
        parameter: name,
        hint: 'Use parameters only, e.g. params.mode == "video".',
      });
    }
    for (const read of parametersRead(parsed.condition)) {
      countUse(context, [read]);
      if (context.names.parameters.has(read)) continue;
      const near = closest(read, context.names.parameters.keys());
      const hint = near === undefined ? `Declare "${read}" under "parameters".` : `Did you mean params.${near}?`;
      report(context, at, 'TEMPLATE_REFERENCE_UNKNOWN', `params.${read} is not a parameter of this template.`, { parameter: name, hint });
    }
  }
  const { circle } = visibilityOrder(parameters);
  const [first] = circle;
  if (first === undefined) return;
  const message = `It cannot be decided which of these are shown, for their conditions wait for each other: ${circle.join(', ')}.`;
  report(context, ['parameters', first, 'visible'], 'TEMPLATE_VISIBLE_CYCLE', message, {
    parameter: first,
    hint: 'Let the condition of one of them read none of the others, nor itself.',
  });
}
