/** Hashes of texts and graphs. */
import { hash } from 'node:crypto';
import { parseGraph } from './graph.ts';
import { parseJson } from './json.ts';
import type { Graph, JsonNode } from './types.ts';

/** sha256 of the text's UTF-8 bytes, 64 lower-case hexadecimal digits. */
export function sha256Hex(text: string): string {
  return hash('sha256', text);
}

/**
 * sha256 of what a graph computes: node ids, classes and inputs.
 *
 * Equal for graphs that differ in white space, order of keys, `_meta`, `is_changed`, other fields of nodes that ComfyUI
 * ignores, escapes in texts, and the spelling of numbers (8, 8.0 and 8e0 are one number, as in Python). Different as soon as
 * an id, a class, a link or a value differs: ids are kept because parameters, outputs and problems are addressed by id.
 *
 * For a text that is JSON but no API graph (UI format, Wan2GP settings) the whole value counts; for a text that is not JSON,
 * the text itself.
 */
export function canonicalHash(source: Graph | string): string {
  if (typeof source !== 'string') return sha256Hex(canonicalGraph(source));
  const { graph, problems } = parseGraph(source);
  if (graph !== undefined && problems.length === 0) return sha256Hex(canonicalGraph(graph));
  const { root } = parseJson(source);
  return sha256Hex(root === undefined ? source : canonicalJson(root));
}

/** The same of a JSON value that is no graph, as a request is: without printing it and reading it again. */
export function canonicalHashOf(value: unknown): string {
  return sha256Hex(canonicalText(value));
}

function canonicalText(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? canonicalNumber(JSON.stringify(value)) : 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  const sorted = members.toSorted(([a], [b]) => byCodeUnit(a, b));
  return `{${sorted.map(([key, member]) => `${JSON.stringify(key)}:${canonicalText(member)}`).join(',')}}`;
}

function canonicalGraph(graph: Graph): string {
  const nodes = [...graph.nodes.values()].toSorted((a, b) => byCodeUnit(a.id, b.id));
  const entries = nodes.map((node) => `${JSON.stringify(node.id)}:[${JSON.stringify(node.classType)},${canonicalJson(node.inputsAt)}]`);
  return `{${entries.join(',')}}`;
}

/** A value without white space, keys sorted by UTF-16 code units, numbers by value. Of duplicate keys the last one counts. */
export function canonicalJson(node: JsonNode): string {
  switch (node.kind) {
    case 'string':
      return JSON.stringify(node.value);
    case 'number':
      return canonicalNumber(node.raw);
    case 'boolean':
      return String(node.value);
    case 'null':
      return 'null';
    case 'array':
      return `[${node.items.map(canonicalJson).join(',')}]`;
    default: {
      const members = new Map(node.members.map(({ key, value }) => [key.value, value]));
      const sorted = [...members].toSorted(([a], [b]) => byCodeUnit(a, b));
      return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${canonicalJson(value)}`).join(',')}}`;
    }
  }
}

/** Integers as digits, whatever their spelling (1e20 is 10**20 in Python too); others as JavaScript's shortest form. */
function canonicalNumber(raw: string): string {
  if (/^-?\d+$/.test(raw)) return BigInt(raw).toString();
  const value = Number(raw);
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
