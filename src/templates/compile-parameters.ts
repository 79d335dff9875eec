/** Checks the definitions of parameters: each field belongs to its type, bounds make sense, the default obeys its own rules. */
import type { Problem } from '#protocol/problem.ts';
import { checkBlenderHint } from './blender-hints.ts';
import { RESERVED_NAMES } from './environment.ts';
import { type Located, type Path, problemAt } from './locate.ts';
import { checkValue } from './parameters.ts';
import { choiceValues } from './parameter-schema.ts';
import { compilePattern } from './pattern.ts';
import { MEDIA_TYPES, type ParameterDefinition, type ParameterType, WIDGETS } from './types.ts';
import { refuseWorkflowPath } from './workflow-paths.ts';

type Field = keyof ParameterDefinition;

/** Which types a field means something for. Fields that are not listed belong to all. */
const FIELDS: readonly (readonly [Field, readonly ParameterType[]])[] = [
  ['minimum', ['integer', 'number', 'seed', 'vector']],
  ['maximum', ['integer', 'number', 'seed', 'vector']],
  ['multipleOf', ['integer', 'number', 'seed', 'vector']],
  ['minLength', ['string', 'text']],
  ['maxLength', ['string', 'text']],
  ['pattern', ['string', 'text']],
  ['choices', ['choice']],
  ['of', ['list']],
  ['minItems', ['list']],
  ['maxItems', ['list']],
  ['size', ['vector']],
  ['alpha', ['color']],
  ['folder', ['model']],
  ['weighted', ['model']],
  ['extensions', ['image', 'mask', 'video', 'audio', 'model3d', 'file']],
  ['step', ['integer', 'number', 'vector']],
  ['unit', ['integer', 'number', 'vector']],
];

export function checkDefinition(where: Located, name: string, definition: ParameterDefinition): Problem[] {
  const problems: Problem[] = [];
  const report = (field: string, code: string, message: string, hint: string, key = false): void => {
    const path: Path = ['parameters', name, field];
    problems.push(problemAt(where, path, code, message, { hint, parameter: name, key }));
  };
  const invalid = 'TEMPLATE_PARAMETER_INVALID';
  if (RESERVED_NAMES.includes(name) || name === '__proto__') {
    const message = `"${name}" cannot be the name of a parameter: it has a meaning of its own in placeholders.`;
    problems.push(
      problemAt(where, ['parameters', name], 'TEMPLATE_NAME_INVALID', message, {
        hint: 'Choose another name.',
        parameter: name,
        key: true,
      }),
    );
  }
  const types = definition.type === 'list' ? ['list', definition.of ?? 'string'] : [definition.type];
  for (const [field, allowed] of FIELDS) {
    if (definition[field] === undefined || allowed.some((type) => types.includes(type))) continue;
    const hint = `"${field}" belongs to ${allowed.join(', ')}. Remove it, or change the type.`;
    report(field, invalid, `A parameter of type ${definition.type} has no "${field}".`, hint, true);
  }
  const { widget } = definition;
  const widgets: readonly string[] = WIDGETS[definition.type];
  if (widget !== undefined && !widgets.includes(widget)) {
    report('widget', invalid, `A parameter of type ${definition.type} has no widget "${widget}".`, `It has ${widgets.join(', ')}.`);
  }
  if (widget === 'slider' && (definition.minimum === undefined || definition.maximum === undefined)) {
    report('widget', invalid, 'A slider needs both ends.', 'Add "minimum" and "maximum", or remove "widget".');
  }
  if (definition.blender !== undefined) {
    const finding = checkBlenderHint(definition.blender, definition.type);
    if (finding !== undefined) report('blender', 'TEMPLATE_PARAMETER_BLENDER', finding.message, finding.hint);
  }
  if (types.includes('choice') && definition.choices === undefined) {
    report('type', invalid, 'A choice needs "choices".', 'Add "choices": ["one", "two"].');
  }
  if (definition.type === 'list' && definition.of === undefined) {
    report('type', invalid, 'A list needs "of", the type of its items.', 'Add e.g. "of": "text".');
  }
  if (choiceValues(definition).some((value) => typeof value !== 'string' && !(Number.isSafeInteger(value) || Number.isFinite(value)))) {
    report('choices', invalid, 'A number among the choices is beyond ±(2^53−1).', 'Use texts, or a parameter of type integer.');
  }
  const values = (definition.choices ?? []).map((choice) => String(typeof choice === 'object' ? choice.value : choice));
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) report('choices', invalid, `The choice "${twice}" is there twice.`, 'Remove one of the two.');
  for (const [low, high] of [
    ['minimum', 'maximum'],
    ['minLength', 'maxLength'],
    ['minItems', 'maxItems'],
  ] as const) {
    const [from, to] = [definition[low], definition[high]];
    if (from !== undefined && to !== undefined && from > to) {
      report(low, invalid, `"${low}" (${from}) is greater than "${high}" (${to}): no value can fit.`, 'Exchange the two.');
    }
  }
  problems.push(...integerProblems(where, name, definition, types));
  if (definition.pattern !== undefined) {
    try {
      compilePattern(definition.pattern);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const hint = 'Patterns are RE2: no look-around, no back-references, bounded repeat counts.';
      report('pattern', 'TEMPLATE_PARAMETER_PATTERN', `The pattern cannot be used: ${reason}.`, hint);
    }
  }
  if (problems.length === 0) problems.push(...defaultProblems(where, name, definition));
  return problems;
}

