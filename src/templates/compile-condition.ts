/** Checks one CEL condition of a step: readable, and every name in it declared. */
import { type CompileContext, report } from './compile-context.ts';
import { type Condition, parseCondition } from './conditions.ts';
import { explainUnknown, kindOfPath } from './environment.ts';
import type { Reference } from './grammar.ts';
import type { Path } from './locate.ts';
import { closest } from '#graph/suggest.ts';

/** `at` is where the text stands in the manifest; `uses` is told of everything that it reads. */
export function compileCondition(
  context: CompileContext,
  text: string,
  at: Path,
  step: string,
  uses: (reference: Reference) => void,
): Condition | undefined {
  const parsed = parseCondition(text);
  if ('message' in parsed) {
    report(context, at, 'TEMPLATE_CONDITION_INVALID', parsed.message, { step, hint: parsed.hint });
    return undefined;
  }
  for (const [root = '', name = '', field = ''] of parsed.condition.reads) {
    if (root === 'backend') {
      if (name === 'id' || name === 'kind') continue;
      const message = `The backend has no "${name}" in conditions.`;
      report(context, at, 'TEMPLATE_REFERENCE_UNKNOWN', message, { step, hint: 'There are backend.id and backend.kind.' });
      continue;
    }
    const reference = root === 'params' ? [name] : root === 'choices' ? [root, name] : [root, name, field];
    uses({ path: reference, text: reference.join('.') });
    if (root === 'params') {
      const { parameters } = context.names;
      const near = closest(name, parameters.keys());
      const hint = near === undefined ? `Declare "${name}" under "parameters".` : `Did you mean params.${near}?`;
      const message = `params.${name} is not a parameter of this template.`;
      if (!parameters.has(name)) report(context, at, 'TEMPLATE_REFERENCE_UNKNOWN', message, { step, hint });
      continue;
    }
    if (kindOfPath(reference, context.names) !== undefined) continue;
    const unknown = explainUnknown({ path: reference, text: reference.join('.') }, context.names);
    const spell = (written: string): string => written.replaceAll(/\{([^{}]*)\}/g, '$1');
    report(context, at, 'TEMPLATE_REFERENCE_UNKNOWN', spell(unknown.message), { step, hint: spell(unknown.hint) });
  }
  return parsed.condition;
}
