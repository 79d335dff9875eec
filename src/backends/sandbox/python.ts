/** Python's way of writing and converting values, where a client can see it in messages. */
import { isRecord, type Json } from './json.ts';

/** repr() */
export function pyRepr(value: Json | undefined): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') {
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
    return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`;
  }
  if (Array.isArray(value)) return `[${value.map(pyRepr).join(', ')}]`;
  if (isRecord(value))
    return `{${Object.entries(value)
      .map(([key, item]) => `${pyRepr(key)}: ${pyRepr(item)}`)
      .join(', ')}}`;
  return pyNumber(value);
}

/** str() */
export function pyStr(value: Json | undefined): string {
  return typeof value === 'string' ? value : pyRepr(value);
}

function pyNumber(value: number | bigint): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  return String(value);
}

/** int(): text must be digits, floats are cut. Throws with Python's message. */
export function pyInt(value: Json): number | bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') {
    if (Number.isNaN(value)) throw new Error('cannot convert float NaN to integer');
    if (!Number.isFinite(value)) throw new Error('cannot convert float infinity to integer');
    return exact(Math.trunc(value));
  }
  if (typeof value === 'string') {
    const digits = value.trim().replaceAll('_', '');
    if (!/^[+-]?\d+$/.test(digits)) throw new Error(`invalid literal for int() with base 10: ${pyRepr(value)}`);
    return exact(BigInt(digits.replace(/^\+/, '')));
  }
  throw new TypeError(`int() argument must be a string, a bytes-like object or a real number, not '${typeName(value)}'`);
}

/** float() */
export function pyFloat(value: Json): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') {
    const text = value.trim().toLowerCase();
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(text)) return Number(text);
    if (/^[+-]?(inf|infinity)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
    if (/^[+-]?nan$/.test(text)) return Number.NaN;
    throw new Error(`could not convert string to float: ${pyRepr(value)}`);
  }
  throw new TypeError(`float() argument must be a string or a real number, not '${typeName(value)}'`);
}

/** bool(): any text but the empty one is true, also "false". */
export function pyBool(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isRecord(value)) return Object.keys(value).length > 0;
  return Boolean(value);
}

function exact(value: number | bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : BigInt(value);
}

function typeName(value: Json): string {
  return value === null ? 'NoneType' : Array.isArray(value) ? 'list' : typeof value === 'object' ? 'dict' : typeof value;
}
