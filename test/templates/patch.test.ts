import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseGraph } from '#graph/graph.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { checkStructure } from '#graph/structure.ts';
import { checkTemplateAgainst } from '#templates/against-object-info.ts';
import { authorNode } from '#templates/author-node.ts';
import { contentsOf } from '#templates/contents.ts';
import { formFacts } from '#templates/form.ts';
import { checkParameters } from '#templates/parameters.ts';
import type { Value } from '#templates/types.ts';
import { codes, compile, compiled, manifest, render, scope } from './support.ts';

const LORA = {
  required: {
    model: ['MODEL'],
    clip: ['CLIP'],
    lora_name: [['a.safetensors', 'b.safetensors', 'sub/c.safetensors']],
    strength_model: ['FLOAT'],
    strength_clip: ['FLOAT'],
  },
};
const INFO = {
  CheckpointLoaderSimple: { input: { required: { ckpt_name: [['base.safetensors']] } }, output: ['MODEL', 'CLIP', 'VAE'] },
  UNETLoader: { input: { required: { unet_name: [['unet.safetensors']] } }, output: ['MODEL'] },
  CLIPLoader: { input: { required: { clip_name: [['clip.safetensors']] } }, output: ['CLIP'] },
  VAELoader: { input: { required: { vae_name: [['vae.safetensors']] } }, output: ['VAE'] },
  LoraLoader: { input: LORA, output: ['MODEL', 'CLIP'] },
  LoraLoaderModelOnly: {
    input: { required: { model: ['MODEL'], lora_name: LORA.required.lora_name, strength_model: ['FLOAT'] } },
    output: ['MODEL'],
  },
  CLIPTextEncode: { input: { required: { text: ['STRING'], clip: ['CLIP'] } }, output: ['CONDITIONING'] },
  ControlNetApply: {
    input: { required: { strength: ['FLOAT'], conditioning: ['CONDITIONING'], image: ['IMAGE'] } },
    output: ['CONDITIONING'],
  },
  EmptyLatentImage: { input: { required: { width: ['INT'] } }, output: ['LATENT'] },
  KSampler: {
    input: {
      required: { model: ['MODEL'], seed: ['INT'], positive: ['CONDITIONING'], latent_image: ['LATENT'] },
      optional: { mask: ['MASK'] },
    },
    output: ['LATENT'],
  },
  VAEDecode: { input: { required: { samples: ['LATENT'], vae: ['VAE'] } }, output: ['IMAGE'] },
  LoadImage: { input: { required: { image: [['in.png'], { image_upload: true }] } }, output: ['IMAGE', 'MASK'] },
  MaskFrom: { input: { required: { image: ['IMAGE'] } }, output: ['MASK'] },
  Upscale: { input: { required: { image: ['IMAGE'], by: ['FLOAT'] } }, output: ['IMAGE'] },
  SaveImage: { input: { required: { images: ['IMAGE'], filename_prefix: ['STRING'] } }, output: [], output_node: true },
  SaveWebp: { input: { required: { images: ['IMAGE'], quality: ['INT'] } }, output: [], output_node: true },
};
const info = parseObjectInfo(JSON.stringify(INFO)).info;

const node = (class_type: string, inputs: object, title?: string) => ({
  class_type,
  inputs,
  ...(title === undefined ? {} : { _meta: { title } }),
});
const GRAPH = {
  '4': node('CheckpointLoaderSimple', { ckpt_name: 'base.safetensors' }),
  '6': node('CLIPTextEncode', { text: 'a photo', clip: ['4', 1] }),
  '7': node('LoadImage', { image: 'in.png' }),
  '8': node('ControlNetApply', { strength: 0.5, conditioning: ['6', 0], image: ['7', 0] }, 'Control'),
  '5': node('EmptyLatentImage', { width: 512 }),
  '11': node('MaskFrom', { image: ['7', 0] }),
  '3': node('KSampler', { model: ['4', 0], seed: 1, positive: ['8', 0], latent_image: ['5', 0], mask: ['11', 0] }),
  '10': node('VAEDecode', { samples: ['3', 0], vae: ['4', 2] }),
  '12': node('Upscale', { image: ['10', 0], by: 2 }, 'Upscale'),
  '9': node('SaveImage', { images: ['12', 0], filename_prefix: 'out' }),
};
type Graph = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

const LORAS = { type: 'list', of: 'model', folder: 'loras', weighted: true, default: [] };

function template(patch: object[], parameters: object = {}, step: object = {}, graph: object | string = GRAPH) {
  return compiled(manifest({ parameters }, { ...(patch.length === 0 ? {} : { patch }), ...step }), { 'w.json': graph });
}

