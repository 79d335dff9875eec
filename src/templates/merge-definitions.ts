/** One parameter for several inputs: the type that all of them take, bounds that suit all, a default within them. */
import { checkValue } from './parameters.ts';
import { choiceValues } from './parameter-schema.ts';
import type { ParameterDefinition } from './types.ts';

/** The first definition's words are kept; of two types that have nothing in common the first wins, as long as it is no plain text. */
export function mergeDefinitions(first: ParameterDefinition, second: ParameterDefinition): ParameterDefinition {
  const [left, right] = ranked(first, second);
  if (left.type === 'choice' && right.type === 'choice') {
    const other = choiceValues(right);
    const both = choiceValues(left).filter((value) => other.includes(value));
    return both.length === 0 ? left : withFittingDefault({ ...left, choices: both });
  }
  if (!isNumeric(left) || !isNumeric(right)) return left;
  const minimum = largest(left.minimum, right.minimum);
  const maximum = smallest(left.maximum, right.maximum);
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) return left;
  const whole = left.type === 'integer' || left.type === 'seed';
  return withFittingDefault({
    ...left,
    ...(minimum === undefined ? {} : { minimum: whole && typeof minimum === 'number' ? Math.ceil(minimum) : minimum }),
    ...(maximum === undefined ? {} : { maximum: whole && typeof maximum === 'number' ? Math.floor(maximum) : maximum }),
  });
}

const RANK = [
  'seed',
  'integer',
  'number',
  'choice',
  'boolean',
  'color',
  'image',
  'mask',
  'video',
  'audio',
  'model3d',
  'file',
  'model',
  'text',
  'string',
];
const isNumeric = ({ type }: ParameterDefinition): boolean => type === 'seed' || type === 'integer' || type === 'number';

/** Numbers among each other take the narrower type; a plain text gives way to anything; else the first stays first. */
function ranked(a: ParameterDefinition, b: ParameterDefinition): readonly [ParameterDefinition, ParameterDefinition] {
  if (b.type === 'list' && a.type !== 'list') return [b, a];
  const narrower = (isNumeric(a) && isNumeric(b)) || a.type === 'string' || (a.type === 'text' && b.type !== 'string');
  return narrower && RANK.indexOf(b.type) < RANK.indexOf(a.type) ? [b, a] : [a, b];
}

type Bound = number | bigint | undefined;
const largest = (a: Bound, b: Bound): Bound => (a === undefined || (b !== undefined && b > a) ? b : a);
const smallest = (a: Bound, b: Bound): Bound => (a === undefined || (b !== undefined && b < a) ? b : a);

/** Without a default that breaks the rules; null is one that means "not given". */
export function withFittingDefault(definition: ParameterDefinition): ParameterDefinition {
  const { default: given, ...rest } = definition;
  if (given === undefined || given === null || checkValue('default', definition, given).problems.length === 0) return definition;
  return rest;
}

/** As few rules less as the value needs to fit: a workflow may hold what no list knows. Undefined when the value is no single value. */
export function withDefault(definition: ParameterDefinition, value: unknown): ParameterDefinition | undefined {
  const { title, description, group, advanced } = definition;
  const words: Partial<ParameterDefinition> = {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(group === undefined ? {} : { group }),
    ...(advanced === undefined ? {} : { advanced }),
  };
  const fallback: ParameterDefinition['type'] | undefined =
    typeof value === 'boolean'
      ? 'boolean'
      : typeof value === 'string'
        ? 'text'
        : typeof value === 'bigint'
          ? 'integer'
          : typeof value === 'number'
            ? 'number'
            : undefined;
  if (fallback === undefined) return undefined;
  const { type } = definition;
  const candidates: readonly ParameterDefinition[] = [
    definition,
    ...(type === 'choice' ? [] : [{ ...words, type }]),
    { ...words, type: fallback },
  ];
  for (const candidate of candidates) {
    const full = { ...candidate, default: value };
    const checked = checkValue('default', full, value);
    // A text that spells a number would come out as one.
    if (checked.problems.length === 0 && typeof checked.value === typeof value) return full;
  }
  return undefined;
}
