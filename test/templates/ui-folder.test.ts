/** Template folders whose workflow is in UI format. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTemplate } from '#templates/load.ts';
import { folderWith, manifest } from './support.ts';

const UI = {
  nodes: [
    {
      id: 6,
      type: 'CLIPTextEncode',
      mode: 0,
      inputs: [],
      outputs: [{ name: 'CONDITIONING', type: 'CONDITIONING', links: [] }],
      widgets_values: ['{prompt}'],
    },
    { id: 9, type: 'SaveText', mode: 0, inputs: [{ name: 'from', type: 'CONDITIONING', link: 1 }], outputs: [], widgets_values: [] },
  ],
  links: [[1, 6, 0, 9, 0, 'CONDITIONING']],
  version: 0.4,
};
const INFO = {
  CLIPTextEncode: { input: { required: { text: ['STRING', { multiline: true }] } }, output: ['CONDITIONING'] },
  SaveText: { input: { required: { from: ['CONDITIONING'] } }, output: [], output_node: true },
};
const folder = (files: Readonly<Record<string, string | object>>) =>
  folderWith({
    'template.json': manifest({
      parameters: { prompt: { type: 'text', default: '' } },
      steps: [{ id: 'main', workflow: 'w.json', outputs: { text: '9' } }],
      outputs: {},
    }),
    'w.json': UI,
    ...files,
  });

describe('a template folder with a workflow in UI format', () => {
  it('runs what it is converted to with the object info that lies beside it', async () => {
    const { template, problems } = await loadTemplate(await folder({ 'object_info.json': INFO }));
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    const step = template?.steps[0];
    expect([...(step?.graph.nodes.keys() ?? [])]).toEqual(['6', '9']);
    expect(step?.sites.map(({ node, input }) => `${node}.${input}`)).toEqual(['6.text']);
  });

  it('takes an object info that was handed in', async () => {
    const elsewhere = await folderWith({ 'saved.json': INFO });
    const { template } = await loadTemplate(await folder({}), { infoFiles: [join(elsewhere, 'saved.json')] });
    expect(template?.steps[0]?.graph.nodes.size).toBe(2);
  });

  it('says how to give one where there is none', async () => {
    const { template, problems } = await loadTemplate(await folder({}));
    expect(template).toBeUndefined();
    expect(problems).toContainEqual(
      expect.objectContaining({ code: 'TEMPLATE_WORKFLOW_UI_FORMAT', hint: expect.stringContaining('object_info.json beside the file') }),
    );
  });

  it('names what cannot be converted with its place in the file, once', async () => {
    const path = await folder({ 'object_info.json': { SaveText: INFO.SaveText } });
    const { template, problems } = await loadTemplate(path);
    expect(template).toBeUndefined();
    expect(problems.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'CONVERT_CLASS_UNKNOWN', file: join(path, 'w.json'), node: '6', line: expect.any(Number) as number },
    ]);
  });
});
