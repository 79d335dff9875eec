import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '#graph/json.ts';
import { toValue } from '#graph/values.ts';
import { parseText } from '#templates/grammar.ts';
import { sourceOf } from '#templates/load.ts';
import { compileTemplate } from '#templates/compile.ts';
import { checkParameters, reviveParameters, storeParameters } from '#templates/parameters.ts';
import { compile, compiled, GRAPH, manifest, media, render, renderedText, scope } from './support.ts';

const MAX = 2n ** 64n - 1n;
const PROMPT = { prompt: { type: 'text', default: '' } };

/** Texts that are full of what the grammar cares about. */
const bracey = fc
  .array(
    fc.oneof(
      fc.constantFrom('{', '}', '{{', '}}', '{prompt}', '{seed}', '|', '??', 'prompt', '[0]', '.', ' ', '"', '\\', '\n', 'é', '𝄞'),
      fc.string({ maxLength: 5 }),
    ),
  )
  .map((parts) => parts.join(''));

const exact = (text: string): unknown => {
  const { root } = parseJson(text);
  return root === undefined ? undefined : toValue(root);
};

describe('injection, for any input', () => {
  it('[TI5] puts any prompt into the graph as it is', () => {
    const whole = compiled(manifest({ parameters: PROMPT }, { set: { '6.text': '{prompt}' } }));
    const within = compiled(manifest({ parameters: PROMPT }, { set: { '6.text': 'a {prompt}, {prompt}' } }));
    fc.assert(
      fc.property(fc.oneof(bracey, fc.string({ unit: 'binary' })), (prompt) => {
        expect(JSON.parse(renderedText(whole, scope({ prompt })))['6'].inputs.text).toBe(prompt);
        expect(JSON.parse(renderedText(within, scope({ prompt })))['6'].inputs.text).toBe(`a ${prompt}, ${prompt}`);
      }),
    );
  });

  it('[TI2] puts any whole number up to 2^64−1 into the graph exactly', () => {
    const template = compiled(
      manifest({ parameters: { seed: { type: 'seed' } } }, { set: { '3.seed': '{seed}', '6.text': 'seed {seed}' } }),
    );
    fc.assert(
      fc.property(fc.bigInt(0n, MAX), (big) => {
        const seed = big <= Number.MAX_SAFE_INTEGER ? Number(big) : big;
        const text = renderedText(template, scope({ seed }));
        expect(text).toContain(`"seed": ${big},`);
        expect(text).toContain(`"seed ${big}"`);
      }),
    );
  });

  it('[TI7] changes nothing outside the injected value, whatever the graph holds', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.jsonValue({ maxDepth: 2 }));
    const extra = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 8 }).filter((name) => !['__proto__', 'constructor', 'prototype', 'text'].includes(name)),
      value,
      { maxKeys: 5 },
    );
    fc.assert(
      fc.property(extra, fc.integer({ min: 0, max: 4 }), bracey, (inputs, indent, prompt) => {
        const graph = { '1': { class_type: 'X', inputs: { ...inputs, text: 'MARK' }, _meta: { title: 't' } } };
        const file = JSON.stringify(graph, null, indent);
        const { value: template } = compile(manifest({ parameters: PROMPT }, { outputs: {}, set: { '1.text': '{prompt}' } }), {
          'w.json': file,
        });
        // Lists that are read as broken links make the graph invalid, which is another rule.
        if (template === undefined || template.steps[0]?.sites.length !== 1) return;
        const at = file.lastIndexOf('"MARK"');
        expect(renderedText(template, scope({ prompt }))).toBe(file.slice(0, at) + JSON.stringify(prompt) + file.slice(at + 6));
      }),
    );
  });

  it('[TI8] keeps the structure: the same nodes, classes, links and other inputs', () => {
    const template = compiled(manifest({ parameters: PROMPT }, { set: { '6.text': '{prompt}' } }));
    fc.assert(
      fc.property(bracey, (prompt) => {
        expect(exact(renderedText(template, scope({ prompt })))).toEqual({
          ...GRAPH,
          '6': { ...GRAPH['6'], inputs: { ...GRAPH['6'].inputs, text: prompt } },
        });
      }),
    );
  });

  it('[TI4] never throws and gives back text without placeholders, for any text in a workflow', () => {
    fc.assert(
      fc.property(fc.oneof(bracey, fc.string({ unit: 'binary' })), (text) => {
        const graph = { ...GRAPH, '6': { class_type: 'CLIPTextEncode', inputs: { text, clip: ['4', 1] } } };
        const { value } = compile(manifest({ parameters: PROMPT }), { 'w.json': graph });
        fc.pre(value !== undefined);
        const { value: out, problems } = render(value, scope({ prompt: 'P' }));
        expect(out === undefined).toBe(problems.length > 0);
        expect(text.includes('{') || JSON.parse(out?.text ?? '{}')['6'].inputs.text === text).toBe(true);
      }),
    );
  });

  it('[TI3] loses nothing when it cuts a text into parts, escapes aside', () => {
    fc.assert(
      fc.property(bracey, (text) => {
        const parts = parseText(text, () => true)?.parts;
        if (parts === undefined || text.includes('{{')) return;
        expect(parts.map((part) => (typeof part === 'string' ? part : part.text)).join('')).toBe(text);
      }),
    );
  });
});

