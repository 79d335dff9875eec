/** Constants as a ComfyUI server reads them: what Python makes of a JSON value, and whether it is in bounds or in a list. */
import { isRecord } from './node-classes.ts';
import type { JsonNode, JsonValue } from './types.ts';
import { toValue } from './values.ts';

/** `{"__value__": x}` stands for x; everything else for itself. */
export function constantOf(node: JsonNode): JsonValue {
  const value = toValue(node);
  const wrapped = isRecord(value) && Object.hasOwn(value, '__value__') ? value['__value__'] : undefined;
  return wrapped === undefined ? value : wrapped;
}

/** Python's int(x): undefined where it raises. Texts may have spaces around and single underscores between digits. */
export function pythonInt(value: JsonValue): number | bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (!/^[+-]?\d+(?:_\d+)*$/.test(text) || text.length > 4300) return undefined;
  const digits = text.replaceAll('_', '').replace(/^\+/, '');
  return digits.startsWith('-') ? -BigInt(digits.slice(1)) : BigInt(digits);
}

/** Python's float(x): undefined where it raises. */
export function pythonFloat(value: JsonValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') return undefined;
  const text = value
    .trim()
    .toLowerCase()
    .replace(/(?<=\d)_(?=\d)/g, '');
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(text)) return Number(text);
  const special = /^([+-]?)(inf(?:inity)?|nan)$/.exec(text);
  if (special === null) return undefined;
  if (special[2] === 'nan') return Number.NaN;
  return special[1] === '-' ? -Infinity : Infinity;
}

/** Python's `x in list` for what combos hold: numbers compare by value and true is 1; lists and objects never match here. */
export function isAmong(value: JsonValue, choices: readonly JsonValue[]): boolean {
  const wanted = comparable(value);
  return choices.some((choice) => comparable(choice) === wanted && wanted !== undefined);
}

function comparable(value: JsonValue): string | undefined {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'boolean') return `n${value ? 1 : 0}`;
  if (typeof value === 'number' || typeof value === 'bigint') return `n${value}`;
  return value === null ? 'null' : undefined;
}
