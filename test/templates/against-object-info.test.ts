import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import { checkTemplateAgainst } from '#templates/against-object-info.ts';
import { compileTemplate } from '#templates/compile.ts';
import { sourceOf } from '#templates/load.ts';

const info = parseObjectInfo(
  JSON.stringify({
    Noise: { input: { required: { seed: ['INT', { min: 0, max: 10 }], mode: [['soft', 'hard']] } }, output: ['IMAGE'] },
    Save: { input: { required: { images: ['IMAGE'] } }, output: [], output_node: true },
  }),
).info;

function check(inputs: object, set: object = {}) {
  const workflow = { 1: { class_type: 'Noise', inputs }, 2: { class_type: 'Save', inputs: { images: ['1', 0] } } };
  const steps = [{ id: 'main', workflow: 'w.json', set }];
  const manifest = { format: 1, id: 't', version: '1.0.0', parameters: { seed: { type: 'seed', maximum: 10 } }, steps };
  const { value } = compileTemplate(sourceOf(JSON.stringify(manifest), { 'w.json': JSON.stringify(workflow) }));
  if (value === undefined || info === undefined) throw new Error('the template of the test does not compile');
  return checkTemplateAgainst(value, info, (name) => `folder/${name}`);
}

describe('a template against object info', () => {
  it('names file, step, node and input of what the server would refuse', () => {
    expect(check({ seed: '{seed}', mode: 'loud' })).toEqual([
      expect.objectContaining({ severity: 'error', file: 'folder/w.json', step: 'main', node: '1', input: 'mode', line: 1 }),
    ]);
  });

  it('judges nothing that a placeholder or `set` will write', () => {
    expect(check({ seed: '{seed}', mode: 'soft' })).toEqual([]);
    expect(check({ seed: 99, mode: 'soft' }, { '1.seed': '{seed}' })).toEqual([]);
    expect(check({ seed: 99, mode: 'soft' })).toHaveLength(1);
  });
});
