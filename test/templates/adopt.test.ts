import fc from 'fast-check';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { adopt, type AdoptOptions } from '#templates/adopt.ts';
import { compileTemplate, type CompiledTemplate } from '#templates/compile.ts';
import { createLibrary } from '#templates/library.ts';
import { loadTemplate, sourceOf } from '#templates/load.ts';
import { folderWith, GRAPH, put, rendered, scope } from './support.ts';

/** Rounded as JSON.stringify writes it; `infoOf` puts the digits back. */
const SEED_MAXIMUM = Number(2n ** 64n - 1n);
const INFO = {
  KSampler: {
    input: {
      required: {
        model: ['MODEL'],
        seed: ['INT', { default: 0, min: 0, max: SEED_MAXIMUM, control_after_generate: true }],
        steps: ['INT', { default: 20, min: 1, max: 10000, tooltip: 'How many.' }],
        cfg: ['FLOAT', { default: 8.0, min: 0.0, max: 100.0, step: 0.1, round: 0.01 }],
        sampler_name: [['euler', 'heun'], { advanced: true }],
        positive: ['CONDITIONING'],
        latent_image: ['LATENT'],
      },
    },
    output: ['LATENT'],
  },
  EmptyLatentImage: {
    input: {
      required: {
        width: ['INT', { default: 512, min: 16, max: 16384, step: 8, display: 'slider' }],
        height: ['INT', { default: 512, min: 64, max: 4096, step: 8 }],
        batch_size: ['INT', { default: 1, min: 1, max: 4096 }],
      },
    },
    output: ['LATENT'],
  },
  CheckpointLoaderSimple: { input: { required: { ckpt_name: [['a.safetensors', 'b.ckpt']] } }, output: ['MODEL', 'CLIP', 'VAE'] },
  CLIPTextEncode: { input: { required: { text: ['STRING', { multiline: true }], clip: ['CLIP'] } }, output: ['CONDITIONING'] },
  LoadImage: { input: { required: { image: [['example.png'], { image_upload: true }] } }, output: ['IMAGE', 'MASK'] },
  SaveImage: {
    input: { required: { images: ['IMAGE'], filename_prefix: ['STRING', { default: 'ComfyUI' }] } },
    output: [],
    output_node: true,
  },
  Toggle: {
    input: { required: { on: ['BOOLEAN', { default: true }], tint: ['COLOR', { default: '#FF0000' }], remote: ['COMBO', { remote: {} }] } },
    output: ['INT'],
  },
};

function infoOf(value: object): ObjectInfo {
  const { info } = parseObjectInfo(JSON.stringify(value).replaceAll('18446744073709552000', '18446744073709551615'));
  if (info === undefined) throw new Error('no object info');
  return info;
}
const info = infoOf(INFO);

const textOf = (value: object | string): string => (typeof value === 'string' ? value : JSON.stringify(value));

