import { describe, expect, it } from 'vitest';
import { infoForRender } from '#daemon/render-info.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { compileTemplate } from '#templates/compile.ts';
import { sourceOf } from '#templates/load.ts';

const info = parseObjectInfo('{"A": {"input": {"required": {}}, "output": []}}').info;
const workflow = { 1: { class_type: 'A', inputs: {} }, 2: { class_type: 'A', inputs: {} } };

function templateOf(steps: readonly object[]) {
  const manifest = { format: 1, id: 't', version: '1.0.0', steps };
  const files = { 'w.json': JSON.stringify(workflow), 'w2.json': '{"model_type": "t2v", "prompt": "x"}' };
  const { value } = compileTemplate(sourceOf(JSON.stringify(manifest), files));
  if (value === undefined) throw new Error('the template of the test does not compile');
  return value;
}

/** What a dry run of each step gets, and who was asked for it. */
async function asked(steps: readonly object[], known: readonly string[]) {
  const template = templateOf(steps);
  const ids: string[] = [];
  const { of, problems } = await infoForRender(template, {
    backends: [
      { id: 'wan', kind: 'wan2gp' },
      { id: 'box', kind: 'sandbox' },
      { id: 'one', kind: 'comfyui' },
      { id: 'two', kind: 'comfyui' },
    ],
    offers: {
      ask: (id) => {
        ids.push(id);
        return Promise.resolve({ id, ...(known.includes(id) && info !== undefined ? { info } : {}) });
      },
    },
  });
  return { ids, found: template.steps.map((step) => of(step)), told: problems.map(({ code, step }) => [code, step]) };
}

describe('object info for a dry run', () => {
  const steps = [
    { id: 'a', workflow: 'w.json' },
    { id: 'b', workflow: 'w.json' },
  ];

  it('is of the first backend of the step’s kind that has said what it has', async () => {
    expect(await asked(steps, ['box', 'one', 'two'])).toEqual({ ids: ['one'], found: [info, info], told: [] });
    expect(await asked(steps, ['two'])).toEqual({ ids: ['one', 'two'], found: [info, info], told: [] });
  });

  it('is of any other where none of the kind answers; where nobody does, that is told of each step', async () => {
    expect(await asked(steps, ['box'])).toMatchObject({ ids: ['one', 'two', 'box'], found: [info, info] });
    expect(await asked(steps, [])).toEqual({
      ids: ['one', 'two', 'box'],
      found: [undefined, undefined],
      told: [
        ['BACKEND_NOT_ASKED', 'a'],
        ['BACKEND_NOT_ASKED', 'b'],
      ],
    });
  });

  it('is asked of nobody for settings of Wan2GP', async () => {
    expect(await asked([{ id: 'a', backend: 'wan2gp', workflow: 'w2.json' }], ['one'])).toEqual({ ids: [], found: [undefined], told: [] });
  });
});
