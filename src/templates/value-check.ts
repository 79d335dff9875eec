/** Compiles parameter schemas with ajv, in the linear-time pattern engine, and says what is wrong in words. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { IntegerBounds, ParameterSchema } from './parameter-schema.ts';
import { compilePattern, isPatternWorkSpent, refillPatternWork } from './pattern.ts';

const MAX_CACHED = 1000;
const cache = new Map<string, ValidateFunction>();

const engine = Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' });

function integerWithin(bounds: IntegerBounds, data: unknown): boolean {
  // What is no whole number at all is the business of `type` and `pattern`.
  if (typeof data !== 'string' && typeof data !== 'number') return true;
  if (typeof data === 'string' ? !/^-?\d{1,20}$/.test(data) : !Number.isSafeInteger(data)) return true;
  const value = BigInt(data);
  if (value < BigInt(bounds.minimum) || value > BigInt(bounds.maximum)) return false;
  return bounds.multipleOf === undefined || value % BigInt(bounds.multipleOf) === 0n;
}

let shared: Ajv | undefined;

function ajv(): Ajv {
  if (shared !== undefined) return shared;
  shared = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    multipleOfPrecision: 9,
    meta: false,
    validateSchema: false,
    code: { regExp: engine },
  });
  shared.addKeyword({ keyword: 'x-callsheet', valid: true });
  shared.addKeyword({ keyword: 'x-integer', type: ['number', 'string'], validate: integerWithin, errors: false });
  return shared;
}

/** ajv keeps every schema it has seen; ours are kept in our own bounded cache. */
function compileSchema(schema: ParameterSchema): ValidateFunction {
  const validate = ajv().compile(schema);
  ajv().removeSchema(schema);
  return validate;
}

/** What does not fit, each as `at` (indexes into a list, empty for the value itself) and a rule in words. Compiled once per distinct schema. */
export function misfits(schema: ParameterSchema, value: unknown): readonly { readonly at: readonly number[]; readonly rule: string }[] {
  const key = JSON.stringify(schema);
  let validate = cache.get(key);
  if (validate === undefined) {
    validate = compileSchema(schema);
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(key, validate);
  }
  refillPatternWork();
  if (validate(value)) return [];
  const errors = validate.errors ?? [];
  const exact = errors.filter((error) => error.keyword === 'x-integer').map((error) => error.instancePath);
  return errors
    .filter((error) => error.keyword === 'x-integer' || !exact.includes(error.instancePath))
    .map((error) => ({ at: error.instancePath.split('/').slice(1).map(Number), rule: inWords(error, schema) }));
}

function inWords(error: ErrorObject, schema: ParameterSchema): string {
  const limit = String(error.params.limit);
  switch (error.keyword) {
    case 'x-integer': {
      const bounds = schema['x-integer'] ?? schema.items?.['x-integer'];
      const multiple = bounds?.multipleOf === undefined ? '' : ` and a multiple of ${bounds.multipleOf}`;
      return `must be from ${bounds?.minimum} to ${bounds?.maximum}${multiple}`;
    }
    case 'minimum':
      return `must be at least ${limit}`;
    case 'maximum':
      return `must be at most ${limit}`;
    case 'multipleOf':
      return `must be a multiple of ${String(error.params.multipleOf)}`;
    case 'minLength':
      return `must have at least ${limit} character${limit === '1' ? '' : 's'}`;
    case 'maxLength':
      return `must have at most ${limit} characters`;
    case 'minItems':
      return `must have at least ${limit} item${limit === '1' ? '' : 's'}`;
    case 'maxItems':
      return `must have at most ${limit} item${limit === '1' ? '' : 's'}`;
    case 'pattern':
      if (isPatternWorkSpent())
        return `must be shorter: holding it against the pattern ${String(error.params.pattern)} would take too long`;
      return `must match the pattern ${String(error.params.pattern)}`;
    case 'enum':
      return `must be one of ${(Array.isArray(error.params.allowedValues) ? error.params.allowedValues : []).map((each) => JSON.stringify(each)).join(', ')}`;
    default:
      return error.message ?? 'does not fit';
  }
}
