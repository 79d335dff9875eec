/** Brings one given value into the canonical form of its parameter's type, or says in words why it cannot. */
import { choiceValues } from './parameter-schema.ts';
import type { ParameterDefinition, ParameterType } from './types.ts';
import { refuseWeighted } from './weighted.ts';

export type Plain = null | boolean | number | bigint | string | readonly Plain[];
export type Coerced = { readonly value: Plain } | { readonly expected: string };

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * JSON values and, since a command line has nothing else, unambiguous spellings: `12`, `true`, `[1, 2]`.
 * Integers are numbers within ±(2^53−1) and bigint beyond, colours `#rrggbb` or `#rrggbbaa` in lower case.
 */
export function coerce(definition: ParameterDefinition, given: unknown): Coerced {
  return coerceAs(definition, definition.type, given);
}

function coerceAs(definition: ParameterDefinition, type: ParameterType, given: unknown): Coerced {
  switch (type) {
    case 'string':
    case 'text':
      return typeof given === 'string' ? { value: given } : { expected: 'a text' };
    case 'integer':
    case 'seed':
      return integer(given);
    case 'number':
      return number(given);
    case 'boolean':
      if (given === true || given === 'true') return { value: true };
      return given === false || given === 'false' ? { value: false } : { expected: 'true or false' };
    case 'choice':
      return choice(definition, given);
    case 'color':
      return color(definition, given);
    case 'vector':
      return vector(definition, given);
    case 'list':
      return list(definition, given);
    case 'directory':
      return typeof given === 'string' ? { value: given } : { expected: 'the absolute path of a folder' };
    case 'model':
      return model(definition, given);
    default:
      return typeof given === 'string' ? { value: given } : { expected: 'the path of a file, or asset:ID' };
  }
}

function model({ weighted }: ParameterDefinition, given: unknown): Coerced {
  if (typeof given !== 'string') return { expected: 'the name of a model file' };
  const refused = weighted === true ? refuseWeighted(given) : undefined;
  if (refused === undefined) return { value: given };
  return { expected: `the name of a model file, with strengths as in "style.safetensors:0.8:0.5" (this one ${refused})` };
}

function integer(given: unknown): Coerced {
  const expected = 'a whole number (beyond 9007199254740991 as a decimal string)';
  if (typeof given === 'number') return Number.isSafeInteger(given) ? { value: given + 0 } : { expected };
  if (typeof given === 'string' && !/^-?\d{1,20}$/.test(given)) return { expected };
  if (typeof given !== 'string' && typeof given !== 'bigint') return { expected };
  const exact = BigInt(given);
  const near = Number(exact);
  return { value: Number.isSafeInteger(near) ? near : exact };
}

function number(given: unknown): Coerced {
  const value = typeof given === 'bigint' || (typeof given === 'string' && NUMBER.test(given)) ? Number(given) : given;
  return typeof value === 'number' && Number.isFinite(value) ? { value: value + 0 } : { expected: 'a number' };
}

function choice(definition: ParameterDefinition, given: unknown): Coerced {
  const values = choiceValues(definition);
  const found =
    values.find((value) => value === given) ?? (typeof given === 'string' ? values.find((value) => String(value) === given) : undefined);
  return found === undefined ? { expected: `one of ${values.map((value) => JSON.stringify(value)).join(', ')}` } : { value: found };
}

function color(definition: ParameterDefinition, given: unknown): Coerced {
  const alpha = definition.alpha === true;
  const expected = alpha ? 'a colour: "#rrggbbaa" or [r, g, b, a] from 0 to 1' : 'a colour: "#rrggbb" or [r, g, b] from 0 to 1';
  const parts = fromJson(given);
  let digits = '';
  if (Array.isArray(parts)) {
    if (parts.length < 3 || parts.length > 4) return { expected };
    for (const part of parts) {
      if (typeof part !== 'number' || !(part >= 0 && part <= 1)) return { expected };
      digits += Math.round(part * 255)
        .toString(16)
        .padStart(2, '0');
    }
  } else if (typeof given === 'string' && /^#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(given)) {
    digits = given.slice(1).toLowerCase();
    if (digits.length === 3) digits = digits.replaceAll(/./g, '$&$&');
  } else {
    return { expected };
  }
  if (alpha) return { value: `#${digits.padEnd(8, 'f')}` };
  return digits.length === 6 || digits.endsWith('ff')
    ? { value: `#${digits.slice(0, 6)}` }
    : { expected: `${expected} (this one has no alpha)` };
}

function vector(definition: ParameterDefinition, given: unknown): Coerced {
  const size = definition.size ?? 3;
  const expected = `${size} numbers, e.g. [${Array.from({ length: size }, (_, index) => index).join(', ')}]`;
  const parts =
    typeof given === 'string' && /^[^[\]]+,[^[\]]+$/.test(given) ? given.split(',').map((part) => part.trim()) : fromJson(given);
  if (!Array.isArray(parts)) return { expected };
  const values: Plain[] = [];
  for (const part of parts) {
    const coerced = number(part);
    if ('expected' in coerced) return { expected };
    values.push(coerced.value);
  }
  return { value: values };
}

function list(definition: ParameterDefinition, given: unknown): Coerced {
  const of = definition.of ?? 'string';
  const items = fromJson(given);
  if (!Array.isArray(items)) return { expected: 'a list, on a command line as JSON: ["one", "two"]' };
  const values: Plain[] = [];
  for (const [index, item] of items.entries()) {
    const coerced = coerceAs(definition, of, item);
    if ('expected' in coerced) return { expected: `${coerced.expected} as item ${index}` };
    values.push(coerced.value);
  }
  return { value: values };
}

/** The list that a text spells in JSON; integers beyond 2^53 are kept apart by quoting them. Anything else is given back. */
function fromJson(given: unknown): unknown {
  if (typeof given !== 'string' || !given.trimStart().startsWith('[')) return given;
  try {
    const exact = JSON.parse(given, (_, value: unknown, context?: { readonly source?: string }) => {
      const unsafe = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
      return unsafe && context?.source !== undefined && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
    }) as unknown;
    return exact;
  } catch {
    return given;
  }
}
