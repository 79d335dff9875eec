import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classChanges } from '#graph/class-drift.ts';
import { schemaHash, schemaOf } from '#graph/class-schema.ts';
import { parseObjectInfo } from '#graph/object-info.ts';

function schema(entry: object, name = 'Node') {
  const nodeClass = parseObjectInfo(JSON.stringify({ [name]: entry })).info?.classes.get(name);
  if (nodeClass === undefined) throw new Error('the class of the test cannot be read');
  return schemaOf(nodeClass);
}
const node = (required: object, more: object = {}) => ({ input: { required }, output: ['IMAGE'], output_name: ['image'], ...more });
const hash = (entry: object, name?: string) => schemaHash(schema(entry, name));

const BASE = {
  steps: ['INT', { default: 20, min: 1, max: 100, tooltip: 'how many' }],
  mode: [['soft', 'hard']],
  model: ['MODEL'],
};

describe('the hash of a class', () => {
  const same: [what: string, entry: object][] = [
    ['the order of inputs', node({ model: ['MODEL'], mode: [['soft', 'hard']], steps: ['INT', { max: 100, min: 1, default: 20 }] })],
    ['the order of choices', node({ ...BASE, mode: [['hard', 'soft']] })],
    ['the spelling of combos', node({ ...BASE, mode: ['COMBO', { options: ['soft', 'hard'] }] })],
    [
      'texts for people',
      node({ ...BASE, steps: ['INT', { default: 20, min: 1, max: 100, tooltip: 'else', display: 'slider' }] }, { description: 'x' }),
    ],
    ['category and display name', node(BASE, { category: 'other', display_name: 'Other' })],
    ['how a control counts', node({ ...BASE, steps: ['INT', { default: 20, min: 1, max: 100, step: 5 }] })],
  ];
  it.each(same)('stays with %s', (_what, entry) => {
    expect(hash(entry)).toBe(hash(node(BASE)));
  });

  it('stays with other files on the server', () => {
    const loader = (names: readonly string[]) => hash(node({ ckpt_name: [names] }), 'CheckpointLoaderSimple');
    expect(loader(['a.safetensors'])).toBe(loader(['b.safetensors', 'c.ckpt']));
    expect(loader([])).toBe(loader(['b.safetensors']));
    const custom = (names: readonly string[]) => hash(node({ style: [names, { default: names[0] }] }));
    expect(custom(['None', 'a.safetensors'])).toBe(custom(['None', 'b.pth', 'c.onnx']));
    expect(custom(['None'])).toBe(custom(['None', 'b.pth']));
    const image = (names: readonly string[]) => hash(node({ image: [names, { image_upload: true }] }));
    expect(image(['a', 'b'])).toBe(image(['c']));
  });

  const other: [what: string, entry: object][] = [
    ['an input more', node({ ...BASE, cfg: ['FLOAT'] })],
    ['another type', node({ ...BASE, model: ['CLIP'] })],
    ['another bound', node({ ...BASE, steps: ['INT', { default: 20, min: 1, max: 50 }] })],
    ['another default', node({ ...BASE, steps: ['INT', { default: 21, min: 1, max: 100 }] })],
    ['a choice less', node({ ...BASE, mode: [['soft']] })],
    ['another output', node(BASE, { output: ['MASK'] })],
    [
      'an input that need not be given',
      {
        input: { required: { steps: BASE.steps, mode: BASE.mode }, optional: { model: ['MODEL'] } },
        output: ['IMAGE'],
        output_name: ['image'],
      },
    ],
    ['its being an output', node(BASE, { output_node: true })],
  ];
  it.each(other)('changes with %s', (_what, entry) => {
    expect(hash(entry)).not.toBe(hash(node(BASE)));
  });

  it('counts versions among choices as choices', () => {
    expect(hash(node({ v: [['1.0', '1.5']] }))).not.toBe(hash(node({ v: [['1.0']] })));
  });

  it('reads 64-bit bounds exactly and survives infinities', () => {
    const text = (max: string) => `{"Node":{"input":{"required":{"seed":["INT",{"min":0,"max":${max},"default":-Infinity}]}},"output":[]}}`;
    const of = (max: string) => {
      const found = parseObjectInfo(text(max)).info?.classes.get('Node');
      return found === undefined ? undefined : schemaHash(schemaOf(found));
    };
    expect(of('18446744073709551615')).not.toBe(of('18446744073709551614'));
    expect(of('Infinity')).toBe(of('NaN'));
  });

  it('is the same for every order of inputs', () => {
    const inputs = Object.entries({ a: ['INT', { min: 0 }], b: ['FLOAT'], c: [['x', 'y']], d: ['STRING', { default: 'q' }] });
    fc.assert(
      fc.property(fc.shuffledSubarray(inputs, { minLength: inputs.length }), (order) => {
        expect(hash(node(Object.fromEntries(order)))).toBe(hash(node(Object.fromEntries(inputs))));
      }),
    );
  });
});