function adopted(workflow: object | string, options: AdoptOptions = {}): CompiledTemplate {
  const { manifest, workflow: text, problems } = adopt(textOf(workflow), 'w.json', 'w.json', options);
  if (manifest === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  const compiled = compileTemplate(sourceOf(manifest, { 'w.json': text }));
  if (compiled.value === undefined) throw new Error(compiled.problems.map(({ message }) => message).join('\n'));
  return compiled.value;
}

const parametersOf = (template: CompiledTemplate): Record<string, object> => Object.fromEntries(template.parameters);
const one = (classType: string, inputs: object): object => ({ '1': { class_type: classType, inputs } });

describe('parameters of placeholders', () => {
  it('[TA1] take type, bounds, increments, choices and defaults from object info', () => {
    const graph = {
      '1': { class_type: 'KSampler', inputs: { seed: '{seed}', steps: '{count}', cfg: '{cfg}', sampler_name: '{sampler}' } },
      '2': { class_type: 'EmptyLatentImage', inputs: { width: '{width}', height: 512, batch_size: 1 } },
      '3': { class_type: 'Toggle', inputs: { on: '{on}', tint: '{tint}', remote: '{remote}' } },
      '4': { class_type: 'LoadImage', inputs: { image: '{picture}' } },
      '5': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: '{model}' } },
      '6': { class_type: 'CLIPTextEncode', inputs: { text: '{prompt}' } },
    };
    expect(parametersOf(adopted(graph, { info }))).toMatchObject({
      seed: { type: 'seed' },
      count: { type: 'integer', minimum: 1, maximum: 10000, default: 20, description: 'How many.' },
      cfg: { type: 'number', minimum: 0, maximum: 100, step: 0.1, default: 8 },
      sampler: { type: 'choice', choices: ['euler', 'heun'], default: 'euler', advanced: true },
      width: { type: 'integer', minimum: 16, maximum: 16384, step: 8, widget: 'slider', default: 512 },
      on: { type: 'boolean', default: true },
      tint: { type: 'color', default: '#ff0000' },
      remote: { type: 'string' },
      picture: { type: 'image' },
      model: { type: 'model', folder: 'checkpoints' },
      prompt: { type: 'text' },
    });
    expect(parametersOf(adopted(graph, { info }))['prompt']).not.toHaveProperty('default');
  });

  it('[TA1] go by well-known names where nothing describes the input', () => {
    const graph = one('KSampler', { seed: '{seed}', cfg: '{cfg}', denoise: '{much}', other: '{other}' });
    expect(parametersOf(adopted(graph))).toMatchObject({
      seed: { type: 'seed' },
      cfg: { type: 'number', minimum: 0 },
      much: { type: 'number', minimum: 0, maximum: 1 },
      other: { type: 'string' },
    });
  });

  it('[TA2] fit every input that they fill', () => {
    const graph = {
      '1': { class_type: 'EmptyLatentImage', inputs: { width: '{size}', height: '{size}', batch_size: 1 } },
      '2': { class_type: 'CLIPTextEncode', inputs: { text: '{size} pixels of {subject}' } },
    };
    const { size, subject } = parametersOf(adopted(graph, { info }));
    expect(size).toMatchObject({ type: 'integer', minimum: 64, maximum: 4096, default: 512 });
    expect(subject).toMatchObject({ type: 'string' });
  });

  it('[TA2] are lists where one item is taken from them', () => {
    const graph = one('KSampler', { steps: '{m[0]}', cfg: '{m[1]}', sampler_name: 'of {names[2]}' });
    expect(parametersOf(adopted(graph, { info }))).toMatchObject({
      m: { type: 'list', of: 'integer' },
      names: { type: 'list', of: 'string' },
    });
  });

  it('[TA2] are texts where they are filtered or stand within more text', () => {
    const graph = one('KSampler', { seed: '{n|pad:4}', cfg: 'about {k}' });
    expect(Object.values(parametersOf(adopted(graph, { info }))).map((each) => ('type' in each ? each.type : ''))).toEqual([
      'string',
      'string',
    ]);
  });

  it('[TA2] need not be given where something stands to fall back on', () => {
    const { a, b } = parametersOf(adopted(one('CLIPTextEncode', { text: '{a ?? b}' })));
    expect(a).toMatchObject({ type: 'text', default: null });
    expect(b).not.toHaveProperty('default');
  });

  it('[TA3] say where they come from', () => {
    const { seed } = parametersOf(adopted(one('KSampler', { seed: '{seed}' }), { info, infoName: 'object_info.json' }));
    expect(seed).toMatchObject({ origin: '{seed} in 1.seed (KSampler); type by object_info.json' });
    const { other } = parametersOf(adopted(one('Odd', { x1: 'an {other}' })));
    expect(other).toMatchObject({ origin: '{other} in 1.x1 (Odd); type by its place within longer texts' });
  });
});