function integerProblems(where: Located, name: string, definition: ParameterDefinition, types: readonly string[]): Problem[] {
  if (!types.includes('integer') && !types.includes('seed')) return [];
  const problems: Problem[] = [];
  for (const field of ['minimum', 'maximum', 'multipleOf'] as const) {
    const value = definition[field];
    if (value === undefined || Number.isSafeInteger(value) || (typeof value === 'bigint' && field !== 'multipleOf')) continue;
    const beyond = field === 'multipleOf' ? 'at most 2^53' : 'written in digits beyond 2^53';
    const message = `"${field}" of a whole number must be a whole number, and ${beyond}.`;
    problems.push(
      problemAt(where, ['parameters', name, field], 'TEMPLATE_PARAMETER_INVALID', message, {
        hint: 'Write it without a fraction or exponent.',
        parameter: name,
      }),
    );
  }
  const { minimum, maximum } = definition;
  const beyond =
    (minimum !== undefined && minimum < (types.includes('seed') ? 0 : -(2n ** 63n)) && 'minimum') ||
    (maximum !== undefined && maximum > 2n ** 64n - 1n && 'maximum');
  if (beyond !== false) {
    const message = `"${beyond}" lies outside what a backend can hold (${types.includes('seed') ? '0' : '-2^63'} to 2^64-1).`;
    problems.push(
      problemAt(where, ['parameters', name, beyond], 'TEMPLATE_PARAMETER_INVALID', message, {
        hint: 'Use a bound within it, or none.',
        parameter: name,
      }),
    );
  }
  return problems;
}

/** A file given as default lies beside the manifest, so that the template can be carried elsewhere. */
function defaultPathProblem({
  type,
  of,
  default: given,
}: ParameterDefinition): { readonly message: string; readonly hint: string } | undefined {
  const kind = type === 'list' ? of : type;
  if (!MEDIA_TYPES.some((media) => media === kind)) return undefined;
  for (const path of Array.isArray(given) ? (given as readonly unknown[]) : [given]) {
    if (typeof path !== 'string' || path.startsWith('asset:') || /^(?:\/|[A-Za-z]:[\\/])/.test(path)) continue;
    const refused = refuseWorkflowPath(path);
    const hint = 'Put the file into the folder of the template and write its name, with / between folders.';
    if (refused !== undefined) return { message: `The default "${path}" cannot be used: it ${refused}.`, hint };
  }
  return undefined;
}

function defaultProblems(where: Located, name: string, definition: ParameterDefinition): Problem[] {
  if (definition.default === undefined || definition.default === null) return [];
  const path = defaultPathProblem(definition);
  if (path !== undefined) {
    return [
      problemAt(where, ['parameters', name, 'default'], 'TEMPLATE_PARAMETER_DEFAULT', path.message, { hint: path.hint, parameter: name }),
    ];
  }
  return checkValue(name, definition, definition.default).problems.map(({ message, hint }) => {
    const cure = hint === undefined ? 'Change the default or the rule.' : `${hint} Change the default or the rule.`;
    return problemAt(where, ['parameters', name, 'default'], 'TEMPLATE_PARAMETER_DEFAULT', `The default breaks its own rule. ${message}`, {
      hint: cure,
      parameter: name,
    });
  });
}
