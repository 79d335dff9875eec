import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import { checkParameters } from '#templates/parameters.ts';
import { loadTemplate } from '#templates/load.ts';
import type { CompiledTemplate } from '#templates/compile.ts';
import { readLockIn } from '#templates/class-lock.ts';
import { scaffold } from '#templates/scaffold.ts';
import type { NamedInfo } from '#templates/nearby-info.ts';
import { folderWith, GRAPH, renderedText, scope } from './support.ts';

const INFO: NamedInfo = (() => {
  const classes = {
    EmptyLatentImage: {
      input: { required: { width: ['INT', { min: 16, max: 4096, step: 8 }], height: ['INT', {}], batch_size: ['INT', {}] } },
      output: ['LATENT'],
    },
    SaveLatent: { input: { required: { samples: ['LATENT'], filename_prefix: ['STRING', {}] } }, output: [], output_node: true },
  };
  const { info } = parseObjectInfo(JSON.stringify(classes));
  if (info === undefined) throw new Error('no object info');
  return { info, name: 'object_info.json' };
})();

const UI = {
  version: 0.4,
  nodes: [
    {
      id: 1,
      type: 'EmptyLatentImage',
      mode: 0,
      inputs: [],
      outputs: [{ name: 'LATENT', type: 'LATENT', links: [1] }],
      widgets_values: [640, 512, 1],
    },
    { id: 2, type: 'SaveLatent', mode: 0, inputs: [{ name: 'samples', type: 'LATENT', link: 1 }], outputs: [], widgets_values: ['out'] },
  ],
  links: [[1, 1, 0, 2, 0, 'LATENT']],
  extra: { linearData: { inputs: [['1', 'width']], outputs: ['2'] } },
};

async function loaded(path: string): Promise<CompiledTemplate> {
  const { template, problems } = await loadTemplate(path);
  expect(problems).toEqual([]);
  if (template === undefined) throw new Error('not loaded');
  return template;
}

/** The graph when nothing is given but the seed. */
async function byDefault(template: CompiledTemplate): Promise<string> {
  const { value } = await checkParameters(
    template,
    {},
    {
      drawSeed: () => 5n,
      resolveMedia: () => Promise.reject(new Error('no file was given')),
      resolveDirectory: async (path) => path,
    },
  );
  return renderedText(template, scope(value ?? {}), template.steps[0]?.id);
}

