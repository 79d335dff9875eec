/** Choices of a parameter, and the model that it names by default, against the list of the input that it fills. */
import { isAmong, pythonFloat, pythonInt } from '#graph/input-values.ts';
import { isCustom } from '#graph/links.ts';
import { modelFolder, nearestModel } from '#graph/models.ts';
import type { InputSpec, NodeClass } from '#graph/node-classes.ts';
import { modelAdvice, modelKey, type Sources } from '#graph/sources.ts';
import type { JsonValue } from '#graph/types.ts';
import type { Given, SiteFinding } from './check-sites.ts';
import type { Site } from './compiled.ts';
import { healAmong } from './heal.ts';
import { choiceValues } from './parameter-schema.ts';
import { closest } from '#graph/suggest.ts';

/** An error when no choice would be taken, or not the one that is preset; else the form offers some that fail: a warning. */
export function choicesProblem({ text, parameter }: Given, site: Site, spec: InputSpec, nodeClass: NodeClass): SiteFinding | undefined {
  if (parameter?.definition.type !== 'choice') return undefined;
  const values = choiceValues(parameter.definition).filter((value) => typeof value === 'string' || typeof value === 'number');
  const refused = values.filter((value) => !taken(value, spec));
  if (refused.length === 0) return undefined;
  const preset = refused.some((value) => value === parameter.definition.default);
  const known = (spec.choices ?? []).filter((choice) => typeof choice === 'string');
  const offers = refused.slice(0, 5).flatMap((value) => {
    const near = closest(String(value), known);
    return near === undefined ? [] : [`"${near}" for "${value}"`];
  });
  const takes =
    spec.type === 'COMBO'
      ? `The input takes: ${known.slice(0, 10).join(', ')}${known.length > 10 ? ', …' : ''}.`
      : 'The input takes numbers.';
  return {
    code: 'TEMPLATE_PARAMETER_CHOICES',
    severity: (preset || refused.length === values.length) && !isCustom(nodeClass) ? 'error' : 'warning',
    message: `${text} offers ${refused
      .slice(0, 5)
      .map((value) => JSON.stringify(value))
      .join(
        ', ',
      )}${refused.length > 5 ? ` and ${refused.length - 5} more` : ''}, which input "${site.input}" of node ${site.node} (${site.classType}) does not take.`,
    hint: offers.length === 0 ? takes : `Did you mean ${offers.join(', ')}?`,
    parameter: parameter.name,
  };
}

/** A warning: another model can be chosen in the form. A name that the backend only spells otherwise is there. */
export function modelProblem(
  { text, parameter }: Given,
  { node, input, classType }: Site,
  spec: InputSpec,
  sources: Sources,
): SiteFinding | undefined {
  const { type, default: name, weighted } = parameter?.definition ?? {};
  if (parameter === undefined || type !== 'model' || weighted === true || typeof name !== 'string') return undefined;
  if (spec.type !== 'COMBO' || spec.choices === undefined || isOpen(spec)) return undefined;
  const known = spec.choices.filter((choice) => typeof choice === 'string');
  if (known.length !== spec.choices.length || healAmong(known, name) !== undefined) return undefined;
  const near = nearestModel(name, known);
  const advice = modelAdvice(name, sources.models.get(modelKey(name)), modelFolder(classType, input));
  return {
    code: 'MODEL_MISSING',
    severity: 'warning',
    message: `${text} is ${name} unless another is chosen, a model that the server does not have for input "${input}" of node ${node} (${classType}).`,
    hint: near === undefined ? advice : `Did you mean "${near}"? If not: ${advice}`,
    parameter: parameter.name,
  };
}

function taken(value: JsonValue, spec: InputSpec): boolean {
  if (spec.type === 'INT') return pythonInt(value) !== undefined;
  if (spec.type === 'FLOAT') return pythonFloat(value) !== undefined;
  if (spec.type !== 'COMBO' || spec.choices === undefined || isOpen(spec)) return true;
  return isAmong(value, spec.choices);
}

function isOpen({ options }: InputSpec): boolean {
  return (
    options['multiselect'] === true ||
    Object.keys(options).some((key) => key === 'remote' || key === 'remote_combo' || key.endsWith('_upload'))
  );
}
