import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { PLAIN_LIMITS, plainOf } from '#daemon/inspect/plain.ts';

describe('what is shown of a value', () => {
  it('is the value itself where it is small and plain', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        // -0 is 0 in JSON.
        expect(JSON.parse(JSON.stringify(plainOf(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is JSON of bounded size whatever the value is', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }), (value) => {
        expect(JSON.stringify(plainOf(value) ?? null).length).toBeLessThan(100_000);
      }),
    );
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`name${String(index)}`, Array(500).fill('x'.repeat(5000))]));
    expect(JSON.stringify(plainOf(wide)).length).toBeLessThan(100_000);
  });

  it('says how much was left out of long texts, long lists and large objects', () => {
    const shown = plainOf({
      text: 'x'.repeat(1000),
      list: Array(150).fill(1),
      many: Object.fromEntries(
        Array(120)
          .fill(0)
          .map((_, i) => [`k${String(i)}`, i]),
      ),
    });
    expect(shown).toMatchObject({ text: `${'x'.repeat(PLAIN_LIMITS.text)}… (1000 characters)`, many: { '…': '20 more' } });
    expect((shown as { list: unknown[] }).list).toHaveLength(101);
    expect((shown as { list: unknown[] }).list.at(-1)).toBe('… 50 more');
  });

  it('shows actors by their id, bytes by their number, errors by name, message and code', () => {
    const actor = createActor(
      fromPromise(() => new Promise(() => undefined)),
      { id: 'load' },
    );
    const error = Object.assign(new Error('gone'), { code: 'X' });
    expect(
      plainOf({ actor, bytes: new Uint8Array(7), error, map: new Map([[1, 2]]), none: undefined, act: () => 1, nan: Number.NaN }),
    ).toEqual({
      actor: { xstate$$type: 1, id: 'load' },
      bytes: '(7 bytes)',
      error: { name: 'Error', message: 'gone', code: 'X' },
      map: '(1 entries)',
      nan: 'NaN',
    });
  });

  it('ends at a loop and at what cannot be read', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(JSON.stringify(plainOf(loop))).toContain('…');
    expect(
      plainOf({
        get bad() {
          throw new Error('no');
        },
      }),
    ).toBe('(unreadable)');
  });

  it('takes secrets out by their name, by their form and by what they are known to be', () => {
    expect(
      plainOf(
        { api_key: 'abc', password: 12, nested: [{ hf_token: { a: 1 } }], prompt: 'with hf_abcdefghijklmnopqrstuv and s3cret-value' },
        ['s3cret-value'],
      ),
    ).toEqual({
      api_key: '[redacted]',
      password: '[redacted]',
      nested: [{ hf_token: '[redacted]' }],
      prompt: 'with [redacted] and [redacted]',
    });
  });
});
