/** Parameters from the command line and from a file, as they go into `run/start`: exact, with paths made absolute. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseJson } from '#graph/json.ts';
import type { WireValue } from '#graph/types.ts';
import { toValue, toWire } from '#graph/values.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking } from '#protocol/problem.ts';
import { MEDIA_TYPES } from '#templates/types.ts';
import { errorCode } from './error-code.ts';
import { type Arguments, type OptionTable, UsageError } from './command.ts';

export const PARAMETER_OPTIONS: OptionTable = {
  param: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: 'NAME=VALUE',
    help: 'one parameter; a list is given item by item or as JSON',
  },
  params: { type: 'string', value: 'FILE', help: 'parameters as a JSON object; 64-bit integers are read exactly' },
};

/** What `template/get` says of a parameter, as far as the command line needs it. */
export interface KnownParameter {
  readonly type?: unknown;
  readonly of?: unknown;
}
export type KnownParameters = Readonly<Record<string, KnownParameter>>;

const PATH_TYPES: ReadonlySet<unknown> = new Set([...MEDIA_TYPES, 'directory']);

/** `-p` wins over the file. Throws UsageError for a `-p` without a name, CallsheetError for a file that can not be read. */
export function givenParameters(args: Arguments, known: KnownParameters, cwd: string): Record<string, WireValue> {
  const file = args.text('params');
  const given = new Map<string, WireValue>(file === undefined ? [] : Object.entries(readParameters(resolve(cwd, file), file)));
  for (const [name, texts] of byName(args.texts('param'))) given.set(name, fromTexts(name, texts, known[name]));
  const entries = [...given].map(([name, value]) => [name, absolute(value, known[name], cwd)] as const);
  return Object.fromEntries(entries);
}

// --- helpers ---

function byName(options: readonly string[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const option of options) {
    const at = option.indexOf('=');
    if (at < 1) throw new UsageError(`Option -p needs NAME=VALUE, got "${option}".`);
    const name = option.slice(0, at);
    names.set(name, [...(names.get(name) ?? []), option.slice(at + 1)]);
  }
  return names;
}

/** Texts stay texts: the daemon reads them by the parameter's type. Only a list is gathered here. */
function fromTexts(name: string, texts: readonly string[], known: KnownParameter | undefined): WireValue {
  const [first = ''] = texts;
  if (known?.type === 'list') return texts.length === 1 && first.trimStart().startsWith('[') ? first : texts;
  if (texts.length > 1) throw new UsageError(`Parameter "${name}" was given ${texts.length} times; it takes one value.`);
  return first;
}

function absolute(value: WireValue, known: KnownParameter | undefined, cwd: string): WireValue {
  if (known === undefined) return value;
  const type = known.type === 'list' ? known.of : known.type;
  if (!PATH_TYPES.has(type)) return value;
  const one = (item: WireValue): WireValue =>
    typeof item === 'string' && item !== '' && !item.startsWith('asset:') ? resolve(cwd, item) : item;
  if (Array.isArray(value)) return value.map(one);
  if (known.type !== 'list' || typeof value !== 'string') return one(value);
  const { root, problems } = parseJson(value);
  return root?.kind === 'array' && !problems.some(isBlocking) ? root.items.map((item) => one(toWire(toValue(item)))) : value;
}

function readParameters(path: string, shown: string): Readonly<Record<string, WireValue>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`Option --params: the file ${shown} could not be read (${errorCode(error)}).`);
  }
  const { root, problems } = parseJson(text, { file: shown });
  if (root === undefined || problems.some(isBlocking)) {
    throw new CallsheetError('PARAMETERS_INVALID', `The parameter file ${shown} is not usable JSON.`, { problems });
  }
  const value = toWire(toValue(root));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CallsheetError('PARAMETERS_INVALID', `The parameter file ${shown} must hold one JSON object.`, {
      hint: 'For example: {"prompt": "a fox", "seed": 7}',
    });
  }
  return value as Readonly<Record<string, WireValue>>;
}
