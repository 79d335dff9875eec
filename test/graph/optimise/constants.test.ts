import { describe, expect, it } from 'vitest';
import { constants } from '#graph/optimise/constants.ts';
import { ids, INFO, type Plain, TEXT_TO_IMAGE, tried } from './support.ts';

const only = [constants];
const primitive = (type: string, value: unknown): Plain[string] => ({ class_type: `Primitive${type}`, inputs: { value } });
/** The text-to-image graph with one input linked to node 50. */
const linked = (node: string, input: string, slot: number, more: Plain): Plain => {
  const whole = TEXT_TO_IMAGE[node] ?? { class_type: '', inputs: {} };
  return { ...TEXT_TO_IMAGE, [node]: { ...whole, inputs: { ...whole.inputs, [input]: ['50', slot] } }, ...more };
};
const folded = (graph: Plain | string, node: string, input: string): unknown => tried(graph, [], only).plain[node]?.inputs[input];

describe('a primitive', () => {
  it.each([
    ['seed', 'Int', 9_007_199_254_740_991],
    ['steps', 'Int', 7],
    ['cfg', 'Float', 7.5],
    ['denoise', 'Float', 0.25],
  ])('gives its value to %s and goes', (input, type, value) => {
    const result = tried(linked('3', input, 0, { '50': primitive(type, value) }), [], only);
    expect(result.plain['3']?.inputs[input]).toBe(value);
    expect(result.told).toEqual(['constants: 50']);
  });

  it('keeps every digit of a seed of 64 bits', () => {
    const graph = JSON.stringify(linked('3', 'seed', 0, { '50': primitive('Int', 'SEED') })).replace('"SEED"', '9223372036854775807');
    expect(tried(graph, [], only).text).toContain('"seed":9223372036854775807');
  });

  it('stays a float where Python would read an int', () => {
    const graph = JSON.stringify(linked('3', 'cfg', 0, { '50': primitive('Float', 'CFG') }), undefined, 1).replace('"CFG"', '8');
    expect(tried(graph, [], only).text).toContain('"cfg": 8.0');
  });

  it('is read as the server coerces it', () => {
    expect(folded(linked('3', 'steps', 0, { '50': primitive('Int', '12') }), '3', 'steps')).toBe(12);
    expect(folded(linked('3', 'steps', 0, { '50': primitive('Int', 12.9) }), '3', 'steps')).toBe(12);
  });

  it('of a text may be anything that JSON can hold', () => {
    const text = 'a "fox"\n\u2028 {seed} ❤ \ud83d\ude00';
    expect(folded(linked('6', 'text', 0, { '50': primitive('StringMultiline', text) }), '6', 'text')).toBe(text);
  });

  it('goes once nobody takes it any more, and stays for who cannot take a constant', () => {
    const both = linked('3', 'steps', 0, {
      '50': primitive('Int', 7),
      '51': { class_type: 'PackUpscale', inputs: { image: ['50', 0] } },
      '52': { class_type: 'PackSave', inputs: { images: ['51', 0] } },
    });
    const result = tried(both, [], only);
    expect(result.plain['3']?.inputs['steps']).toBe(7);
    expect(ids(result)).toContain('50');
    expect(result.savings).toEqual([]);
  });
});

describe('a link stays', () => {
  it.each([
    [
      'where the value is out of the bounds of the input, which hold for constants only',
      linked('3', 'steps', 0, { '50': primitive('Int', 20_000) }),
    ],
    ['where the primitive itself is out of bounds and the server would say so', linked('3', 'seed', 0, { '50': primitive('Int', -1) })],
    ['where the type is another', linked('3', 'cfg', 0, { '50': primitive('Int', 8) })],
    ['where a choice is not among those of the server', linked('3', 'sampler_name', 0, { '50': primitive('String', 'my_sampler') })],
    ['where a number stands for a text, whose spelling is Python’s', linked('6', 'text', 0, { '50': primitive('String', 8.5) })],
    ['where the class is of a pack', linked('3', 'seed', 0, { '50': { class_type: 'PackDice', inputs: { sides: 6 } } })],
  ])('%s', (_, graph) => {
    expect(tried(graph, [], only).text).toBe(JSON.stringify(graph, undefined, 2));
  });

  it('into a node that checks its constants by rules of its own', () => {
    const graph: Plain = {
      '1': { class_type: 'LoadImage', inputs: { image: ['50', 0] } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
      '50': primitive('String', 'made-later.png'),
    };
    expect(tried(graph, [], only).savings).toEqual([]);
  });

  it('into a node of a pack', () => {
    const classes = new Map(INFO.classes);
    const sampler = classes.get('KSampler');
    if (sampler !== undefined) classes.set('KSampler', { ...sampler, pythonModule: 'custom_nodes.sampler' });
    expect(tried(linked('3', 'steps', 0, { '50': primitive('Int', 7) }), [], only, { classes }).savings).toEqual([]);
  });
});

describe('what is made of known values', () => {
  const join: Plain[string] = { class_type: 'StringConcatenate', inputs: { string_a: ['51', 0], string_b: 'at dawn', delimiter: ', ' } };

  it('is joined, and the whole chain goes', () => {
    const result = tried(linked('6', 'text', 0, { '50': join, '51': primitive('String', 'a fox') }), [], only);
    expect(result.plain['6']?.inputs['text']).toBe('a fox, at dawn');
    expect(result.told).toEqual(['constants: 51 50']);
  });

  it('is computed, as an integer and as a float', () => {
    const math: Plain = {
      '50': { class_type: 'ComfyMathExpression', inputs: { expression: 'a // 2 + b', 'values.a': ['51', 0], 'values.b': 3 } },
      '51': primitive('Int', 9),
    };
    expect(folded(linked('3', 'steps', 1, math), '3', 'steps')).toBe(7);
    expect(tried(linked('3', 'cfg', 0, math), [], only).text).toContain('"cfg": 7.0');
  });

  it('is switched by a value that is known', () => {
    const choose: Plain = {
      '50': { class_type: 'ComfySwitchNode', inputs: { switch: ['51', 0], on_false: 'day', on_true: 'night' } },
      '51': { class_type: 'ComfyNotNode', inputs: { value: '' } },
    };
    expect(folded(linked('6', 'text', 0, choose), '6', 'text')).toBe('night');
  });

  it('may be a file name prefix, whose folder is the attempt’s own then', () => {
    const graph = linked('9', 'filename_prefix', 0, { '50': primitive('String', 'hero/shot') });
    expect(folded(graph, '9', 'filename_prefix')).toBe('hero/shot');
  });
});
