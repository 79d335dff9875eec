import { describe, expect, it } from 'vitest';
import { createNodeNames } from '#actors/node-names.ts';
import { toErrorData } from '#protocol/errors.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { compileTemplate } from '#templates/compile.ts';
import { sourceOf } from '#templates/load.ts';

const workflow = { 4: { class_type: 'A', inputs: {} }, '12:3': { class_type: 'B', inputs: { x: ['4', 0] } } };
const manifest = { format: 1, id: 't', version: '1.0.0', steps: [{ id: 'a', workflow: 'w.json' }] };
const { value: template } = compileTemplate(sourceOf(JSON.stringify(manifest), { 'w.json': JSON.stringify(workflow) }));

describe('nodes that patches put in', () => {
  it('are told of as the nodes that they stand for, in progress, in errors and in their problems', () => {
    if (template === undefined) throw new Error('the template of the test does not compile');
    const names = createNodeNames({ template }, 'a');
    expect([names.of('4:patch1-lora1'), names.of('12:3'), names.of(undefined)]).toEqual(['4', '12:3', undefined]);
    const error = toErrorData(
      new CallsheetError('PROMPT_REJECTED', 'No.', {
        node: '12:3:patch1-a',
        problems: [
          { code: 'INPUT_CHOICE', severity: 'error', message: 'No.', node: '4:patch2-x' },
          { code: 'X', severity: 'error', message: 'No.' },
        ],
      }),
    );
    expect(names.ofError(error)).toMatchObject({ node: '12:3', problems: [{ node: '4' }, { code: 'X' }] });
  });

  it('keep their ids where the step is not known', () => {
    if (template === undefined) throw new Error('the template of the test does not compile');
    expect(createNodeNames({ template }, 'gone').of('4:patch1-lora1')).toBe('4:patch1-lora1');
  });
});