/** A workflow in UI format: a sampler at the root, and a subgraph that shows the width of what is inside. */
function ui(linearData: object, control = 'randomize'): object {
  return {
    version: 0.4,
    last_node_id: 20,
    nodes: [
      {
        id: 3,
        type: 'KSampler',
        mode: 0,
        inputs: [
          { name: 'model', type: 'MODEL', link: 1 },
          { name: 'positive', type: 'CONDITIONING', link: 2 },
          { name: 'latent_image', type: 'LATENT', link: 3 },
        ],
        outputs: [{ name: 'LATENT', type: 'LATENT', links: [4] }],
        widgets_values: [42, control, 20, 8, 'euler'],
      },
      {
        id: 4,
        type: 'CheckpointLoaderSimple',
        mode: 0,
        inputs: [],
        outputs: [
          { name: 'MODEL', type: 'MODEL', links: [1] },
          { name: 'CLIP', type: 'CLIP', links: [5] },
          { name: 'VAE', type: 'VAE', links: [] },
        ],
        widgets_values: ['a.safetensors'],
      },
      {
        id: 6,
        type: 'CLIPTextEncode',
        mode: 0,
        title: 'What to draw',
        inputs: [{ name: 'clip', type: 'CLIP', link: 5 }],
        outputs: [{ name: 'CONDITIONING', type: 'CONDITIONING', links: [2] }],
        widgets_values: ['a fox'],
      },
      {
        id: 12,
        type: 'aaaaaaaa-0000-4000-8000-000000000001',
        mode: 0,
        inputs: [],
        outputs: [{ name: 'LATENT', type: 'LATENT', links: [3] }],
        properties: { proxyWidgets: [['7', 'height']] },
        widgets_values: [],
      },
      { id: 9, type: 'SaveImage', mode: 0, inputs: [{ name: 'images', type: 'IMAGE', link: 4 }], outputs: [], widgets_values: ['out'] },
    ],
    links: [
      [1, 4, 0, 3, 0, 'MODEL'],
      [2, 6, 0, 3, 1, 'CONDITIONING'],
      [3, 12, 0, 3, 2, 'LATENT'],
      [4, 3, 0, 9, 0, '*'],
      [5, 4, 1, 6, 0, 'CLIP'],
    ],
    definitions: {
      subgraphs: [
        {
          id: 'aaaaaaaa-0000-4000-8000-000000000001',
          name: 'Size',
          inputNode: { id: -10 },
          outputNode: { id: -20 },
          inputs: [],
          outputs: [{ id: 'o', name: 'LATENT', type: 'LATENT', linkIds: [1] }],
          nodes: [
            {
              id: 7,
              type: 'EmptyLatentImage',
              mode: 0,
              inputs: [],
              outputs: [{ name: 'LATENT', type: 'LATENT', links: [1] }],
              widgets_values: [640, 384, 1],
            },
          ],
          links: [{ id: 1, origin_id: 7, origin_slot: 0, target_id: -20, target_slot: 0, type: 'LATENT' }],
        },
      ],
    },
    extra: { linearData },
  };
}

