/** The door: checks what a client gave for a template's parameters, fills in the rest, and stores and revives the result. */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import type { CompiledTemplate } from './compiled.ts';
import { isOptional, isRequired, valueSchema, wireForm } from './parameter-schema.ts';
import { coerce, type Plain } from './parameter-values.ts';
import { didYouMean } from '#graph/suggest.ts';
import {
  type Checked,
  MEDIA_TYPES,
  type MediaValue,
  type ParameterDefinition,
  type ParameterType,
  type Value,
  type Values,
} from './types.ts';
import { misfits } from './value-check.ts';
import { isShown, parametersRead, visibilityOrder, visibleWhen } from './visibility.ts';

export { parameterSchema } from './parameter-schema.ts';

export interface ParameterTools {
  /** 0 … 2^64−1, uniformly. */
  readonly drawSeed: () => bigint;
  /** Checks and hashes a file given as a path or `asset:ID`; throws a CallsheetError (PATH_NOT_ALLOWED, ASSET_NOT_FOUND …). */
  readonly resolveMedia: (value: string, definition: ParameterDefinition, name: string) => Promise<MediaValue>;
  /** Gives the real path of something inside an approved root; throws PATH_NOT_ALLOWED, FILE_NOT_FOUND. Nothing else is asked of the disk. */
  readonly resolveDirectory: (path: string) => Promise<string>;
}

type Typed = Pick<CompiledTemplate, 'parameters'>;

