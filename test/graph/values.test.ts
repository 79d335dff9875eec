/** Values out of positioned JSON and back, at the edges. */
import { describe, expect, it } from 'vitest';
import { parseJson } from '#graph/json.ts';
import { printJson, toValue, toWire } from '#graph/values.ts';

const read = (text: string) => {
  const { root } = parseJson(text);
  if (root === undefined) throw new Error('not JSON');
  return toValue(root);
};

describe('toValue', () => {
  it('turns integers into bigint only beyond 2^53', () => {
    expect(read('[9007199254740991, 9007199254740992, -9007199254740993, 18446744073709551615]')).toEqual([
      9007199254740991,
      9007199254740992n,
      -9007199254740993n,
      18446744073709551615n,
    ]);
  });

  it('leaves numbers with point or exponent as doubles, however large', () => {
    expect(read('[8.0, 1e20, 123456789012345678.0, 1e400]')).toEqual([8, 1e20, 123456789012345680, Infinity]);
  });

  it('makes __proto__ an own property and touches no prototype', () => {
    const value = read('{"__proto__": {"polluted": true}}');
    expect(Object.keys(value ?? {})).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('polluted');
    expect(printJson(value)).toBe('{"__proto__":{"polluted":true}}');
  });
});

describe('printJson', () => {
  it('spells NaN and infinities as Python does, and keeps the sign of zero', () => {
    expect(printJson([Number.NaN, Infinity, -Infinity, -0])).toBe('[NaN,Infinity,-Infinity,-0]');
  });

  it('writes lone surrogates as escapes, so that the text stays valid UTF-8', () => {
    expect(printJson('\ud800')).toBe(String.raw`"\ud800"`);
  });
});

describe('toWire', () => {
  it('makes plain JSON of everything: large integers and special numbers become strings', () => {
    const value = { seed: 2n ** 64n - 1n, list: [Number.NaN, -Infinity, 1.5, null, true, 'x'] };
    expect(toWire(value)).toEqual({ seed: '18446744073709551615', list: ['NaN', '-Infinity', 1.5, null, true, 'x'] });
    expect(() => JSON.stringify(toWire(value))).not.toThrow();
  });
});
