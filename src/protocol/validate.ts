/** Checks params against the method table. Ajv is loaded at the first call, so that start-up does not pay for it. */
import type { ErrorObject, ValidateFunction } from 'ajv';
import { distance } from 'fastest-levenshtein';
import { CallsheetError } from './errors.ts';
import type { Method } from './methods/define.ts';
import type { Problem } from './problem.ts';

export interface ParamsValidator {
  /** Throws INVALID_PARAMS with one problem for each misfit. */
  check(method: Pick<Method<unknown, unknown>, 'name' | 'params'>, params: Readonly<Record<string, unknown>>): Promise<void>;
}

const MAX_PROBLEMS = 50;

export function createValidator(): ParamsValidator {
  const compiled = new Map<string, ValidateFunction>();
  let ready: Promise<(schema: object) => ValidateFunction> | undefined;

  return {
    async check(method, params) {
      const compile = await (ready ??= load());
      let validate = compiled.get(method.name);
      if (validate === undefined) {
        validate = compile(method.params.json);
        compiled.set(method.name, validate);
      }
      if (validate(params)) return;
      const problems = (validate.errors ?? []).slice(0, MAX_PROBLEMS).map((error) => toProblem(error));
      const first = problems[0];
      throw new CallsheetError('INVALID_PARAMS', `The params do not fit ${method.name}: ${first?.message ?? 'misfit'}`, {
        problems,
        ...(first?.hint === undefined ? {} : { hint: first.hint }),
      });
    },
  };
}

// --- helpers ---

async function load(): Promise<(schema: object) => ValidateFunction> {
  const { Ajv } = await import('ajv');
  // That our own schemas are schemas is tested; the first call of each daemon need not wait for the proof.
  const quick = { meta: false, validateSchema: false };
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, ownProperties: true, addUsedSchema: false, ...quick });
  return (schema) => ajv.compile(schema);
}

function toProblem(error: ErrorObject): Problem {
  const params = error.params as Readonly<Record<string, unknown>>;
  const where = error.instancePath;
  const base = { code: 'PARAMS_INVALID', severity: 'error' } as const;
  if (error.keyword === 'additionalProperties') {
    const name = clip(String(params['additionalProperty']));
    const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {});
    return { ...base, message: `Unknown member "${name}".`, pointer: `${where}/${escapePointer(name)}`, hint: suggest(name, known) };
  }
  if (error.keyword === 'required') {
    const name = String(params['missingProperty']);
    return { ...base, message: `The member "${name}" is missing.`, pointer: `${where}/${escapePointer(name)}` };
  }
  const place = where === '' ? 'The params' : `"${where.slice(1)}"`;
  const choices = params['allowedValues'];
  const rule = Array.isArray(choices) ? `must be one of ${choices.join(', ')}` : ruleOf(error.keyword, params['type'], error.message);
  return { ...base, message: `${place} ${rule}.`, pointer: where };
}

/** ajv's sentences, but for types: `must be an object`. */
function ruleOf(keyword: string, type: unknown, message: string | undefined): string {
  if (keyword !== 'type' || typeof type !== 'string') return message ?? 'does not fit';
  return `must be ${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

function suggest(name: string, known: readonly string[]): string {
  const near = known.map((word) => ({ word, far: distance(word, name) })).toSorted((a, b) => a.far - b.far)[0];
  if (near !== undefined && near.far <= Math.max(2, Math.floor(name.length / 3))) return `Did you mean "${near.word}"?`;
  return known.length === 0 ? 'This method takes no params.' : `Known members: ${known.join(', ')}.`;
}

function clip(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 64)}…`;
}

function escapePointer(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}
