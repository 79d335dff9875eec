/** Exact JSON over arbitrary texts. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '#graph/json.ts';
import type { JsonNode, JsonValue } from '#graph/types.ts';
import { printJson, setOwn, toNumber, toValue, toWire } from '#graph/values.ts';
import { integer64, jsonValue, layout, printLoose } from './arbitraries.ts';

/** Puts a tree back together from its spans alone: what lies between them is copied. */
function rebuild(text: string, node: JsonNode): string {
  if (node.kind !== 'object' && node.kind !== 'array') return text.slice(node.start, node.end);
  const parts = node.kind === 'array' ? node.items : node.members.flatMap(({ key, value }) => [key, value]);
  let out = '';
  let at = node.start;
  for (const part of parts) {
    out += text.slice(at, part.start) + rebuild(text, part);
    at = part.end;
  }
  return out + text.slice(at, node.end);
}

/** What JSON.parse would have made of it: every integer a double. */
function rounded(value: JsonValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(rounded);
  const object: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) setOwn(object, name, rounded(item));
  return object;
}

function jsonOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

describe('parseJson', () => {
  it('keeps every byte of any JSON text in any layout', () => {
    fc.assert(
      fc.property(jsonValue, layout, fc.boolean(), (value, gaps, escape) => {
        const text = printLoose(value, gaps[Symbol.iterator](), escape);
        const { root, problems } = parseJson(text);
        expect(problems).toEqual([]);
        expect(root && text.slice(0, root.start) + rebuild(text, root) + text.slice(root.end)).toBe(text);
      }),
    );
  });

  it('reads what printJson wrote as the same value', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const { root } = parseJson(printJson(value));
        expect(root && toValue(root)).toEqual(value);
      }),
    );
  });

  it('agrees with JSON.parse on every text about what is JSON and what it means', () => {
    const fragments = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '.',
      'e',
      '0',
      'null',
      'true',
      ' ',
      '\n',
      '\\',
      '\\u00',
      'x',
      '\t',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(fragments, { maxLength: 12 }).map((parts) => parts.join('')),
          fc.json({ maxDepth: 3 }),
          fc.string(),
        ),
        (text) => {
          const { root, problems } = parseJson(text);
          const ours = root === undefined ? 'not JSON' : rounded(toValue(root));
          expect(ours).toEqual(jsonOr(text, 'not JSON'));
          expect(problems.filter(({ code }) => code === 'JSON_SYNTAX')).toHaveLength(root === undefined ? 1 : 0);
          expect(problems.every(({ line, column, hint }) => line !== undefined && column !== undefined && hint !== undefined)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('names the place of a single deleted comma within the text, whatever the layout', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 2 }), fc.nat(), (items, pick) => {
        const lines = items.map((item, index) =>
          index === items.length - 1 || index === pick % (items.length - 1) ? `${item}` : `${item},`,
        );
        const { problems } = parseJson(`[\n${lines.join('\n')}\n]`);
        expect(problems).toMatchObject([{ code: 'JSON_SYNTAX', line: 2 + (pick % (items.length - 1)) + 1, column: 1 }]);
      }),
    );
  });
});

describe('numbers', () => {
  it('carries every 64-bit integer through value and text exactly', () => {
    fc.assert(
      fc.property(integer64, (n) => {
        const value = toNumber(String(n));
        expect(BigInt(value)).toBe(n);
        expect(printJson(value)).toBe(String(n));
        expect(JSON.stringify(toWire(value)).replaceAll('"', '')).toBe(String(n));
        expect(typeof value).toBe(Number.isSafeInteger(Number(n)) ? 'number' : 'bigint');
      }),
    );
  });

  it('reads any double from its shortest spelling', () => {
    fc.assert(
      fc.property(fc.double(), (n) => {
        const text = printJson(n);
        expect(toNumber(text)).toBe(n);
      }),
    );
  });
});
