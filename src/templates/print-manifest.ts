/** A manifest as text for people: indented, short lists and objects on one line, integers of 64 bits exact. */
import { printJson } from '#graph/values.ts';

const LINE = 100;

/** Plain data: what is undefined, or no JSON, is left out. */
export function printManifest(manifest: object): string {
  return `${print(manifest, '', true)}\n`;
}

function print(value: unknown, indent: string, open = false): string {
  if (typeof value !== 'object' || value === null) return scalar(value);
  const line = inline(value);
  if (!open && line.length + indent.length <= LINE) return line;
  const inner = `${indent}  `;
  if (isList(value)) return `[\n${value.map((item) => inner + print(item, inner)).join(',\n')}\n${indent}]`;
  const members = membersOf(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${print(item, inner)}`);
  return `{\n${members.join(',\n')}\n${indent}}`;
}

function inline(value: unknown): string {
  if (typeof value !== 'object' || value === null) return scalar(value);
  if (isList(value)) return `[${value.map(inline).join(', ')}]`;
  const members = membersOf(value).map(([key, item]) => `${JSON.stringify(key)}: ${inline(item)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

function membersOf(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}

function scalar(value: unknown): string {
  const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  return known ? printJson(value) : 'null';
}

function isList(value: object): value is readonly unknown[] {
  return Array.isArray(value);
}