/** All problems at once; the value is set only when there is none. */
export async function checkParameters(
  template: Typed,
  given: Readonly<Record<string, unknown>>,
  tools: ParameterTools,
): Promise<Checked<Values>> {
  const problems: Problem[] = [];
  for (const name of Object.keys(given)) {
    if (template.parameters.has(name)) continue;
    const hint = didYouMean(name, template.parameters.keys(), 'parameters');
    problems.push({ code: 'PARAMETER_UNKNOWN', severity: 'error', message: `There is no parameter "${name}".`, hint, parameter: name });
  }
  const values = new Map<string, Value>();
  const { order, circle } = visibilityOrder(template.parameters);
  for (const name of [...order, ...circle]) {
    const definition = template.parameters.get(name);
    if (definition === undefined) continue;
    const own = Object.hasOwn(given, name) ? given[name] : undefined;
    const shown = visibility(name, definition, template.parameters, values, problems);
    if (shown === false && own !== undefined) problems.push(ignored(name, definition));
    const value = await checkOne(name, definition, shown === false ? undefined : own, tools, problems, shown ?? own !== undefined);
    if (value !== undefined) values.set(name, value);
  }
  const ordered = [...template.parameters.keys()].flatMap((name): [string, Value][] => {
    const value = values.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { value: problems.some(isBlocking) ? undefined : Object.fromEntries(ordered), problems };
}

/** Undefined when it cannot be said, because a value that decides it is wrong: then nothing is demanded either. */
function visibility(
  name: string,
  definition: ParameterDefinition,
  parameters: Typed['parameters'],
  values: ReadonlyMap<string, Value>,
  problems: Problem[],
): boolean | undefined {
  const condition = visibleWhen(definition);
  if (condition === undefined) return true;
  if (!parametersRead(condition).every((read) => values.has(read))) return undefined;
  const decided = isShown(condition, parameters, values);
  if ('shown' in decided) return decided.shown;
  const message = `Whether "${name}" is asked for cannot be decided for these values: ${decided.undecided}.`;
  problems.push({ code: 'PARAMETER_CONDITION', severity: 'error', message, hint: `It reads: ${condition.text}`, parameter: name });
  return undefined;
}

function ignored(name: string, { visible = '', default: fallback }: ParameterDefinition): Problem {
  const instead = fallback === undefined ? 'nothing' : describe(fallback);
  const message = `The value of "${name}" is not used, for with these values the parameter is hidden (${visible}); it is ${instead}.`;
  return { code: 'PARAMETER_HIDDEN', severity: 'warning', message, hint: `Leave "${name}" out, or change what hides it.`, parameter: name };
}

async function checkOne(
  name: string,
  definition: ParameterDefinition,
  given: unknown,
  tools: ParameterTools,
  problems: Problem[],
  demanded: boolean,
): Promise<Value | undefined> {
  if (given === undefined && isRequired(definition) && !demanded && definition.default === undefined) return null;
  if (given === undefined && isRequired(definition) && demanded) {
    const message = `The parameter "${name}" is needed.`;
    const about = definition.description ?? definition.title ?? `it is of type ${definition.type}`;
    const hint = `Give a value: ${about.replace(/[.!?]$/, '')}.`;
    problems.push({ code: 'PARAMETER_MISSING', severity: 'error', message, hint, parameter: name });
    return undefined;
  }
  if (given === undefined && definition.default === undefined) return drawn(definition, tools);
  const raw = given === undefined ? definition.default : given;
  if (raw === null && isOptional(definition)) return null;
  const checked = checkValue(name, definition, raw);
  problems.push(...checked.problems);
  if (checked.value === undefined) return undefined;
  return resolve(name, definition, checked.value, tools, problems);
}

/** A seed within the parameter's own bounds; the draw is uniform when the bounds are the whole range. */
function drawn(definition: ParameterDefinition, tools: ParameterTools): Value {
  const bounds = valueSchema(definition)['x-integer'];
  const minimum = BigInt(bounds?.minimum ?? 0);
  const step = BigInt(bounds?.multipleOf ?? 1);
  const maximum = BigInt(bounds?.maximum ?? 0);
  const first = minimum + ((step - (((minimum % step) + step) % step)) % step);
  const seed = first + (tools.drawSeed() % ((maximum - first) / step + 1n)) * step;
  return Number.isSafeInteger(Number(seed)) ? Number(seed) : seed;
}

/** Type and bounds of one value, without looking at files: the check that defaults go through as well. */
export function checkValue(name: string, definition: ParameterDefinition, raw: unknown): Checked<Plain> {
  const coerced = coerce(definition, raw);
  if ('expected' in coerced) {
    const message = `The parameter "${name}" must be ${coerced.expected}.`;
    const hint = `It was given ${describe(raw)}.`;
    const code = definition.type === 'choice' ? 'PARAMETER_OUT_OF_BOUNDS' : 'PARAMETER_TYPE';
    return { value: undefined, problems: [{ code, severity: 'error', message, hint, parameter: name }] };
  }
  const problems = misfits(valueSchema(definition), wireForm(coerced.value)).map(({ at, rule }): Problem => {
    const item = at.length === 0 ? '' : `, item ${at.join('.')},`;
    const message = `The parameter "${name}"${item} ${rule}.`;
    return { code: 'PARAMETER_OUT_OF_BOUNDS', severity: 'error', message, hint: `It was given ${describe(raw)}.`, parameter: name };
  });
  return { value: problems.length > 0 ? undefined : coerced.value, problems };
}

function describe(value: unknown): string {
  const text = JSON.stringify(wireForm(value)) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

async function resolve(
  name: string,
  definition: ParameterDefinition,
  value: Plain,
  tools: ParameterTools,
  problems: Problem[],
): Promise<Value | undefined> {
  const type: ParameterType = definition.type === 'list' ? (definition.of ?? 'string') : definition.type;
  const media = MEDIA_TYPES.some((each) => each === type);
  if (!media && type !== 'directory') return value;
  const resolveItem = async (item: Plain): Promise<Value | undefined> => {
    if (typeof item !== 'string') return item;
    const problem = media ? extensionProblem(name, definition, item) : await directoryProblem(name, item, tools);
    if (problem !== undefined) problems.push(problem);
    if (problem !== undefined || !media) return problem === undefined ? item : undefined;
    try {
      return await tools.resolveMedia(item, definition, name);
    } catch (error) {
      const { code, message, hint } = toErrorData(error);
      problems.push({ code, severity: 'error', message, ...(hint === undefined ? {} : { hint }), parameter: name });
      return undefined;
    }
  };
  if (!Array.isArray(value)) return resolveItem(value);
  const items: Value[] = [];
  for (const item of value as readonly Plain[]) {
    const resolved = await resolveItem(item);
    if (resolved !== undefined) items.push(resolved);
  }
  return items;
}

function extensionProblem(name: string, definition: ParameterDefinition, path: string): Problem | undefined {
  if (definition.extensions === undefined || path.startsWith('asset:')) return undefined;
  const wanted = definition.extensions.map((each) => each.replace(/^\./, '').toLowerCase());
  if (wanted.includes(path.slice(path.lastIndexOf('.') + 1).toLowerCase())) return undefined;
  const message = `The parameter "${name}" takes files of type ${wanted.join(', ')}.`;
  return { code: 'PARAMETER_OUT_OF_BOUNDS', severity: 'error', message, hint: `It was given ${describe(path)}.`, parameter: name };
}

async function directoryProblem(name: string, path: string, tools: ParameterTools): Promise<Problem | undefined> {
  const problem = (message: string, hint: string): Problem => ({
    code: 'PARAMETER_DIRECTORY',
    severity: 'error',
    message,
    hint,
    parameter: name,
  });
  if (!isAbsolute(path)) return problem(`The parameter "${name}" must be an absolute path.`, `It was given ${describe(path)}.`);
  try {
    if ((await stat(await tools.resolveDirectory(path))).isDirectory()) return undefined;
    return problem(`"${path}" is not a folder.`, `Give "${name}" the path of a folder.`);
  } catch (error) {
    if (error instanceof CallsheetError) {
      const { code, message, hint } = error.data;
      return { code, severity: 'error', message, ...(hint === undefined ? {} : { hint }), parameter: name };
    }
    return problem(`The folder "${path}" does not exist or cannot be read.`, `Create it, or give "${name}" another folder.`);
  }
}

/** JSON text with integers beyond ±(2^53−1) as decimal strings. `reviveParameters` is its exact inverse. */
export function storeParameters(values: Values): string {
  return JSON.stringify(wireForm(values));
}

/** Throws a SyntaxError when the text is not what `storeParameters` wrote. */
export function reviveParameters(template: Typed, text: string): Values {
  const stored: Readonly<Record<string, Value>> = JSON.parse(text);
  return Object.fromEntries(
    Object.entries(stored).map(([name, value]): [string, Value] => {
      const definition = template.parameters.get(name);
      return [name, definition === undefined ? value : revive(definition.type === 'list' ? definition.of : definition.type, value)];
    }),
  );
}

function revive(type: ParameterType | undefined, value: Value): Value {
  if (type !== 'integer' && type !== 'seed') return value;
  if (Array.isArray(value)) return value.map((item: Value) => revive(type, item));
  return typeof value === 'string' ? BigInt(value) : value;
}
