/** Generators for the property tests of the graph room: JSON texts in any style, and graphs. */
import * as fc from 'fast-check';
import { printJson, setOwn } from '#graph/values.ts';
import type { JsonValue } from '#graph/types.ts';

/** Texts with everything that hurts: quotes, escapes, controls, lone surrogates, emoji. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', '\ud800', 'a"b\\c', '\u2028', 'C:\\x'),
);

export const integer64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });

/** Safe integers as numbers, larger ones as bigint: the form in which values.ts hands them out. */
const integer = integer64.map((n) => (n >= BigInt(Number.MIN_SAFE_INTEGER) && n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : n));

const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  anyText,
  integer,
  fc.double(),
  fc.integer({ min: -9, max: 9 }),
);

const key = anyText.filter((name) => name !== '__proto__' && name !== 'constructor');

export const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.uniqueArray(fc.tuple(key, tie('value')), { selector: ([name]) => name, maxLength: 12 }).map((entries) => {
      const object: Record<string, JsonValue> = {};
      for (const [name, value] of entries) setOwn(object, name, value);
      return object;
    }),
  ),
})).value;

const space = fc.array(fc.constantFrom(' ', '\n', '\t', '\r\n', ''), { maxLength: 3 }).map((parts) => parts.join(''));

/** White space before each token: the same value in any layout. */
export const layout = fc.infiniteStream(space);

/** Prints a value with white space from `stream` around every token, and now and then a character as \u escape. */
export function printLoose(value: JsonValue, stream: Iterator<string>, escape = false): string {
  const gap = (): string => String(stream.next().value ?? '');
  // No escape that JSON.stringify writes holds a q.
  const text = (raw: string): string => (escape ? JSON.stringify(raw).replaceAll('q', String.raw`\u0071`) : JSON.stringify(raw));
  const print = (item: JsonValue): string => {
    if (typeof item === 'string') return text(item);
    if (typeof item !== 'object' || item === null) return printJson(item);
    if (Array.isArray(item)) return `[${gap()}${(item as readonly JsonValue[]).map((part) => print(part) + gap()).join(`,${gap()}`)}]`;
    const members = Object.entries(item).map(([name, part]) => `${JSON.stringify(name)}${gap()}:${gap()}${print(part)}${gap()}`);
    return `{${gap()}${members.join(`,${gap()}`)}}`;
  };
  return gap() + print(value) + gap();
}

const name = fc
  .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 })
  .filter((text) => !['__proto__', 'constructor', 'prototype'].includes(text));

/** Constants never look like links or plain lists. */
const constant: fc.Arbitrary<JsonValue> = fc.oneof(scalar, fc.record({ __value__: fc.array(scalar, { maxLength: 3 }) }));

export interface RawNode {
  readonly inputs: { readonly [name: string]: JsonValue };
  readonly class_type: string;
  readonly [field: string]: JsonValue;
}
export type RawGraph = Record<string, RawNode>;

/** Acyclic graphs: every node links only to earlier ones. */
export const rawGraph: fc.Arbitrary<RawGraph> = fc
  .uniqueArray(
    fc.record({
      id: name,
      type: name,
      title: fc.option(anyText),
      constants: fc.dictionary(name, constant, { maxKeys: 4, noNullPrototype: true }),
      links: fc.array(fc.nat(1000), { maxLength: 3 }),
    }),
    { selector: (node) => node.id, minLength: 1, maxLength: 12 },
  )
  .map((nodes) => {
    const graph: RawGraph = {};
    for (const [index, node] of nodes.entries()) {
      const inputs: Record<string, JsonValue> = { ...node.constants };
      for (const [n, link] of node.links.entries()) {
        const source = index === 0 ? undefined : nodes[link % index];
        if (source !== undefined) inputs[`link ${n} to it`] = [source.id, link % 5];
      }
      graph[node.id] = { inputs, class_type: node.type, ...(node.title === null ? {} : { _meta: { title: node.title } }) };
    }
    return graph;
  });