describe('templates, for any input', () => {
  it('[TD9] never throws, whatever the manifest is', () => {
    const field = fc.oneof(fc.jsonValue({ maxDepth: 3 }), bracey);
    const anything = fc.record(
      { format: field, id: field, version: field, parameters: field, steps: field, choices: field, outputs: field },
      { requiredKeys: [] },
    );
    const nearly = fc
      .record(
        {
          set: fc.dictionary(bracey, field),
          each: bracey,
          when: bracey,
          needs: fc.array(bracey),
          workflow: fc.constantFrom('w.json', '../x'),
        },
        { requiredKeys: ['workflow'] },
      )
      .map((step) => manifest({ parameters: PROMPT }, step));
    fc.assert(
      fc.property(fc.oneof(fc.string(), anything, nearly), (content) => {
        const text = typeof content === 'string' ? content : JSON.stringify(content);
        const { value, problems } = compileTemplate(sourceOf(text, { 'w.json': JSON.stringify(GRAPH) }));
        expect(value === undefined).toBe(problems.some((problem) => problem.severity === 'error'));
        expect(problems.filter((problem) => (problem.hint ?? '') === '')).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('[TP17] revives exactly what was stored, for values of every type', async () => {
    const types = {
      s: { type: 'string', default: null },
      i: { type: 'integer' },
      n: { type: 'number' },
      b: { type: 'boolean' },
      c: { type: 'choice', choices: ['2', 1, 'x'] },
      seed: { type: 'seed' },
      v: { type: 'vector', size: 2 },
      m: { type: 'image' },
      l: { type: 'list', of: 'seed' },
      f: { type: 'list', of: 'image' },
    };
    const set = Object.fromEntries(Object.keys(types).map((name) => [`x_${name}`, `{${name}}`]));
    const step = { id: 'a', workflow: 's.json', backend: 'wan2gp', set };
    const template = compiled(manifest({ parameters: types, steps: [step] }), { 's.json': { model_type: 't2v' } });
    const big = fc.bigInt(-(2n ** 63n), MAX);
    const real = fc.double({ noNaN: true, noDefaultInfinity: true });
    const path = fc.string({ minLength: 1, maxLength: 20 });
    const given = fc.record({
      s: fc.oneof(fc.constant(null), fc.string()),
      i: big,
      n: real,
      b: fc.boolean(),
      c: fc.constantFrom('2', 1, 'x'),
      seed: fc.bigInt(0n, MAX),
      v: fc.tuple(real, real),
      m: path,
      l: fc.array(fc.bigInt(0n, MAX), { maxLength: 5 }),
      f: fc.array(path, { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(given, async (parameters) => {
        const { value, problems } = await checkParameters(template, parameters, {
          drawSeed: () => 0n,
          resolveMedia: async (name) => media(name),
          resolveDirectory: async (directory) => directory,
        });
        expect(problems).toEqual([]);
        if (value === undefined) return;
        expect(reviveParameters(template, storeParameters(value))).toStrictEqual(value);
        expect([value.i, value.seed].map(BigInt as (each: unknown) => bigint)).toEqual([parameters.i, parameters.seed]);
      }),
    );
  });
});
