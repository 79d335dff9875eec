/** Values as Python holds them: what a constant of a graph becomes there, and how a result is written so that Python reads the same. */
import { constantOf, pythonFloat, pythonInt } from '../input-values.ts';
import type { InputSpec } from '../node-classes.ts';
import type { JsonNode } from '../types.ts';
import { printJson } from '../values.ts';

export type PythonValue =
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'str'; readonly value: string }
  | { readonly type: 'bool'; readonly value: boolean };

export const int = (value: bigint): PythonValue => ({ type: 'int', value });
export const float = (value: number): PythonValue => ({ type: 'float', value });
export const str = (value: string): PythonValue => ({ type: 'str', value });
export const bool = (value: boolean): PythonValue => ({ type: 'bool', value });

/** What the server hands to the node after its coercions; undefined where it would refuse it, or where we are not sure. */
export function readConstant(node: JsonNode, { type, options, choices }: InputSpec): PythonValue | undefined {
  const value = constantOf(node);
  switch (type) {
    case 'INT': {
      const number = pythonInt(value);
      return number === undefined ? undefined : within(int(BigInt(number)), options);
    }
    case 'FLOAT': {
      const number = pythonFloat(value);
      return number === undefined || !Number.isFinite(number) ? undefined : within(float(number), options);
    }
    case 'STRING':
      return typeof value === 'string' ? str(value) : undefined;
    case 'BOOLEAN':
      return typeof value === 'boolean' ? bool(value) : undefined;
    case 'COMBO':
      return typeof value === 'string' && (choices?.includes(value) ?? false) ? str(value) : undefined;
    default:
      return isUncoerced(type) ? asWritten(node) : undefined;
  }
}

/** JSON text that Python reads as this value; undefined where the input would not take it as it is, or not with certainty. */
export function writeConstant(value: PythonValue, spec: InputSpec): string | undefined {
  const { type, choices } = spec;
  if (type === 'COMBO') return value.type === 'str' && (choices?.includes(value.value) ?? false) ? printJson(value.value) : undefined;
  const wanted = { INT: 'int', FLOAT: 'float', STRING: 'str', BOOLEAN: 'bool' }[type];
  if (wanted !== value.type || within(value, spec.options) === undefined) return undefined;
  return printPython(value);
}

/** A float keeps its point: without it Python would read an int. */
export function printPython(value: PythonValue): string | undefined {
  if (value.type === 'int') return value.value.toString();
  if (value.type !== 'float') return printJson(value.value);
  if (!Number.isFinite(value.value)) return undefined;
  if (Object.is(value.value, -0)) return '-0.0';
  const text = String(value.value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Python's truth of a value. */
export function isTruthy({ value }: PythonValue): boolean {
  return value !== 0n && value !== 0 && value !== '' && value !== false;
}

// --- helpers ---

/** Bounds hold for constants and not for what comes over a link. */
function within(value: PythonValue, { min, max }: InputSpec['options']): PythonValue | undefined {
  if (value.type !== 'int' && value.type !== 'float') return value;
  if ((typeof min === 'number' || typeof min === 'bigint') && value.value < min) return undefined;
  if ((typeof max === 'number' || typeof max === 'bigint') && value.value > max) return undefined;
  return value;
}

/** Of `*`, matched types and several types at once the server coerces nothing. */
function isUncoerced(type: string): boolean {
  return type === '*' || type === 'COMFY_MATCHTYPE_V3' || /^(?:FLOAT|INT|BOOLEAN|STRING)(?:,(?:FLOAT|INT|BOOLEAN|STRING))+$/.test(type);
}

/** As Python's JSON reader takes it: digits alone are an int. */
function asWritten(node: JsonNode): PythonValue | undefined {
  if (node.kind === 'string') return str(node.value);
  if (node.kind === 'boolean') return bool(node.value);
  if (node.kind !== 'number') return undefined;
  if (/^-?\d+$/.test(node.raw)) return int(BigInt(node.raw));
  const value = Number(node.raw);
  return Number.isFinite(value) ? float(value) : undefined;
}
