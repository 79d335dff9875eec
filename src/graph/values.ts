/** Values out of positioned JSON and back into text, exactly: 64-bit integers, NaN and infinities survive. */
import type { JsonNode, JsonValue, WireValue } from './types.ts';

const NOT_INTEGER = /[.eENI]/;

/**
 * The number that a spelling stands for: bigint for integers beyond ±(2^53−1), everything else as JSON.parse reads it,
 * plus Python's NaN and infinities.
 */
export function toNumber(raw: string): number | bigint {
  const value = Number(raw);
  if (Number.isSafeInteger(value) || raw.length < 16 || NOT_INTEGER.test(raw)) return value;
  return BigInt(raw);
}

/** A plain value. Keys such as `__proto__` become own properties; of duplicate keys the last one counts. */
export function toValue(node: JsonNode): JsonValue {
  switch (node.kind) {
    case 'string':
    case 'boolean':
      return node.value;
    case 'null':
      return null;
    case 'number':
      return toNumber(node.raw);
    case 'array':
      return node.items.map(toValue);
    default: {
      const object: Record<string, JsonValue> = {};
      for (const { key, value } of node.members) setOwn(object, key.value, toValue(value));
      return object;
    }
  }
}

/** Assigns an own property whatever its name: a plain assignment to `__proto__` would set the prototype instead. */
export function setOwn<T>(object: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/**
 * The text of a value, on one line without spaces. Reading it again gives the same value: bigint as digits, -0 as `-0`,
 * NaN and infinities as Python (and so ComfyUI) spells them.
 */
export function printJson(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return printNumber(value);
    default: {
      if (value === null) return 'null';
      if (isList(value)) return `[${value.map(printJson).join(',')}]`;
      const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${printJson(item)}`);
      return `{${members.join(',')}}`;
    }
  }
}

/** A double beyond 2^53 keeps its point, for without it its digits would be read as an exact integer. */
function printNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  return Number.isInteger(value) && !Number.isSafeInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

/**
 * A value that plain JSON can carry (DESIGN 7): integers beyond ±(2^53−1) as decimal strings, NaN and infinities as the
 * strings "NaN", "Infinity" and "-Infinity".
 */
export function toWire(value: JsonValue): WireValue {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(toWire);
  const object: Record<string, WireValue> = {};
  for (const [key, item] of Object.entries(value)) setOwn(object, key, toWire(item));
  return object;
}

/** Array.isArray loses the element type of readonly lists. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
