/** What stands in the fields of a form, and how it goes over the wire. Fields hold what was typed: a seed of 2^64−1 stays those digits. */
import type { RunView } from '../../src/protocol/views.ts';

/** The part of a parameter's schema that a form reads (src/templates/parameter-schema.ts). */
export interface FieldSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly maxLength?: number;
  readonly items?: FieldSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-callsheet'?: FieldHints;
}

export interface FieldHints {
  readonly type: string;
  readonly of?: string;
  readonly widget: string;
  readonly order: number;
  readonly required: boolean;
  readonly group?: string;
  readonly advanced?: boolean;
  readonly extensions?: readonly string[];
  readonly alpha?: boolean;
  readonly labels?: readonly string[];
  readonly visible?: string;
  readonly hidden?: boolean;
  readonly step?: number;
  readonly unit?: string;
  readonly available?: readonly string[];
}

/** Numbers and paths as text, switches as themselves, vectors and lists as lists of these. */
export type Field = string | boolean | readonly Field[];
export type Fields = Readonly<Record<string, Field>>;

const NUMBERS: ReadonlySet<string> = new Set(['integer', 'seed', 'number']);
export const MEDIA: ReadonlySet<string> = new Set(['image', 'mask', 'video', 'audio', 'model3d', 'file']);

export function isNullable({ type, enum: values }: FieldSchema): boolean {
  return (Array.isArray(type) && type.includes('null')) || values?.includes(null) === true;
}

/** What the form begins with: the defaults, or the values of a run. */
export function initialFields(schemas: Readonly<Record<string, FieldSchema>>, given: RunView['parameters'] = {}): Fields {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, fieldOf(schema, Object.hasOwn(given, name) ? given[name] : schema.default)]),
  );
}

/** A fresh item of a list. */
export function emptyField(type: string): Field {
  return type === 'boolean' ? false : '';
}

/** The parameters to send: what is empty and need not be is left to the daemon's default. */
export function toWire(schemas: Readonly<Record<string, FieldSchema>>, fields: Fields): Record<string, never> {
  const found: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const hints = schema['x-callsheet'];
    const field = fields[name];
    if (hints === undefined || field === undefined || hints.hidden === true) continue;
    const value = wireOf(hints.type, hints.of, field, schema);
    if (value !== undefined) found[name] = value;
  }
  return found as Record<string, never>;
}

// --- helpers ---

function fieldOf(schema: FieldSchema, value: unknown): Field {
  const { type, of } = schema['x-callsheet'] ?? { type: 'string', of: undefined };
  if (type === 'boolean') return value === true;
  if (type === 'vector') return Array.from({ length: schema.minItems ?? 3 }, (_, at) => text(Array.isArray(value) ? value[at] : undefined));
  if (type === 'list') return (Array.isArray(value) ? value : []).map((item: unknown) => (of === 'boolean' ? item === true : text(item)));
  // A choice without a default shows the first one, and so that one is meant.
  if (type === 'choice' && value === undefined && !isNullable(schema)) return text(schema.enum?.[0]);
  return text(value);
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') return mediaText(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A file of an earlier run: an upload is known by its content, another by its path. */
function mediaText(value: object): string {
  const { path, sha256 } = value as { path?: unknown; sha256?: unknown };
  if (typeof path !== 'string') return '';
  return typeof sha256 === 'string' && /[/\\]assets[/\\][0-9a-f]{64}[^/\\]*$/.test(path) ? `asset:${sha256}` : path;
}

function wireOf(type: string, of: string | undefined, field: Field, schema: FieldSchema): unknown {
  if (typeof field === 'boolean') return field;
  if (typeof field !== 'string') {
    if (type === 'vector' && field.every((part) => part === '')) return isNullable(schema) ? null : undefined;
    return field.map((item) => (typeof item === 'string' && NUMBERS.has(of ?? 'number') ? numberOf(of ?? 'number', item) : item));
  }
  if (NUMBERS.has(type)) return field.trim() === '' ? emptyValue(schema) : numberOf(type, field);
  if (type === 'choice') {
    const value = schema.enum?.find((one) => one !== null && String(one) === field);
    return field === '' ? emptyValue(schema) : (value ?? field);
  }
  if (type === 'string' || type === 'text')
    return field === '' && isNullable(schema) ? null : field === '' && schema.default === undefined ? undefined : field;
  return field.trim() === '' ? emptyValue(schema) : field.trim();
}

function emptyValue(schema: FieldSchema): null | undefined {
  return isNullable(schema) ? null : undefined;
}

/** What is no number goes as it is, so that the daemon says what is wrong with it. */
function numberOf(type: string, typed: string): number | string {
  const trimmed = typed.trim();
  const value = Number(trimmed);
  if (trimmed === '' || !Number.isFinite(value)) return trimmed;
  if (type === 'number') return value;
  return /^-?\d+$/.test(trimmed) && !Number.isSafeInteger(value) ? trimmed : value;
}