describe('parameters of the app mode', () => {
  it('[TA4] begin with the values of the workflow and go where the form goes', () => {
    const template = adopted(
      ui({
        inputs: [
          ['3', 'steps'],
          [3, 'cfg', { description: 'How strict' }],
          ['6', 'text'],
          ['4', 'ckpt_name'],
        ],
        outputs: ['9'],
      }),
      { info },
    );
    expect(parametersOf(template)).toMatchObject({
      sampling_steps: { type: 'integer', default: 20, minimum: 1, origin: 'app mode of the workflow: 3.steps (KSampler)' },
      cfg: { type: 'number', default: 8, description: 'How strict' },
      text: { type: 'text', default: 'a fox' },
      ckpt_name: { type: 'model', default: 'a.safetensors', folder: 'checkpoints' },
    });
    expect(template.steps[0]?.outputs).toEqual({ image: '9' });
    const graph = rendered(template, scope({ sampling_steps: 5, cfg: 3, text: 'a cat', ckpt_name: 'b.ckpt' }), 'main');
    expect(graph['3']?.inputs).toMatchObject({ steps: 5, cfg: 3 });
    expect(graph['6']?.inputs).toMatchObject({ text: 'a cat' });
  });

  it.each([
    ['randomize', undefined],
    ['fixed', 42],
  ])('[TA4] draw a seed unless the workflow keeps it (%s)', (control, expected) => {
    const { seed } = parametersOf(adopted(ui({ inputs: [['3', 'seed']], outputs: [] }, control), { info }));
    expect(seed).toMatchObject({ type: 'seed' });
    expect(seed !== undefined && 'default' in seed ? seed.default : undefined).toBe(expected);
  });

  it.each([
    ['a path', ['12:7', 'width']],
    ['the inner node alone', ['7', 'width']],
    ['a promoted widget', ['12', 'height']],
    ['an identity of 2026', ['bbbbbbbb-0000-4000-8000-000000000001:12:height', 'height']],
  ])('[TA5] reach inputs inside a subgraph by %s', (_, entry) => {
    const template = adopted(ui({ inputs: [entry], outputs: [] }), { info });
    const name = String(entry[1]);
    expect(parametersOf(template)).toMatchObject({ [name]: { type: 'integer', default: name === 'width' ? 640 : 384 } });
    expect(rendered(template, scope({ [name]: 96 }), 'main')['12:7']?.inputs[name]).toBe(96);
  });

  it('[TA5] reach every input that a primitive feeds', () => {
    const workflow = ui({ inputs: [['30', 'value']], outputs: [] });
    const nodes = 'nodes' in workflow && Array.isArray(workflow.nodes) ? workflow.nodes : [];
    const links = 'links' in workflow && Array.isArray(workflow.links) ? workflow.links : [];
    const fed = (node: { id: number; inputs?: object[] }) =>
      node.id === 3
        ? { ...node, inputs: [...(node.inputs ?? []), { name: 'steps', type: 'INT', link: 50, widget: { name: 'steps' } }] }
        : node;
    const primitive = {
      id: 30,
      type: 'PrimitiveNode',
      mode: 0,
      inputs: [],
      outputs: [{ name: 'INT', type: 'INT', links: [50], widget: { name: 'steps' } }],
      widgets_values: [33, 'fixed'],
    };
    const template = adopted({ ...workflow, nodes: [...nodes.map(fed), primitive], links: [...links, [50, 30, 0, 3, 3, 'INT']] }, { info });
    expect(parametersOf(template)).toMatchObject({ value: { type: 'integer', default: 33, maximum: 10000 } });
    expect(rendered(template, scope({ value: 7 }), 'main')['3']?.inputs['steps']).toBe(7);
  });

  it('[TA5] warn of an input that cannot be reached, with its place', () => {
    const text = JSON.stringify(
      ui({
        inputs: [
          ['3', 'model'],
          ['77', 'x'],
          ['3', 'control_after_generate'],
          ['3', 'cfg'],
        ],
        outputs: [],
      }),
      null,
      1,
    );
    const { problems, manifest } = adopt(text, 'w.json', 'w.json', { info });
    expect(problems.filter(({ code }) => code === 'TEMPLATE_APP_INPUT')).toMatchObject([
      { severity: 'warning', pointer: '/extra/linearData/inputs/0', node: '3', input: 'model' },
      { severity: 'warning', pointer: '/extra/linearData/inputs/1' },
    ]);
    expect(manifest).toContain('"cfg"');
  });

  it('[TA6] are told apart by titles and ids', () => {
    const two = {
      ...ui({
        inputs: [
          ['6', 'text'],
          ['8', 'text'],
          ['18', 'text'],
        ],
        outputs: [],
      }),
    };
    const encode = (id: number, title?: string) => ({
      id,
      type: 'CLIPTextEncode',
      mode: 0,
      inputs: [{ name: 'clip', type: 'CLIP', link: null }],
      outputs: [],
      widgets_values: ['x'],
      ...(title === undefined ? {} : { title }),
    });
    const nodes = 'nodes' in two && Array.isArray(two.nodes) ? two.nodes : [];
    const template = adopted({ ...two, nodes: [...nodes, encode(8), encode(18, 'Steps')] }, { info });
    expect([...template.parameters.keys()]).toEqual(['what_to_draw', 'text_8', 'sampling_steps']);
  });

  it('[TA7] need object info, and say so', () => {
    expect(adopt(JSON.stringify(ui({ inputs: [], outputs: [] })), 'w.json', 'w.json').problems).toMatchObject([
      { code: 'TEMPLATE_WORKFLOW_UI_FORMAT', hint: expect.stringContaining('object_info.json') },
    ]);
  });
});

describe('outputs', () => {
  const save = (title?: string): object => ({
    class_type: 'SaveImage',
    inputs: { images: ['1', 0] },
    ...(title === undefined ? {} : { _meta: { title } }),
  });
  const source = { class_type: 'LoadImage', inputs: { image: 'x.png' } };

  it('[TA8] are the nodes that save files, by their titles', () => {
    const template = adopted({
      '1': source,
      '2': save('Save Image'),
      '3': save('Close-up of the face'),
      '4': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    });
    expect(template.steps[0]?.outputs).toEqual({ image: '2', close_up_of_the_face: '3' });
    expect(template.manifest.outputs).toMatchObject({ close_up_of_the_face: { title: 'Close-up of the face', asset: { kind: 'image' } } });
  });

  it('[TA8] are previews where nothing is saved', () => {
    expect(adopted({ '1': source, '4': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } } }).steps[0]?.outputs).toEqual({
      image: '4',
    });
  });

  it('[TA8] are all files as soon as a node may give others', () => {
    const graph = { '1': source, '2': save(), '5': { class_type: 'SomethingThatSaves', inputs: { images: ['1', 0] } } };
    expect(adopted(graph).steps[0]?.outputs).toEqual({ files: '*' });
    const known = infoOf({ ...INFO, SomethingThatSaves: { input: {}, output: ['IMAGE'] } });
    expect(adopted(graph, { info: known }).steps[0]?.outputs).toEqual({ image: '2' });
  });
});