describe('a new template', () => {
  it('[TN1] from a workflow loads without problems and renders the same graph', async () => {
    const folder = await folderWith({ 'My scene.json': GRAPH });
    const from = join(folder, 'My scene.json');
    const { path, files, problems } = await scaffold({ id: 'scene', directory: join(folder, 'out'), from });
    expect(problems).toEqual([]);
    expect(files).toEqual(['My scene.json', 'template.json']);
    const template = await loaded(path);
    expect(template).toMatchObject({ id: 'scene', version: '1.0.0' });
    expect(await byDefault(template)).toBe(await byDefault((await loadTemplate(from)).template ?? template));
    expect([...template.parameters.keys()]).toContain('prompt');
  });

  it('[TN1] keeps the file of the workflow byte for byte', async () => {
    const folder = await folderWith({});
    const bytes = Buffer.from(`\uFEFF{ "1":{"class_type":"Odd",\r\n"inputs":{"x":8.0,"n":18446744073709551615}} }`);
    await writeFile(join(folder, 'w.json'), bytes);
    const { path } = await scaffold({ id: 'odd', directory: folder, from: join(folder, 'w.json') });
    expect(await readFile(join(path, 'w.json'))).toEqual(bytes);
    await loaded(path);
  });

  it('[TN2] from a workflow in UI format runs what it was converted to', async () => {
    const folder = await folderWith({ 'app.json': UI });
    const from = join(folder, 'app.json');
    const { path, files } = await scaffold({ id: 'app', directory: folder, from, info: INFO });
    expect(files).toEqual(['app.json', 'app.api.json', 'template.lock.json', 'template.json']);
    expect(readLockIn(path)?.lock?.classes.size).toBeGreaterThan(0);
    expect(await readFile(join(path, 'app.json'))).toEqual(await readFile(from));
    const template = await loaded(path);
    expect(template.parameters.get('width')).toMatchObject({ type: 'integer', maximum: 4096, default: 640 });
    expect(JSON.parse(await byDefault(template))).toMatchObject({ '1': { inputs: { width: 640, height: 512 } } });
  });

  it('[TN2] from Wan2GP settings goes to Wan2GP', async () => {
    const folder = await folderWith({ 's.json': { model_type: 't2v', prompt: 'a fox', seed: -1 } });
    const template = await loaded((await scaffold({ id: 's', directory: join(folder, 'out'), from: join(folder, 's.json') })).path);
    expect(template.steps[0]?.backend).toBe('wan2gp');
    expect(JSON.parse(await byDefault(template))).toEqual({ model_type: 't2v', prompt: 'a fox', seed: 5 });
  });

  it('[TN3] from nothing is a small one with remarks that loads', async () => {
    const folder = await folderWith({});
    const { path } = await scaffold({ id: 'first-one', directory: folder });
    const template = await loaded(path);
    expect(template.manifest).toMatchObject({ title: 'First one', steps: [{ backend: 'comfyui' }] });
    expect(await readFile(join(path, 'template.json'), 'utf8')).toContain('"$comment"');
  });

  it.each([
    [
      'a folder',
      async (path: string) => {
        await mkdir(path);
      },
    ],
    ['a file', (path: string) => writeFile(path, 'mine')],
  ])('[TN4] is never written over %s', async (_, put) => {
    const folder = await folderWith({});
    await put(join(folder, 'taken'));
    await expect(scaffold({ id: 'taken', directory: folder })).rejects.toMatchObject({ code: 'TEMPLATE_EXISTS' });
    expect(await readdir(folder)).toEqual(['taken']);
  });

  it('[TN4] of one id is made once, however often it is asked for at the same time', async () => {
    const folder = await folderWith({});
    const tries = await Promise.allSettled(Array.from({ length: 5 }, () => scaffold({ id: 'one', directory: folder })));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['one']);
    await loaded(join(folder, 'one'));
  });

  it.each([
    ['UI format without object info', UI, 'TEMPLATE_WORKFLOW_UI_FORMAT'],
    ['other JSON', { name: 'x' }, 'TEMPLATE_WORKFLOW_FORMAT'],
    ['a broken graph', { '1': { class_type: 'A', inputs: { x: ['9', 0] } } }, 'GRAPH_LINK_DANGLING'],
  ])('[TN4] is not made of %s, and nothing is left behind', async (_, content, code) => {
    const folder = await folderWith({ 'w.json': content });
    await expect(scaffold({ id: 'w', directory: folder, from: join(folder, 'w.json') })).rejects.toMatchObject({
      code: 'TEMPLATE_NOT_RUNNABLE',
      data: { problems: expect.arrayContaining([expect.objectContaining({ code })]) },
    });
    expect(await readdir(folder)).toEqual(['w.json']);
  });

  it.each(['', 'Ä', '../x', 'a b', '-a'])('[TN4] cannot have the id %j', async (id) => {
    await expect(scaffold({ id, directory: '/nowhere' })).rejects.toMatchObject({ code: 'INVALID_PARAMS' });
  });

  it('[TN5] tells prompts, pictures, sizes and models apart by what the graph does with them', async () => {
    const folder = await folderWith({
      'w.json': {
        ...GRAPH,
        '3': { class_type: 'KSampler', inputs: { ...GRAPH['3'].inputs, negative: ['7', 0] } },
        '7': { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['4', 1] } },
      },
    });
    const { parameters } = await loaded((await scaffold({ id: 'w', directory: folder, from: join(folder, 'w.json') })).path);
    expect([...parameters].map(([name, { type, group }]) => [name, type, group])).toEqual([
      ['prompt', 'text', undefined],
      ['negative', 'text', undefined],
      ['seed', 'seed', 'Sampling'],
      ['sampling_steps', 'integer', 'Sampling'],
      ['cfg', 'number', 'Sampling'],
      ['ckpt_name', 'model', 'Models'],
      ['width', 'integer', 'Size'],
      ['height', 'integer', 'Size'],
      ['image', 'image', undefined],
    ]);
  });
});
