import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '#graph/json.ts';
import type { JsonNode } from '#graph/types.ts';
import { printJson, toValue } from '#graph/values.ts';
import { changeManifest } from '#templates/with-defaults.ts';

const MANIFEST = `{
  "format": 1, "id": "mine", "version": "1.2.0",
  "parameters": {
    "seed": { "type": "seed" },
    "photo": { "type": "image", "required": true },
    "width": {"type": "integer", "maximum": 18446744073709551615, "default": 8},
    "empty": {}
  },
  "steps": [ { "id": "a", "workflow": "a.json" } ]
}
`;

/** Throws when it is no JSON. */
function rootOf(text: string | undefined): JsonNode {
  const { root } = parseJson(text ?? '');
  if (root === undefined) throw new Error('not JSON');
  return root;
}

describe('changeManifest', () => {
  it('changes defaults and leaves every other byte as it was', () => {
    const defaults = new Map([
      ['seed', '18446744073709551615'],
      ['photo', '"media/a.png"'],
      ['width', '16'],
      ['empty', 'null'],
      ['unknown', '1'],
    ]);
    expect(changeManifest(MANIFEST, { defaults })).toBe(
      MANIFEST.replace('{ "type": "seed" }', '{ "type": "seed", "default": 18446744073709551615 }')
        .replace('"required": true }', '"required": false, "default": "media/a.png" }')
        .replace('"default": 8', '"default": 16')
        .replace('"empty": {}', '"empty": { "default": null }'),
    );
  });

  it('takes a default away wherever it stands', () => {
    const only = (definition: string) => changeManifest(`{"parameters": {"a": ${definition}}}`, { defaults: new Map([['a', undefined]]) });
    expect(only('{"type": "file", "default": 1}')).toBe('{"parameters": {"a": {"type": "file"}}}');
    expect(only('{"default": 1, "type": "file"}')).toBe('{"parameters": {"a": {"type": "file"}}}');
    expect(only('{"default": 1}')).toBe('{"parameters": {"a": {}}}');
    expect(only('{"type": "file"}')).toBe('{"parameters": {"a": {"type": "file"}}}');
  });

  it('sets fields that are there and adds those that are not', () => {
    const changed = changeManifest(MANIFEST, { fields: { id: 'other', title: 'A "title"' } });
    expect(changed).toContain('"id": "other"');
    expect(toValue(rootOf(changed))).toMatchObject({ id: 'other', title: 'A "title"', version: '1.2.0' });
  });

  it('is undefined for what is no object', () => {
    expect(changeManifest('[1]', {})).toBeUndefined();
    expect(changeManifest('{', {})).toBeUndefined();
  });

  it('gives JSON with exactly the new values, whatever they are', () => {
    const name = fc.stringMatching(/^[a-z]{1,6}$/);
    const value = fc.oneof(fc.jsonValue(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
    const definition = fc.record({ type: fc.string(), required: fc.boolean(), default: fc.jsonValue() }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.dictionary(name, definition), fc.dictionary(name, value), (definitions, values) => {
        const text = printJson({ format: 1, parameters: definitions } as never);
        const defaults = new Map(Object.entries(values).map(([key, one]) => [key, printJson(one as never)]));
        const changed = changeManifest(text, { fields: { id: 'x' }, defaults });
        const expected = Object.fromEntries(
          Object.entries(definitions).map(([key, one]) => {
            if (!Object.hasOwn(values, key)) return [key, one];
            return [key, { ...one, ...(one.required === undefined ? {} : { required: false }), default: values[key] }];
          }),
        );
        const root = rootOf(changed);
        expect(printJson(toValue(root))).toBe(printJson(toValue(rootOf(printJson({ format: 1, parameters: expected, id: 'x' })))));
      }),
      { numRuns: 300 },
    );
  });
});