describe('settings of Wan2GP', () => {
  it('[TA9] offer what every model takes, and the files that their letters ask for', () => {
    const template = adopted({
      model_type: 'i2v_2_2',
      prompt: 'a fox runs',
      seed: -1,
      resolution: '832x480',
      video_length: 81,
      num_inference_steps: 30,
      image_prompt_type: 'SE',
      image_end: '/there/end.png',
      video_prompt_type: '',
    });
    expect(template.steps[0]?.backend).toBe('wan2gp');
    expect(parametersOf(template)).toMatchObject({
      prompt: { type: 'text', default: 'a fox runs' },
      seed: { type: 'seed' },
      resolution: { type: 'string', default: '832x480' },
      video_length: { type: 'integer', default: 81 },
      image_start: { type: 'image', origin: '"S" in image_prompt_type' },
      image_end: { type: 'image', default: null },
    });
    expect(parametersOf(template)['seed']).not.toHaveProperty('default');
    expect(parametersOf(template)['image_start']).not.toHaveProperty('default');
  });

  it('[TA9] offer only their placeholders where they have some', () => {
    const template = adopted({
      model_type: 't2v',
      prompt: 'of {subject}',
      seed: 5,
      image_refs: '{refs}',
      output_filename: '{seed}-{date}',
    });
    expect(Object.keys(parametersOf(template))).toEqual(['subject', 'refs']);
    expect(parametersOf(template)['refs']).toMatchObject({ type: 'list', of: 'image' });
  });

  it('[TI17] keep the placeholders that Wan2GP itself fills in', () => {
    const template = adopted({ model_type: 't2v', seed: '{seed}', output_filename: '{seed}-{prompt(50)}' });
    expect(rendered(template, scope({ seed: 7 }), 'main')).toEqual({ model_type: 't2v', seed: 7, output_filename: '{seed}-{prompt(50)}' });
  });
});

describe('object info for adopted workflows', () => {
  const graph = one('KSampler', { steps: '{count}' });
  const bounds = async (path: string, infoFiles: readonly string[] = []) =>
    (await loadTemplate(path, { infoFiles })).template?.parameters.get('count')?.maximum;

  it('[TA10] is the one beside the file, else the one further away', async () => {
    const folder = await folderWith({ 'w.json': graph, 'far/object_info.json': INFO });
    const far = join(folder, 'far/object_info.json');
    expect(await bounds(join(folder, 'w.json'))).toBeUndefined();
    expect(await bounds(join(folder, 'w.json'), [far])).toBe(10000);
    const near = { KSampler: { input: { required: { steps: ['INT', { max: 50 }] } }, output: [] } };
    await put(folder, { 'object_info.json': near });
    expect(await bounds(join(folder, 'w.json'), [far])).toBe(50);
  });

  it('[TA10] lies in the directory of templates, and is read again when it changes', async () => {
    const folder = await folderWith({ 'sub/w.json': graph, 'object_info.json': INFO });
    const library = createLibrary([folder]);
    await library.refresh();
    expect(library.list().map(({ id }) => id)).toEqual(['w']);
    expect(library.get('w')?.template?.parameters.get('count')?.maximum).toBe(10000);
    await rm(join(folder, 'object_info.json'));
    expect(await library.refresh([join(folder, 'object_info.json')])).toMatchObject([{ id: 'w', type: 'changed' }]);
    expect(library.get('w')?.template?.parameters.get('count')?.maximum).toBeUndefined();
  });

  it('[TA10] that a command names stands before what lies about', async () => {
    const near = { KSampler: { input: { required: { steps: ['INT', { max: 50 }] } }, output: [] } };
    const folder = await folderWith({ 'w.json': graph, 'object_info.json': near });
    const loaded = await loadTemplate(join(folder, 'w.json'), { info: { info, name: 'backend gpu' } });
    expect(loaded.template?.parameters.get('count')).toMatchObject({ maximum: 10000, origin: expect.stringContaining('by backend gpu') });
  });

  it('[TA10] that is no object info is passed over', async () => {
    const folder = await folderWith({ 'w.json': graph, 'object_info.json': '[1, 2' });
    expect((await loadTemplate(join(folder, 'w.json'))).template?.id).toBe('w');
  });
});

