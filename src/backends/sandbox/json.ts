/** JSON as ComfyUI's Python reads and writes it: bare NaN and Infinity are tolerated, 64-bit integers stay exact. */
import { parseJson } from '#graph/json.ts';
import type { JsonNode } from '#graph/types.ts';

/** Mutable twin of the graph room's JsonValue: validation coerces inputs in place, as ComfyUI does. */
export type Json = null | boolean | number | bigint | string | Json[] | JsonRecord;
export interface JsonRecord {
  [key: string]: Json;
}

/** Returns undefined when the text is not JSON; of duplicate keys the last one counts, as in Python. */
export function readJson(text: string): Json | undefined {
  const { root } = parseJson(text);
  return root === undefined ? undefined : toJson(root);
}

function toJson(node: JsonNode): Json {
  switch (node.kind) {
    case 'object': {
      return Object.fromEntries(node.members.map(({ key, value }): [string, Json] => [key.value, toJson(value)]));
    }
    case 'array':
      return node.items.map(toJson);
    case 'number':
      return toNumber(node.raw);
    case 'string':
    case 'boolean':
      return node.value;
    default:
      return null;
  }
}

function toNumber(raw: string): number | bigint {
  const value = Number(raw);
  return /^-?\d+$/.test(raw) && !Number.isSafeInteger(value) ? BigInt(raw) : value;
}

export interface PrintOptions {
  /** Writes NaN and Infinity bare, as Python's json does; otherwise they become null. */
  readonly bareNaN?: boolean;
}

export function printJson(value: unknown, options: PrintOptions = {}): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return printNumber(value, options);
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => printJson(item, options)).join(',')}]`;
  const members: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) members.push(`${JSON.stringify(key)}:${printJson(item, options)}`);
  }
  return `{${members.join(',')}}`;
}

/** A large double keeps its exponent: without one it would be read back as an integer with other digits. */
function printNumber(value: number, { bareNaN = false }: PrintOptions): string {
  if (!Number.isFinite(value)) return bareNaN ? String(value) : 'null';
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type JsonLink = [string, number];

/** A link is a list of exactly a string and a number. */
export function isLink(value: Json | undefined): value is JsonLink {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number';
}