function sent(
  patch: object[],
  params: Readonly<Record<string, Value>> = {},
  parameters: object = {},
  step: object = {},
  graph: object | string = GRAPH,
) {
  const { value, problems } = render(template(patch, parameters, step, graph), scope(params), 'a', info);
  if (value === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  const parsed = parseGraph(value.text);
  expect(parsed.graph === undefined ? parsed.problems : checkStructure(parsed.graph)).toEqual([]);
  return { text: value.text, graph: JSON.parse(value.text) as Graph, done: value.patches, outputNodes: value.outputNodes };
}

function check(patch: object[], parameters: object = {}, step: object = {}, graph: object = GRAPH) {
  if (info === undefined) throw new Error('no object info');
  return checkTemplateAgainst(template(patch, parameters, step, graph), info, (name) => name).filter(
    ({ severity }) => severity === 'error',
  );
}

const found = (patch: object[], parameters: object = {}, step: object = {}) =>
  compile(manifest({ parameters }, { patch, ...step }), { 'w.json': GRAPH }).problems;

describe('when a patch applies', () => {
  const on = { on: { type: 'boolean', default: false } };

  it('[TM1] only while its condition is true, and on the copy of the run alone', () => {
    const list = [{ bypass: 'title:Upscale', when: 'params.on' }];
    const made = template(list, on);
    const text = (value: boolean) => render(made, scope({ on: value }), 'a', info).value?.text;
    expect(text(false)).toBe(made.source.workflows['w.json']);
    expect(text(true)).not.toContain('"Upscale"');
    expect(text(false)).toBe(made.source.workflows['w.json']);
  });

  it('[TM1] always without a condition', () => {
    expect(Object.keys(sent([{ bypass: ['12'] }]).graph)).not.toContain('12');
  });

  it('[TM1] leaves another step with the same workflow as it is', () => {
    const made = compiled(
      manifest({
        steps: [
          { id: 'a', workflow: 'w.json', patch: [{ bypass: '12' }] },
          { id: 'b', workflow: 'w.json' },
        ],
      }),
      { 'w.json': GRAPH },
    );
    expect(render(made, scope(), 'b', info).value?.text).toBe(made.source.workflows['w.json']);
  });

  it('[TM1] names what is wrong with the condition, the node and the fields, all at once and with their places', () => {
    const problems = found([{ bypass: '99', when: 'params.of' }, { bypass: '8', strength: 1 }, { swap: '4' }, {}], on);
    expect(problems.map(({ code, pointer }) => [code, pointer])).toEqual(
      [
        ['TEMPLATE_NODE_UNKNOWN', '/steps/0/patch/0/bypass'],
        ['TEMPLATE_REFERENCE_UNKNOWN', '/steps/0/patch/0/when'],
        ['TEMPLATE_PATCH_KIND', '/steps/0/patch/1/strength'],
        ['TEMPLATE_PATCH_NODES', '/steps/0/patch/2'],
        ['TEMPLATE_PATCH_KIND', '/steps/0/patch/3'],
        ['TEMPLATE_PARAMETER_UNUSED', '/parameters/on'],
      ].toSorted((a, b) => problems.findIndex((one) => one.pointer === a[1]) - problems.findIndex((one) => one.pointer === b[1])),
    );
    expect(problems.every(({ line, column }) => line !== undefined && column !== undefined)).toBe(true);
    expect(problems.find(({ code }) => code === 'TEMPLATE_REFERENCE_UNKNOWN')?.hint).toBe('Did you mean params.on?');
  });

  it('[TM1] reports fields that do not exist with the name that was meant', () => {
    const [problem] = found([{ bypas: '12' }]);
    expect(problem).toMatchObject({ code: 'TEMPLATE_FIELD_UNKNOWN', hint: 'Did you mean "bypass"?' });
  });

  it('[TM1] a condition that cannot be decided is a problem of the run', () => {
    const made = template([{ bypass: '12', when: 'params.on > 1' }], { on: { type: 'string', default: 'x' } });
    expect(render(made, scope({ on: 'x' }), 'a', info).problems).toMatchObject([{ code: 'STEP_CONDITION', pointer: '/steps/0/patch/0' }]);
  });

  it('[TM1] a step that a condition refers to comes first', () => {
    const steps = [
      { id: 'b', workflow: 'w.json', patch: [{ bypass: '12', when: 'steps.a.image == null' }] },
      { id: 'a', workflow: 'w.json', outputs: { image: '9' } },
    ];
    expect(compiled(manifest({ steps }), { 'w.json': GRAPH }).steps.map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('the order of patches', () => {
  const stack = { loras: '{loras}', after: '4' };
  const swap = {
    swap: '4',
    nodes: {
      m: node('UNETLoader', { unet_name: 'unet.safetensors' }),
      c: node('CLIPLoader', { clip_name: 'clip.safetensors' }),
      v: node('VAELoader', { vae_name: 'vae.safetensors' }),
    },
    outputs: { 0: ['m', 0], 1: ['c', 0], 2: ['v', 0] },
  };

  it('[TM2] puts a stack behind what is swapped in for its loader, however the list is written', () => {
    for (const list of [
      [stack, swap],
      [swap, stack],
    ]) {
      const { graph } = sent(list, { loras: ['a.safetensors'] }, { loras: LORAS });
      const [lora] = Object.entries(graph).filter(([, { class_type }]) => class_type === 'LoraLoader');
      expect(lora?.[1].inputs['model']).toEqual([expect.stringMatching(/^4:patch\d-m$/), 0]);
      expect(graph['3']?.inputs['model']).toEqual([lora?.[0], 0]);
    }
  });

  it('[TM2] puts the stack that is written first nearest to the loader', () => {
    const { graph } = sent(
      [stack, { ...stack, loras: '{more}' }],
      { loras: ['a.safetensors'], more: ['b.safetensors'] },
      { loras: LORAS, more: LORAS },
    );
    expect(graph['4:patch1-lora1']?.inputs['model']).toEqual(['4', 0]);
    expect(graph['4:patch2-lora1']?.inputs['model']).toEqual(['4:patch1-lora1', 0]);
    expect(graph['3']?.inputs['model']).toEqual(['4:patch2-lora1', 0]);
  });

  it('[TM2] takes the first swap of a node that applies, and none where the node is bypassed', () => {
    const to = (text: string) => ({ swap: '12', nodes: { n: node('Upscale', { image: ['10', 0], by: text === 'a' ? 3 : 4 }) } });
    const { graph } = sent([to('a'), to('b')]);
    expect(graph['12:patch1-n']?.inputs['by']).toBe(3);
    expect(graph['12:patch2-n']).toBeUndefined();
    expect(sent([to('a'), { bypass: '12' }]).graph['9']?.inputs['images']).toEqual(['10', 0]);
  });
});

describe('bypass', () => {
  it('[TM3] leads on what feeds the input of the same type, inputs of widgets last', () => {
    const { graph } = sent([{ bypass: ['title:Control', '12'] }]);
    expect(graph['3']?.inputs['positive']).toEqual(['6', 0]);
    expect(graph['9']?.inputs['images']).toEqual(['10', 0]);
  });

  it('[TM3] follows one bypassed node behind the other', () => {
    const chain = {
      ...GRAPH,
      '13': node('Upscale', { image: ['12', 0], by: 2 }),
      '9': node('SaveImage', { images: ['13', 0], filename_prefix: 'x' }),
    };
    expect(sent([{ bypass: ['13', '12'] }], {}, {}, {}, chain).graph['9']?.inputs['images']).toEqual(['10', 0]);
  });

  it('[TM4] takes the link of an optional input away', () => {
    const { graph } = sent([{ bypass: '11' }]);
    expect(Object.keys(graph['3']?.inputs ?? {})).toEqual(['model', 'seed', 'positive', 'latent_image']);
  });

  it('[TM4] says of a node that cannot be bypassed which output, which input and why', () => {
    const [problem] = check([{ bypass: '6' }]);
    expect(problem).toMatchObject({
      code: 'TEMPLATE_PATCH_BYPASS',
      node: '6',
      pointer: '/steps/0/patch/0',
      file: 'template.json',
      message:
        'Node 6 (CLIPTextEncode) cannot be bypassed: its output 0 goes into input "conditioning" of node 8 "Control" (ControlNetApply), and it has no input of type CONDITIONING that could take its place.',
    });
    const params = { on: { type: 'boolean', default: false } };
    const made = template([{ bypass: '6', when: 'params.on' }], params);
    expect(codes(render(made, scope({ on: true }), 'a', info).problems)).toEqual(['STEP_PATCH_BYPASS']);
    expect(codes(render(made, scope({ on: false }), 'a', info).problems)).toEqual([]);
  });

  it('[TM4] says when the input that would be passed on is not linked', () => {
    const { '8': control, ...rest } = GRAPH;
    const { conditioning: _, ...inputs } = control.inputs as Record<string, unknown>;
    const problems = check([{ bypass: '8' }], {}, {}, { ...rest, '8': { ...control, inputs } });
    expect(problems.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('its input "conditioning", which would take its place, is not linked'),
    );
  });

  it('[TM4] does not take a node out that gives an output of the step', () => {
    expect(codes(found([{ bypass: '9' }]))).toEqual(['TEMPLATE_PATCH_OUTPUT']);
  });
});

describe('a stack of LoRAs', () => {
  const stack = [{ loras: '{loras}', after: '4', strength: 0.7 }];

  it('[TM5] goes between a loader and all that takes its model and its clip', () => {
    const { graph, done } = sent(stack, { loras: ['a.safetensors', 'b.safetensors:0.5:0.25'] }, { loras: LORAS });
    expect(graph['4:patch1-lora1']).toEqual({
      inputs: { model: ['4', 0], clip: ['4', 1], lora_name: 'a.safetensors', strength_model: 0.7, strength_clip: 0.7 },
      class_type: 'LoraLoader',
      _meta: { title: 'LoRA a.safetensors' },
    });
    expect(graph['4:patch1-lora2']?.inputs).toEqual({
      model: ['4:patch1-lora1', 0],
      clip: ['4:patch1-lora1', 1],
      lora_name: 'b.safetensors',
      strength_model: 0.5,
      strength_clip: 0.25,
    });
    expect(graph['3']?.inputs['model']).toEqual(['4:patch1-lora2', 0]);
    expect(graph['6']?.inputs['clip']).toEqual(['4:patch1-lora2', 1]);
    expect(graph['10']?.inputs['vae']).toEqual(['4', 2]);
    expect(done).toEqual(['2 LoRAs go behind node 4 (CheckpointLoaderSimple): a.safetensors (0.7), b.safetensors (0.5, CLIP 0.25)']);
  });

  it('[TM5] takes model and clip from two loaders, and the model alone where no clip is named', () => {
    const { '4': _, ...rest } = GRAPH;
    const split = {
      ...rest,
      '1': node('UNETLoader', { unet_name: 'unet.safetensors' }),
      '2': node('CLIPLoader', { clip_name: 'clip.safetensors' }),
      '6': node('CLIPTextEncode', { text: 'x', clip: ['2', 0] }),
      '3': node('KSampler', { model: ['1', 0], seed: 1, positive: ['6', 0], latent_image: ['5', 0] }),
      '10': node('VAEDecode', { samples: ['3', 0], vae: ['14', 0] }),
      '14': node('VAELoader', { vae_name: 'vae.safetensors' }),
    };
    const both = sent([{ loras: '{loras}', after: ['1', '2'] }], { loras: ['a.safetensors'] }, { loras: LORAS }, {}, split).graph;
    expect(both['1:patch1-lora1']?.inputs).toMatchObject({ model: ['1', 0], clip: ['2', 0], strength_model: 1 });
    expect(both['6']?.inputs['clip']).toEqual(['1:patch1-lora1', 1]);
    const alone = sent([{ loras: '{loras}', after: '1' }], { loras: ['a.safetensors'] }, { loras: LORAS }, {}, split).graph;
    expect(alone['1:patch1-lora1']?.class_type).toBe('LoraLoaderModelOnly');
    expect(alone['6']?.inputs['clip']).toEqual(['2', 0]);
  });

  it.each([[[]], [['a.safetensors:0']], [['a.safetensors:0:0']]])('[TM5] puts nothing in for %j', (loras) => {
    expect(sent(stack, { loras }, { loras: LORAS }).text).toBe(JSON.stringify(GRAPH, null, 2));
  });

  it('[TM5] takes one name, null, or the item of each', () => {
    const one = { lora: { type: 'model', weighted: true, default: null } };
    const list = [{ loras: '{lora}', after: '4' }];
    expect(sent(list, { lora: 'c.safetensors:0.3' }, one).graph['4:patch1-lora1']?.inputs).toMatchObject({
      lora_name: 'sub/c.safetensors',
      strength_model: 0.3,
    });
    expect(sent(list, { lora: null }, one).text).toBe(JSON.stringify(GRAPH, null, 2));
    const each = template(
      [{ loras: '{each}', after: '4' }],
      { loras: LORAS },
      { each: '{loras}', set: { '9.filename_prefix': '{each|stem}' } },
    );
    const { value } = render(each, scope({ loras: ['a.safetensors:2'] }, { each: 'a.safetensors:2', index: 0 }), 'a', info);
    const graph = JSON.parse(value?.text ?? '') as Graph;
    expect(graph['4:patch1-lora1']?.inputs['strength_model']).toBe(2);
    expect(graph['9']?.inputs['filename_prefix']).toBe('a');
  });

  it('[TM5] takes its strength from a parameter', () => {
    const list = [{ loras: '{loras}', after: '4', strength: '{much}' }];
    const { graph } = sent(list, { loras: ['a.safetensors'], much: 0.4 }, { loras: LORAS, much: { type: 'number', default: 1 } });
    expect(graph['4:patch1-lora1']?.inputs).toMatchObject({ strength_model: 0.4, strength_clip: 0.4 });
  });

  it('[TM5] refuses lists of other things, and a loader that gives no model', () => {
    expect(codes(found(stack, { loras: { type: 'list', of: 'number', default: [] } }))).toEqual(['TEMPLATE_PATCH_LORAS']);
    expect(codes(found([{ ...stack[0], strength: '{s}' }], { loras: LORAS, s: { type: 'text', default: '' } }))).toEqual([
      'TEMPLATE_PATCH_LORAS',
    ]);
    expect(codes(found([{ loras: '{loras}' }], { loras: LORAS }))).toEqual(['TEMPLATE_PATCH_AFTER']);
    const [problem] = check([{ loras: '{loras}', after: '5' }], { loras: LORAS });
    expect(problem).toMatchObject({ code: 'TEMPLATE_PATCH_AFTER', hint: expect.stringContaining('4 (CheckpointLoaderSimple)') });
  });

  it('[TP24] checks the strengths of a weighted list, and leaves colons in other names alone', async () => {
    const made = template(stack, { loras: LORAS });
    const given = async (loras: unknown, of = made) =>
      codes(
        (
          await checkParameters(
            of,
            { loras },
            { drawSeed: () => 0n, resolveMedia: () => Promise.reject(new Error()), resolveDirectory: () => Promise.reject(new Error()) },
          )
        ).problems,
      );
    expect(await given(['a.safetensors', 'a.safetensors:1', 'a.safetensors:-0.5:.25', String.raw`C:\m\a.safetensors:1`])).toEqual([]);
    for (const wrong of ['a.safetensors:much', 'a.safetensors:1000', 'a.safetensors:', 'a.safetensors:0,5'])
      expect(await given([wrong])).toEqual(['PARAMETER_TYPE']);
    const { weighted: _, ...plain } = LORAS;
    const unweighted = template(stack, { loras: plain });
    expect(await given(['odd:1'], unweighted)).toEqual([]);
    const { value } = render(unweighted, scope({ loras: ['odd:1'] }), 'a', info);
    expect(value?.text).toContain('"lora_name": "odd:1"');
    const { problems } = render(unweighted, scope({ loras: ['a.safetensor'] }), 'a', info);
    expect(problems).toMatchObject([{ code: 'STEP_MODEL_UNKNOWN', severity: 'warning', hint: 'Did you mean "a.safetensors"?' }]);
    expect(
      codes(compile(manifest({ parameters: { p: { type: 'text', default: '', weighted: true } } }, { set: { '6.text': '{p}' } })).problems),
    ).toEqual(['TEMPLATE_PARAMETER_INVALID']);
  });

  it('[TP23] offers the LoRAs of the backend', () => {
    expect(formFacts(template(stack, { loras: LORAS }), { info }).get('loras')?.available).toEqual([
      'a.safetensors',
      'b.safetensors',
      'sub/c.safetensors',
    ]);
  });

  it('names the classes that it may bring when somebody has to approve them', () => {
    expect(contentsOf(template(stack, { loras: LORAS })).nodeClasses).toEqual(
      expect.arrayContaining(['LoraLoader', 'LoraLoaderModelOnly']),
    );
  });
});

describe('swap', () => {
  const quantised = {
    swap: '4',
    nodes: {
      unet: node('UNETLoader', { unet_name: '{unet}' }),
      clip: node('CLIPLoader', { clip_name: 'clip.safetensors' }),
      vae: node('VAELoader', { vae_name: 'vae.safetensors' }),
    },
    outputs: { 0: ['unet', 0], 1: ['clip', 0], 2: ['vae', 0] },
  };
  const unet = { unet: { type: 'model', folder: 'unet', default: 'unet.safetensors' } };

  it('[TM6] puts nodes in place of one, filled and linked', () => {
    const { graph, done } = sent([quantised], { unet: 'UNET.safetensors' }, unet, { set: { '4.ckpt_name': 'other.safetensors' } });
    expect(graph['4']).toBeUndefined();
    expect(graph['4:patch1-unet']?.inputs).toEqual({ unet_name: 'unet.safetensors' });
    expect(graph['3']?.inputs['model']).toEqual(['4:patch1-unet', 0]);
    expect(graph['6']?.inputs['clip']).toEqual(['4:patch1-clip', 0]);
    expect(graph['10']?.inputs['vae']).toEqual(['4:patch1-vae', 0]);
    expect(done[0]).toMatch(/^Node 4 \(CheckpointLoaderSimple\) is swapped for 4:patch1-unet \(UNETLoader\), /);
  });

  it('[TM6] links new nodes to each other and to the workflow, and takes equal outputs of a single one', () => {
    const one = { swap: '12', nodes: { a: node('Upscale', { image: ['10', 0], by: 4 }) } };
    expect(sent([one]).graph['9']?.inputs['images']).toEqual(['12:patch1-a', 0]);
    const two = {
      swap: '12',
      nodes: { a: node('Upscale', { image: ['10', 0], by: 4 }), b: node('Upscale', { image: ['a', 0], by: 4 }) },
      outputs: { 0: ['b', 0] },
    };
    expect(sent([two]).graph['12:patch1-b']?.inputs['image']).toEqual(['12:patch1-a', 0]);
  });

  it.each([
    ['an output that nobody gives', { ...quantised, outputs: { 0: ['unet', 0] } }, 'TEMPLATE_PATCH_NODES', 2],
    ['a new node that does not exist', { ...quantised, outputs: { ...quantised.outputs, 0: ['unett', 0] } }, 'TEMPLATE_NODE_UNKNOWN', 1],
    ['a link to nowhere', { swap: '12', nodes: { a: node('Upscale', { image: ['100', 0] }) } }, 'TEMPLATE_NODE_UNKNOWN', 1],
    ['a link to the node that goes', { swap: '12', nodes: { a: node('Upscale', { image: ['12', 0] }) } }, 'TEMPLATE_PATCH_NODES', 1],
    ['a name that is taken', { swap: '12', nodes: { x: node('Upscale', { image: ['10', 0] }) } }, undefined, 0],
  ])('[TM6] reports %s', (_what, patch, code, count) => {
    expect(codes(found([patch], unet)).filter((one) => one !== 'TEMPLATE_PARAMETER_UNUSED')).toEqual(
      Array.from({ length: count }, () => code),
    );
  });

  it('[TM6] says when what another patch needs is given by nobody', () => {
    const clipOnly = {
      swap: '4',
      when: 'params.on',
      nodes: { v: node('VAELoader', { vae_name: 'vae.safetensors' }) },
      outputs: { 2: ['v', 0] },
    };
    const { '4': loader, '10': decode, '9': save } = GRAPH;
    const graph = {
      '4': loader,
      '10': { ...decode, inputs: { samples: ['5', 0], vae: ['4', 2] } },
      '5': GRAPH['5'],
      '9': { ...save, inputs: { images: ['10', 0], filename_prefix: 'x' } },
    };
    const other = {
      swap: '5',
      nodes: {
        k: node('KSampler', { model: ['4', 0], seed: 1, positive: ['e', 0], latent_image: ['l', 0] }),
        e: node('CLIPTextEncode', { text: '', clip: ['4', 1] }),
        l: node('EmptyLatentImage', { width: 1 }),
      },
      outputs: { 0: ['k', 0] },
    };
    const problems = check([clipOnly, other], { on: { type: 'boolean', default: false } }, {}, graph);
    expect(problems.map(({ code, hint }) => [code, hint])).toEqual([['TEMPLATE_PATCH_NODES', 'Add "0" to "outputs" of the swap.']]);
  });

  it('[TM6] checks placeholders of the new nodes against their inputs', () => {
    const wrong = { swap: '12', nodes: { a: node('Upscale', { image: ['10', 0], by: '{words}' }) } };
    expect(check([wrong], { words: { type: 'text', default: '' } })).toMatchObject([
      { code: 'TEMPLATE_PLACEHOLDER_TYPE', pointer: '/steps/0/patch/0/nodes/a/inputs/by' },
    ]);
    expect(formFacts(template([quantised], unet), { info }).get('unet')?.available).toEqual(['unet.safetensors']);
    expect(contentsOf(template([quantised], unet)).nodeClasses).toContain('UNETLoader');
  });
});

describe('nodes that nothing needs any more', () => {
  it('[TM7] are left out with what they ask for, unless something else takes from them', () => {
    const graph = { ...GRAPH, '7': node('LoadImage', { image: '{picture}' }) };
    const params = { picture: { type: 'image', default: null } };
    const bypass = [{ bypass: ['8', '11'], when: 'params.picture == null' }];
    const { graph: without, done } = sent(bypass, { picture: null }, params, {}, graph);
    expect(Object.keys(without)).not.toContain('7');
    expect(done.at(-1)).toBe('Left out, for nothing needs it now: 7');
    expect(Object.keys(sent([{ bypass: '8' }]).graph)).toContain('7');
  });

  it('[TM7] stay where nothing took from them before, and where the step names them', () => {
    const graph = { ...GRAPH, '20': node('EmptyLatentImage', { width: 1 }) };
    expect(Object.keys(sent([{ bypass: '12' }], {}, {}, {}, graph).graph)).toContain('20');
    expect(Object.keys(sent([{ bypass: ['8', '11'] }], {}, {}, { outputs: { image: '9', input: '7' } }).graph)).toContain('7');
  });
});

describe('an optional model that is null', () => {
  const parameters = { lora: { type: 'model', folder: 'loras', default: null } };
  const graph = {
    ...GRAPH,
    '15': node('LoraLoader', { model: ['4', 0], clip: ['4', 1], lora_name: 'a.safetensors', strength_model: 1, strength_clip: 1 }),
    '6': node('CLIPTextEncode', { text: 'a photo', clip: ['15', 1] }),
    '3': node('KSampler', { model: ['15', 0], seed: 1, positive: ['6', 0], latent_image: ['5', 0] }),
  };
  const step = { set: { '15.lora_name': '{lora}' } };

  it('[TM8] takes its loader out, and leaves it in when it is given', () => {
    const without = sent([], { lora: null }, parameters, step, graph);
    expect(Object.keys(without.graph)).not.toContain('15');
    expect(without.graph['3']?.inputs['model']).toEqual(['4', 0]);
    expect(without.graph['6']?.inputs['clip']).toEqual(['4', 1]);
    expect(without.done).toEqual(['Node 15 (LoraLoader) is bypassed, for input "lora_name" has no model']);
    expect(sent([], { lora: 'b.safetensors' }, parameters, step, graph).graph['15']?.inputs['lora_name']).toBe('b.safetensors');
  });

  it('[TM8] also where the placeholder stands in the workflow', () => {
    const own = { ...graph, '15': node('LoraLoader', { ...graph['15'].inputs, lora_name: '{lora}' }) };
    expect(Object.keys(sent([], { lora: null }, parameters, {}, own).graph)).not.toContain('15');
  });

  it('[TM8] leaves a loader that nothing feeds the name of the workflow', () => {
    const { text } = sent([], { base: null }, { base: { type: 'model', default: null } }, { set: { '4.ckpt_name': '{base}' } });
    expect(text).toBe(JSON.stringify(GRAPH, null, 2));
  });

  it('[TM8] falls back with ?? before it goes', () => {
    const two = { ...parameters, other: { type: 'model', default: 'b.safetensors' } };
    const { graph: kept } = sent([], { lora: null, other: 'b.safetensors' }, two, { set: { '15.lora_name': '{lora ?? other}' } }, graph);
    expect(kept['15']?.inputs['lora_name']).toBe('b.safetensors');
  });

  it('[TM8] goes with a stack behind it', () => {
    const { graph: made } = sent(
      [{ loras: '{loras}', after: '15' }],
      { lora: null, loras: ['b.safetensors'] },
      { ...parameters, loras: LORAS },
      step,
      graph,
    );
    expect(made['15:patch1-lora1']?.inputs).toMatchObject({ model: ['4', 0], clip: ['4', 1] });
    expect(made['3']?.inputs['model']).toEqual(['15:patch1-lora1', 0]);
  });
});

describe('what comes out', () => {
  it('[TM9] has ids that are free, and the same ones each time', () => {
    const graph = { ...GRAPH, '4:patch1-lora1': node('EmptyLatentImage', { width: 1 }) };
    const list = [{ loras: '{loras}', after: '4' }];
    const texts = [1, 2].map(() => sent(list, { loras: ['a.safetensors'] }, { loras: LORAS }, {}, graph).text);
    expect(texts[0]).toBe(texts[1]);
    expect(JSON.parse(texts[0] ?? '')).toHaveProperty('4:patch1-lora1-2');
  });

  it('[TM9] leads from new ids back to the nodes of the author', () => {
    const { graph } = parseGraph(JSON.stringify({ ...GRAPH, '12:3': GRAPH['12'] }));
    if (graph === undefined) throw new Error('no graph');
    const names = ['4', '4:patch1-lora2', '12:3', '12:3:patch1-a', '9:patch2-webp-2', 'unknown', '77:1'];
    expect(names.map((name) => authorNode(graph, name))).toEqual(['4', '4', '12:3', '12:3', '9', 'unknown', '77:1']);
  });

  it('[TM9] asks the backend for the files of the node that stands in for an output', () => {
    const webp = { swap: '9', nodes: { webp: node('SaveWebp', { images: ['12', 0], quality: 80 }) } };
    expect(sent([webp]).outputNodes).toEqual(['9:patch1-webp']);
    expect(sent([]).outputNodes).toEqual(['9']);
  });

  it.each([
    ['two spaces', JSON.stringify(GRAPH, null, 2)],
    ['tabs and Windows line ends', JSON.stringify(GRAPH, null, '\t').replaceAll('\n', '\r\n')],
    ['no spaces', JSON.stringify(GRAPH)],
  ])('[TM10] keeps every byte that no patch touches, in a file with %s', (_style, text) => {
    const list = [{ loras: '{loras}', after: '4' }];
    const { text: made } = sent(list, { loras: ['a.safetensors'] }, { loras: LORAS }, {}, text);
    const [before, after] = [text, made].map((each) => parseGraph(each).graph);
    const members = after?.root.members ?? [];
    const at = members.findIndex(({ key }) => key.value === '4:patch1-lora1');
    const [left, added] = [members[at - 1]?.value.end ?? 0, members[at]?.value.end ?? 0];
    const linkAt = (id: string, input: string): string => {
      const { start = 0, end = 0 } = before?.nodes.get(id)?.inputs.get(input)?.value ?? {};
      return text.slice(start, end);
    };
    const undone = (made.slice(0, left) + made.slice(added))
      .replace('["4:patch1-lora1", 0]', linkAt('3', 'model'))
      .replace('["4:patch1-lora1", 1]', linkAt('6', 'clip'));
    expect(undone).toBe(text);
    const white = (each: string): string | undefined => /^\{(\s*)/.exec(each)?.[1];
    expect(made.slice(left + 1).startsWith(`${white(text) ?? ''}"4:patch1-lora1"`)).toBe(true);
  });

  it('[TM10] is the file itself when no patch applies', () => {
    const odd = JSON.stringify(GRAPH, null, 3).replace('512', '5.12e2');
    const list = [
      { bypass: '12', when: 'false' },
      { loras: '{loras}', after: '4' },
    ];
    expect(sent(list, { loras: [] }, { loras: LORAS }, {}, odd).text).toBe(odd);
  });
});

describe('the check of patches', () => {
  const flag = { a: { type: 'boolean', default: false }, b: { type: 'boolean', default: false } };

  it('[TM11] finds what is wrong when a condition is true although its default is false', () => {
    const wrong = { swap: '4', when: 'params.a', nodes: { m: node('UNETLoader', { unet_name: 'unet.safetensors' }) } };
    const problems = check([wrong], flag);
    expect(problems.map(({ code, node: id, pointer }) => [code, id, pointer])).toEqual([
      ['GRAPH_LINK_SLOT', '6', '/steps/0/patch/0'],
      ['GRAPH_LINK_SLOT', '10', '/steps/0/patch/0'],
    ]);
  });

  it('[TM11] finds what only two patches together do', () => {
    // Each of the two alone leaves the sampler something to take.
    const list = [
      { swap: '6', when: 'params.a', nodes: { c: node('ControlNetApply', { strength: 1, conditioning: ['8', 0], image: ['7', 0] }) } },
      { bypass: '8', when: 'params.b' },
    ];
    const messages = check(list, flag).map(({ code }) => code);
    expect(messages).toContain('GRAPH_CYCLE');
  });

  it('[TM11] says nothing where every outcome is good', () => {
    const list = [
      { bypass: '12', when: 'params.a' },
      { bypass: ['8', '11'], when: 'params.b' },
      { loras: '{loras}', after: '4' },
    ];
    expect(check(list, { ...flag, loras: LORAS })).toEqual([]);
  });

  it('[TM11] names unknown classes at the patch, and looks at many patches without trying every combination', () => {
    const many = Array.from({ length: 20 }, (_, index) => ({ bypass: '12', when: `params.n == ${index}` }));
    const strange = { swap: '12', nodes: { a: node('UpscaleX', { image: ['10', 0] }) } };
    const problems = check([...many, strange], { n: { type: 'integer', default: 0 } });
    expect(problems).toMatchObject([
      { code: 'NODE_CLASS_UNKNOWN', node: '12', pointer: '/steps/0/patch/20', hint: expect.stringContaining('Upscale') },
    ]);
  });

  it('[TM11] checks the graph of the given values again when it is rendered', () => {
    const wrong = { swap: '4', when: 'params.a', nodes: { m: node('UNETLoader', { unet_name: 'unet.safetensors' }) } };
    expect(codes(render(template([wrong], flag), scope({ a: true, b: false }), 'a', info).problems)).toEqual([
      'GRAPH_LINK_SLOT',
      'GRAPH_LINK_SLOT',
    ]);
  });

  it('[TM12] refuses patches of Wan2GP settings', () => {
    const step = { backend: 'wan2gp', outputs: {}, patch: [{ bypass: '1' }] };
    const { problems } = compile(manifest({}, step), { 'w.json': { model_type: 't2v' } });
    expect(problems).toMatchObject([{ code: 'TEMPLATE_PATCH_SETTINGS', pointer: '/steps/0/patch' }]);
  });

  it('[TM13] needs object info, and says so only for values that change the graph', () => {
    const made = template([], { lora: { type: 'model', default: null } }, { set: { '9.filename_prefix': '{lora}' } });
    expect(codes(render(made, scope({ lora: null })).problems)).toEqual(['STEP_PATCH_OBJECT_INFO']);
    expect(codes(render(made, scope({ lora: 'x' })).problems)).toEqual([]);
  });

  it('[TM13] tells in words what was done', () => {
    expect(sent([{ bypass: '12' }]).done).toEqual(['Node 12 (Upscale) is bypassed']);
  });
});

it('the example in docs/templates.md has the shape of the schema', () => {
  const docs = readFileSync(new URL('../../docs/templates.md', import.meta.url), 'utf8');
  const example = /## Patches[\s\S]*?```jsonc\n"patch": ([\s\S]*?)```/.exec(docs)?.[1] ?? '';
  expect(
    codes(found(JSON.parse(example) as object[])).filter((code) => code.startsWith('TEMPLATE_FIELD') || code.startsWith('TEMPLATE_PATCH')),
  ).toEqual([]);
});
