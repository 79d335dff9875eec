/** Numbers of primitive nodes on their way into widgets; every expectation was recorded from front end 1.49.6. */
import { describe, expect, it } from 'vitest';
import { convert, type Link, workflow } from './support.ts';

/** What a primitive of this value makes of the named widgets of a `Scale` node each. */
function fed(value: unknown, ...names: readonly string[]): unknown[] {
  const type = (name: string): string => (['width', 'free', 'count'].includes(name) ? 'INT' : 'FLOAT');
  const primitive = { id: 1, type: 'PrimitiveNode', values: [value, 'fixed'] };
  const targets = names.map((name, at) => ({ id: at + 2, type: 'Scale', in: [[name, type(name), at + 10, true]] as const }));
  const links = names.map((_, at): Link => [at + 10, 1, 0, at + 2, 0]);
  const outputs = [{ name: 'x', type: '*', links: links.map(([id]) => id) }];
  const { nodes } = convert(workflow([{ ...primitive, more: { outputs } }, ...targets], links));
  return names.map((name, at) => nodes?.[String(at + 2)]?.[name]);
}

describe('numbers of primitives', () => {
  it.each([
    [21, 'width', 24],
    [20, 'width', 24],
    [5, 'width', 16],
    [99_999, 'width', 4096],
    [20.6, 'count', 21],
    [-5, 'count', 1],
    ['12', 'count', 12],
    [99_999, 'free', 99_999],
  ])('brings the integer %s into the range of %s and to its step: %s', (value, name, sent) => {
    expect(fed(value, name)).toEqual([sent]);
  });

  it.each([
    [7.5, 'cfg', 7.5],
    [7.55, 'cfg', 7.5],
    [8.125, 'cfg', 8.1],
    [0.049, 'cfg', 0.1],
    [150, 'cfg', 100],
    [-3, 'cfg', 0],
    [0.335, 'denoise', 0.34],
    [31, 'denoise', 1],
    [1e-9, 'denoise', 0],
    [0.12345, 'plain', 0.1],
  ])('rounds the number %s to the digits of the step of %s, within its range: %s', (value, name, sent) => {
    expect(fed(value, name)).toEqual([sent]);
  });

  it('keeps placeholders of templates, and numbers in the spelling of the file', () => {
    expect(fed('{steps}', 'count')).toEqual(['{steps}']);
    const seed = '18446744073709551615';
    const primitive = { id: 1, type: 'PrimitiveNode', values: [0.5], more: { outputs: [{ name: 'x', type: 'INT', links: [10] }] } };
    const ui = workflow([primitive, { id: 2, type: 'Sample', in: [['seed', 'INT', 10, true]] }], [[10, 1, 0, 2, 1]]);
    expect(convert(JSON.stringify(ui).replace('[0.5]', `[${seed}]`)).text).toContain(`"seed": ${seed}`);
  });

  it('sends to several widgets what all of them take, where their classes agree', () => {
    expect(fed(21, 'free', 'width')).toEqual([24, 24]);
    expect(fed(5, 'width', 'free')).toEqual([16, 16]);
    expect(fed(5000, 'count', 'free')).toEqual([100, 100]);
  });

  it('goes by the first of its widgets where the others cannot be brought together with it', () => {
    expect(fed(7.77, 'cfg', 'denoise')).toEqual([7.8, 1]);
    expect(fed(7.77, 'denoise', 'cfg')).toEqual([1, 1]);
  });
});
