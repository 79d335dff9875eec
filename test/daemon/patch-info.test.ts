import { describe, expect, it } from 'vitest';
import { infoForPatches } from '#daemon/patch-info.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { compileTemplate } from '#templates/compile.ts';
import { sourceOf } from '#templates/load.ts';

const info = parseObjectInfo('{"A": {"input": {"required": {}}, "output": []}}').info;
const workflow = { 1: { class_type: 'A', inputs: {} }, 2: { class_type: 'A', inputs: {} } };

function templateOf(patch: readonly object[]) {
  const manifest = {
    format: 1,
    id: 't',
    version: '1.0.0',
    steps: [{ id: 'a', workflow: 'w.json', ...(patch.length === 0 ? {} : { patch }) }],
  };
  const { value } = compileTemplate(sourceOf(JSON.stringify(manifest), { 'w.json': JSON.stringify(workflow) }));
  if (value === undefined) throw new Error('the template of the test does not compile');
  return value;
}

/** What a dry run of the step gets, and who was asked for it. */
async function asked(patch: readonly object[], known: readonly string[]) {
  const template = templateOf(patch);
  const [step] = template.steps;
  const ids: string[] = [];
  const found = await infoForPatches(template, {
    backends: [
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
  return { ids, found: step === undefined ? undefined : found(step) };
}

describe('object info for a dry run', () => {
  const patch = [{ bypass: '2' }];

  it('is of the first backend of the step’s kind that has said what it has', async () => {
    expect(await asked(patch, ['box', 'one', 'two'])).toEqual({ ids: ['one'], found: info });
    expect(await asked(patch, ['two'])).toEqual({ ids: ['one', 'two'], found: info });
  });

  it('is of any other where none of the kind answers, and nobody’s where nobody does', async () => {
    expect(await asked(patch, ['box'])).toEqual({ ids: ['one', 'two', 'box'], found: info });
    expect(await asked(patch, [])).toEqual({ ids: ['one', 'two', 'box'], found: undefined });
  });

  it('is asked of nobody for a step that never changes its graph', async () => {
    expect(await asked([], ['one'])).toEqual({ ids: [], found: undefined });
  });
});
