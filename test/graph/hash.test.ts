/** The canonical hash: equal for graphs that compute the same under the same ids, different for all others. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHash, canonicalHashOf, sha256Hex } from '#graph/hash.ts';
import { parseGraph } from '#graph/graph.ts';
import { printJson } from '#graph/values.ts';
import { layout, printLoose, rawGraph } from './arbitraries.ts';
import type { RawGraph } from './arbitraries.ts';

const node = (inputs: string, more = '') => `{"1": {"class_type": "A", "inputs": {${inputs}}${more}}}`;

describe('canonicalHash', () => {
  it('does not depend on white space, order of keys, _meta, is_changed and unknown fields', () => {
    fc.assert(
      fc.property(rawGraph, layout, (raw, gaps) => {
        const shuffled: RawGraph = {};
        for (const [id, { inputs, class_type }] of Object.entries(raw).toReversed()) {
          const turned = Object.fromEntries(Object.entries(inputs).toReversed());
          shuffled[id] = { class_type, _meta: { title: 'other' }, is_changed: [Number.NaN], extra: 1, inputs: turned };
        }
        expect(canonicalHash(printLoose(shuffled, gaps[Symbol.iterator](), true))).toBe(canonicalHash(printJson(raw)));
      }),
    );
  });

  it('takes spellings of one number for one number', () => {
    for (const [a, b] of [
      ['8', '8.0'],
      ['8', '8e0'],
      ['0', '-0'],
      ['0.1', '1e-1'],
      ['100000000000000000000', '1e20'],
    ]) {
      expect(canonicalHash(node(`"x": ${a}`))).toBe(canonicalHash(node(`"x": ${b}`)));
    }
  });

  it('tells neighbouring 64-bit integers apart', () => {
    expect(canonicalHash(node('"x": 18446744073709551615'))).not.toBe(canonicalHash(node('"x": 18446744073709551614')));
    expect(canonicalHash(node('"x": 18446744073709551615'))).not.toBe(canonicalHash(node('"x": 1.8446744073709552e19')));
  });

  it('changes with any id, class, input name, value, type or link', () => {
    const texts = [
      node('"x": 1'),
      node('"x": 2'),
      node('"x": "1"'),
      node('"x": true'),
      node('"x": null'),
      node('"x": NaN'),
      node('"x": ["1", 0]'),
      node('"x": ["1", 1]'),
      node('"y": 1'),
      node('"x": 1').replace('"1":', '"2":'),
      node('"x": 1').replace('"A"', '"B"'),
      node(''),
    ];
    expect(new Set(texts.map(canonicalHash)).size).toBe(texts.length);
  });

  it('is the same for a graph and for its text', () => {
    const text = node('"x": 1');
    const { graph } = parseGraph(text);
    expect(graph && canonicalHash(graph)).toBe(canonicalHash(text));
    expect(canonicalHash(text)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('covers other JSON as a whole, and what is not JSON as text', () => {
    expect(canonicalHash('{"model_type": "a", "seed": 1}')).toBe(canonicalHash('{"seed":1.0,"model_type":"a"}'));
    expect(canonicalHash('{"nodes": [], "links": []}')).not.toBe(canonicalHash('{"nodes": [1], "links": []}'));
    expect(canonicalHash('{oops')).toBe(sha256Hex('{oops'));
  });
});

describe('sha256Hex', () => {
  it('hashes the UTF-8 bytes', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256Hex('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });
});

describe('canonicalHashOf', () => {
  it('is the hash of the value printed as JSON, whatever is in it: keys of requests that are stored already go on to fit', () => {
    const request = fc.record({ template: fc.string(), parameters: fc.jsonValue(), extra: fc.option(fc.double(), { nil: undefined }) });
    fc.assert(
      fc.property(request, (value) => {
        expect(canonicalHashOf(value)).toBe(canonicalHash(JSON.stringify(value)));
      }),
    );
    expect(canonicalHashOf({})).toBe(canonicalHash('{}'));
    const numbers = { a: [1e21, -0, 0.1, 2 ** 53 + 2, Number.NaN, undefined], b: undefined };
    expect(canonicalHashOf(numbers)).toBe(canonicalHash(JSON.stringify(numbers)));
  });
});