describe('adoption', () => {
  it('[TA11] offers no file where a workflow or settings hold a number or true', () => {
    const loaders = { '1': { class_type: 'LoadImage', inputs: { image: 0 } }, '2': { class_type: 'LoadImage', inputs: { image: true } } };
    expect([...adopted(loaders, { suggest: true }).parameters.keys()]).toEqual([]);
    expect([...adopted({ model_type: 't2v', image_prompt_type: 'S', image_start: 0 }).parameters.keys()]).toEqual([]);
  });

  it('[TA8] names the node that saves, whatever its id, and takes every file where an id cannot be named', () => {
    const saver = (id: string) => adopted({ [id]: { class_type: 'SaveImage', inputs: {} } }).steps[0]?.outputs;
    for (const id of ['9', 'SaveImage.0', '""', 'a"b\\c', '"9']) expect(saver(id)).toEqual({ image: id });
    for (const id of ['*', 'title:Save']) expect(saver(id)).toEqual({ files: '*' });
  });

  it('[TI9] offers inputs of nodes whose ids have dots or quotes', () => {
    for (const id of ['CLIPTextEncode.0', '"6"', 'a"b\\c.d']) {
      const template = adopted({ [id]: { class_type: 'CLIPTextEncode', inputs: { text: 'a cat' } } }, { suggest: true });
      expect(template.steps[0]?.sites.map(({ node, input }) => [node, input])).toEqual([[id, 'text']]);
    }
  });

  it('[TA11] never throws and gives a manifest without errors of its own, whatever the JSON', () => {
    const inputs = fc.dictionary(
      fc.oneof(fc.constantFrom('seed', 'steps', 'image', 'text', 'ckpt_name', 'on', '__proto__'), fc.string({ maxLength: 12 })),
      fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom('{seed}', '{a ?? b|slug}', 'x {text} {each}', '{__proto__}', '{constructor}'),
        fc.maxSafeInteger(),
      ),
      { maxKeys: 6 },
    );
    const node = fc.record({ class_type: fc.oneof(fc.constantFrom(...Object.keys(INFO)), fc.string({ maxLength: 8 })), inputs });
    const graph = fc.dictionary(fc.string({ minLength: 1, maxLength: 6 }), node, { maxKeys: 5 });
    const settings = fc
      .dictionary(
        fc.constantFrom('prompt', 'seed', 'resolution', 'image_start', 'image_prompt_type', 'image_refs', 'video_length'),
        fc.jsonValue({ maxDepth: 1 }),
      )
      .map((value) => ({ ...value, model_type: 't2v' }));
    const app = fc.record({ inputs: fc.jsonValue({ maxDepth: 3 }), outputs: fc.jsonValue({ maxDepth: 2 }) }).map((data) => ui(data));
    const file = fc.oneof(fc.jsonValue(), graph, settings, app);
    fc.assert(
      fc.property(file, fc.boolean(), fc.boolean(), (value, known, suggest) => {
        const text = JSON.stringify(value);
        const { manifest, workflow } = adopt(text, 'w.json', 'w.json', { suggest, ...(known ? { info } : {}) });
        if (manifest === undefined) return;
        const { problems } = compileTemplate(sourceOf(manifest, { 'w.json': workflow }), { file: (name) => name });
        // What is wrong with the graph itself is not the manifest's.
        expect(problems.filter(({ severity, file: at }) => severity === 'error' && at === 'template.json')).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('[TD6] keeps the first of two files whose names give one id, and shows the other', async () => {
    const folder = await folderWith({ 'a scene.json': GRAPH, 'a-scene.json': GRAPH });
    const library = createLibrary([folder]);
    await library.refresh();
    expect(library.list().map(({ id, runnable, problems }) => [id, runnable, problems.map(({ code }) => code)])).toEqual([
      ['a-scene', true, []],
      ['a-scene', false, ['TEMPLATE_CONFLICT']],
    ]);
  });

  it('[TA11] leaves the workflow as it is', () => {
    const template = adopted(GRAPH, { info });
    expect(template.parameters.size).toBe(0);
    expect(template.source.workflows['w.json']).toBe(JSON.stringify(GRAPH));
  });
});