describe('what became of a class', () => {
  const was = schema(
    node({ ...BASE, scale: ['FLOAT', { default: 1, min: 0, max: 2 }] }, { output: ['IMAGE', 'MASK'], output_name: ['image', 'mask'] }),
  );
  const kinds = (entry: object | undefined) =>
    classChanges(was, entry === undefined ? undefined : schema(entry)).map((change) => change.kind);
  const rest = { output: ['IMAGE', 'MASK'], output_name: ['image', 'mask'] };
  const scale = ['FLOAT', { default: 1, min: 0, max: 2 }];

  it('is nothing where nothing changed, where a range grew and where a choice was added', () => {
    expect(kinds(node({ ...BASE, scale }, rest))).toEqual([]);
    expect(kinds(node({ ...BASE, scale: ['FLOAT', { default: 1, min: -1, max: 3 }] }, rest))).toEqual([]);
    expect(kinds(node({ ...BASE, scale: ['FLOAT', { default: 1 }] }, rest))).toEqual([]);
    expect(kinds(node({ ...BASE, scale, mode: [['soft', 'hard', 'new']] }, rest))).toEqual([]);
  });

  it('is told by kind', () => {
    const { model: _model, ...without } = BASE;
    expect(kinds(undefined)).toEqual(['class-gone']);
    expect(kinds(node({ ...without, scale }, rest))).toEqual(['input-gone']);
    expect(kinds(node({ ...without, scale, diffusion_model: ['MODEL'] }, rest))).toEqual(['input-renamed']);
    expect(kinds(node({ ...BASE, scale, extra: ['CLIP'] }, rest))).toEqual(['input-added']);
    expect(kinds(node({ ...BASE, scale: ['STRING', { default: 1 }] }, rest))).toEqual(['input-type']);
    expect(kinds(node({ ...BASE, scale: ['FLOAT', { default: 1, min: 0.5, max: 2 }] }, rest))).toEqual(['range']);
    expect(kinds(node({ ...BASE, scale, mode: [['soft']] }, rest))).toEqual(['choices-gone']);
    expect(kinds(node({ ...BASE, scale: ['FLOAT', { default: 2, min: 0, max: 2 }] }, rest))).toEqual(['default']);
    expect(kinds(node({ ...BASE, scale }, { output: ['IMAGE'], output_name: ['image'] }))).toEqual(['output']);
    expect(kinds(node({ ...BASE, scale }, { output: ['IMAGE', 'MASK', 'INT'], output_name: ['image', 'mask', 'n'] }))).toEqual([
      'output-added',
    ]);
    expect(kinds(node({ ...BASE, scale }, { ...rest, output_node: true }))).toEqual(['output-node']);
  });

  it('says where an output went', () => {
    const swapped = classChanges(was, schema(node({ ...BASE, scale }, { output: ['MASK', 'IMAGE'], output_name: ['mask', 'image'] })));
    expect(swapped).toMatchObject([
      { kind: 'output', slot: 0, movedTo: 1 },
      { kind: 'output', slot: 1, movedTo: 0 },
    ]);
  });

  it('is nothing exactly where the hashes are the same, or only something grew', () => {
    const input = fc.oneof(
      fc
        .record({ default: fc.integer({ min: 0, max: 3 }), min: fc.integer({ min: -3, max: 0 }), max: fc.integer({ min: 3, max: 6 }) })
        .map((o) => ['INT', o]),
      fc.subarray(['x', 'y', 'z'], { minLength: 1 }).map((choices) => [choices]),
      fc.constantFrom(['MODEL'], ['CLIP'], ['STRING', { default: 'a' }]),
    );
    const entry = fc.record({
      required: fc.dictionary(fc.constantFrom('a', 'b', 'c'), input),
      output: fc.subarray(['IMAGE', 'MASK', 'INT']),
    });
    fc.assert(
      fc.property(entry, entry, (left, right) => {
        const [a, b] = [left, right].map(({ required, output }) => schema({ input: { required }, output, output_name: output }));
        if (a === undefined || b === undefined) throw new Error('two were made');
        expect(classChanges(a, a)).toEqual([]);
        const changes = [...classChanges(a, b), ...classChanges(b, a)];
        expect(changes.length > 0).toBe(schemaHash(a) !== schemaHash(b));
      }),
    );
  });
});
