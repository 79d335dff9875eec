/** Widget values during conversion: JSON text exactly as the file spells it, and just enough knowledge to decide with. */
import type { Span } from '../rewrite.ts';
import type { JsonNode, JsonValue } from '../types.ts';
import { printJson } from '../values.ts';

export interface Value {
  /** The spelling of the file, so that 64-bit integers and `8.0` come out as they went in. */
  readonly json: string;
  readonly kind: JsonNode['kind'];
  /** Of a text. */
  readonly text?: string;
  /** Where it stands in the file, also once the page has changed it on its way. */
  readonly at?: Span;
}

export function valueOf(node: JsonNode, source: string): Value {
  const json = source.slice(node.start, node.end);
  const at = { start: node.start, end: node.end };
  return node.kind === 'string' ? { json, kind: node.kind, text: node.value, at } : { json, kind: node.kind, at };
}

export function plainValue(value: JsonValue): Value {
  const json = printJson(value);
  switch (typeof value) {
    case 'string':
      return { json, kind: 'string', text: value };
    case 'boolean':
      return { json, kind: 'boolean' };
    case 'number':
    case 'bigint':
      return { json, kind: 'number' };
    default:
      if (value === null) return { json, kind: 'null' };
      return { json, kind: Array.isArray(value) ? 'array' : 'object' };
  }
}

/** What became of a value of the file. */
export function changedValue(from: Value, value: JsonValue): Value {
  return { ...plainValue(value), ...(from.at === undefined ? {} : { at: from.at }) };
}

/** As an input of a graph: a list is wrapped, for ComfyUI reads a bare list of two as a link (dossier 4.1). */
export function inputJson(value: Value): string {
  return value.kind === 'array' ? `{"__value__":${value.json}}` : value.json;
}
