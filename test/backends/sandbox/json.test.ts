import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cardSvg } from '#backends/sandbox/draft/card.ts';
import { printJson, readJson } from '#backends/sandbox/json.ts';
import { pyFloat, pyInt, pyRepr } from '#backends/sandbox/python.ts';
import { pyRound } from '#backends/sandbox/images/resample.ts';

describe('JSON on the wire of the sandbox', () => {
  it('gives back every JSON value and every 64-bit integer exactly', () => {
    const exact = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).filter((value) => !Number.isSafeInteger(Number(value)));
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), exact)), (value) => {
        expect(readJson(printJson(value))).toEqual(plain(value));
      }),
    );
  });

  it('reads bare NaN and infinities, and writes them only when asked', () => {
    const value = readJson('{"a":NaN,"b":[-Infinity],"c":"NaN"}');
    expect(printJson(value)).toBe('{"a":null,"b":[null],"c":"NaN"}');
    expect(printJson(value, { bareNaN: true })).toBe('{"a":NaN,"b":[-Infinity],"c":"NaN"}');
  });
});

/** −0 is written as 0. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value === 0 ? 0 : value;
}

describe("Python's conversions", () => {
  it('turns text and floats into integers as int() does', () => {
    expect([pyInt('64'), pyInt(' -7 '), pyInt(64.7), pyInt(true), pyInt('18446744073709551615')]).toEqual([
      64,
      -7,
      64,
      1,
      18446744073709551615n,
    ]);
    expect(() => pyInt('5.5')).toThrow("invalid literal for int() with base 10: '5.5'");
    expect(() => pyFloat('abc')).toThrow("could not convert string to float: 'abc'");
  });

  it('writes values as repr() does', () => {
    expect(pyRepr(['a', 1, true, null, "it's", { k: [] }])).toBe(`['a', 1, True, None, "it's", {'k': []}]`);
  });

  it('rounds halves to the even neighbour', () => {
    expect([0.5, 1.5, 2.5, -0.5, 2.4, 2.6].map(pyRound)).toEqual([0, 2, 2, 0, 2, 3]);
  });
});

describe('the storyboard card', () => {
  const shot = { prompt: 'a <b> & c\u0000', negative: '', seed: '1', steps: 4, cfg: 7, sampler: 'euler', model: 'm', denoise: 1 };
  const options = { width: 64, height: 64, shot, index: 0, progress: 1, band: false };

  it('is well-formed whatever the prompt holds', () => {
    const svg = cardSvg(options);
    expect(svg).toContain('&lt;b&gt; &amp; c\ufffd');
  });

  it('carries its mark as strokes, so that it needs no font', () => {
    expect(cardSvg(options)).toContain('<path transform="translate(0 0)" d="M0 0V6H2');
  });

  it('differs by prompt, negative prompt, seed and place in the batch', () => {
    const cards = [
      options,
      { ...options, index: 1 },
      ...['prompt', 'negative', 'seed'].map((key) => ({ ...options, shot: { ...shot, [key]: 'other' } })),
    ].map(cardSvg);
    expect(new Set(cards).size).toBe(cards.length);
  });
});
