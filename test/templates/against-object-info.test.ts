import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import { checkTemplateAgainst } from '#templates/against-object-info.ts';
import { compileTemplate } from '#templates/compile.ts';
import { sourceOf } from '#templates/load.ts';
import { mergeProblems } from '#templates/merge-problems.ts';

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

const NODES = `{
  "Sampler": {"input": {"required": {"seed": ["INT", {"min": 0, "max": 18446744073709551615}], "steps": ["INT", {"min": 1, "max": 50}], "cfg": ["FLOAT", {"min": 0, "max": 30}],
      "mode": [["euler", "heun"]], "on": ["BOOLEAN"], "text": ["STRING"], "model": ["MODEL"], "ckpt_name": [["a.safetensors"]]}}, "output": ["IMAGE"], "python_module": "nodes"},
  "Custom": {"input": {"required": {"model": ["MODEL"]}}, "output": ["IMAGE"], "output_node": true, "python_module": "custom_nodes.x"},
  "Custom2": {"input": {"required": {"model": ["MODEL"]}}, "output": ["IMAGE"], "python_module": "nodes"},
  "Load": {"input": {"required": {"image": [["a.png"], {"image_upload": true}]}}, "output": ["IMAGE"], "python_module": "nodes"},
  "Save": {"input": {"required": {"images": ["IMAGE"]}}, "output": [], "output_node": true, "python_module": "nodes"}
}`;
const INPUTS = { seed: 1, steps: 20, cfg: 7, mode: 'euler', on: true, text: 'x', model: ['3', 0], ckpt_name: 'a.safetensors' };

/** What is said of the input that one parameter, or a text with it, fills. */
function fill(definition: object, address: string, text: unknown = '{p}', manifest: object = {}, step: object = {}) {
  const nodes = parseObjectInfo(NODES).info;
  const workflow = {
    1: { class_type: 'Sampler', inputs: INPUTS },
    2: { class_type: 'Save', inputs: { images: ['1', 0] } },
    3: { class_type: 'Custom', inputs: { model: ['3', 1] } },
    4: { class_type: 'Load', inputs: { image: 'a.png' } },
    5: { class_type: 'Custom2', inputs: {} },
  };
  const steps = [{ id: 'main', workflow: 'w.json', set: { [address]: text }, ...step }];
  const whole = { format: 1, id: 't', version: '1.0.0', parameters: { p: definition }, steps, ...manifest };
  const { value, partial } = compileTemplate(sourceOf(JSON.stringify(whole), { 'w.json': JSON.stringify(workflow) }));
  const template = value ?? partial;
  if (template === undefined || nodes === undefined) throw new Error('the template of the test does not compile');
  return checkTemplateAgainst(template, nodes, (name) => name).filter(
    ({ code }) => code.startsWith('TEMPLATE_') || code === 'MODEL_MISSING',
  );
}

describe('a parameter against the input that it fills', () => {
  const wrong: [what: string, definition: object, address: string, words: RegExp][] = [
    [
      'a text in a whole number',
      { type: 'text' },
      '1.steps',
      /\{p\} is a text and cannot stand in input "steps" of node 1 \(Sampler\), which takes a whole number/,
    ],
    ['a list in a number', { type: 'list', of: 'number' }, '1.cfg', /is a list/],
    ['a vector in a text', { type: 'vector' }, '1.text', /is a list/],
    ['a file in true or false', { type: 'image' }, '1.on', /is a file/],
    ['a file among choices', { type: 'image' }, '1.mode', /is a file/],
    ['a number among texts', { type: 'integer' }, '1.mode', /is a number/],
    ['a text in place of a link', { type: 'text' }, '5.model', /which takes MODEL from another node/],
  ];
  it.each(wrong)('is refused: %s', (_what, definition, address, words) => {
    expect(fill(definition, address)).toMatchObject([
      {
        code: 'TEMPLATE_PLACEHOLDER_TYPE',
        severity: 'error',
        parameter: 'p',
        step: 'main',
        node: address[0],
        message: expect.stringMatching(words),
        line: 1,
      },
    ]);
  });

  const right: [what: string, definition: object, address: string][] = [
    ['a whole number in a text', { type: 'integer' }, '1.text'],
    ['true or false in a number', { type: 'boolean' }, '1.cfg'],
    ['a file in a text', { type: 'image' }, '1.text'],
    ['a file in a list of files', { type: 'image' }, '4.image'],
    ['a model among choices', { type: 'model', folder: 'checkpoints' }, '1.ckpt_name'],
    ['a seed with the range of the server', { type: 'seed' }, '1.seed'],
    ['numbers as texts of a choice', { type: 'choice', choices: ['10', '20'] }, '1.steps'],
  ];
  it.each(right)('is taken: %s', (_what, definition, address) => {
    expect(fill(definition, address)).toEqual([]);
  });

  it('is taken as a text by a number of an adopted workflow, whose types nobody chose', () => {
    expect(fill({ type: 'string' }, '1.steps', '{p}', { category: 'adopted' })).toEqual([]);
    expect(fill({ type: 'string' }, '1.steps')).toHaveLength(1);
  });

  it('is judged by its items where the step fans out', () => {
    const list = { type: 'list', of: 'text', default: [] };
    expect(fill(list, '1.steps', '{each}', {}, { each: '{p}' })).toMatchObject([{ code: 'TEMPLATE_PLACEHOLDER_TYPE', parameter: 'p' }]);
    expect(fill(list, '1.text', '{each}', {}, { each: '{p}' })).toEqual([]);
  });

  it('is warned of with both ranges where its bounds are wider', () => {
    expect(fill({ type: 'integer', minimum: 0, maximum: 60 }, '1.steps')).toMatchObject([
      {
        code: 'TEMPLATE_PARAMETER_BOUNDS',
        severity: 'warning',
        message: '{p} takes 0 to 60, but input "steps" of node 1 (Sampler) only 1 to 50.',
        hint: 'Give the parameter "minimum": 1 and "maximum": 50.',
      },
    ]);
    expect(fill({ type: 'number' }, '1.cfg')).toMatchObject([{ message: expect.stringContaining('takes any number, but') }]);
    expect(fill({ type: 'number', minimum: 0, maximum: 30 }, '1.cfg')).toEqual([]);
  });

  it('has choices that the input takes: an error where the preset one, or none, is taken', () => {
    const choices = (values: string[], preset?: string) =>
      fill({ type: 'choice', choices: values, ...(preset === undefined ? {} : { default: preset }) }, '1.mode');
    expect(choices(['euler', 'heunn'], 'euler')).toMatchObject([
      { code: 'TEMPLATE_PARAMETER_CHOICES', severity: 'warning', hint: 'Did you mean "heun" for "heunn"?' },
    ]);
    expect(choices(['euler', 'heunn'], 'heunn')).toMatchObject([{ severity: 'error' }]);
    expect(choices(['lms', 'ddim'])).toMatchObject([{ severity: 'error', hint: 'The input takes: euler, heun.' }]);
    expect(choices(['heun', 'euler'])).toEqual([]);
  });

  it('names a model that the server has, or is told where to get it; another spelling of it will do, and so will none', () => {
    const model = (preset: string | undefined, manifest: object = {}) =>
      fill({ type: 'model', folder: 'checkpoints', ...(preset === undefined ? {} : { default: preset }) }, '1.ckpt_name', '{p}', manifest);
    const requires = { models: [{ folder: 'checkpoints', name: 'gone.safetensors', url: 'https://example.org/gone.safetensors' }] };
    expect(model('gone.safetensors', { requires })).toMatchObject([
      { code: 'MODEL_MISSING', severity: 'warning', parameter: 'p', hint: expect.stringContaining('https://example.org/gone.safetensors') },
    ]);
    expect(model('b.safetensors')).toMatchObject([{ code: 'MODEL_MISSING', hint: expect.stringContaining('models/checkpoints') }]);
    expect(model('sub\\A.safetensors')).toEqual([]);
    expect(model(undefined)).toEqual([]);
  });
});

describe('an output of a step', () => {
  const output = (node: string) => fill({ type: 'text' }, '1.text', '{p}', {}, { outputs: { image: node } });

  it('gives no files where its node saves and shows nothing', () => {
    expect(output('1')).toMatchObject([
      { code: 'TEMPLATE_OUTPUT_NO_FILES', severity: 'error', pointer: '/steps/0/outputs/image', hint: expect.stringContaining('2 (Save)') },
    ]);
    expect(output('2')).toEqual([]);
    expect(output('3')).toEqual([]);
  });
});

describe('an adopted UI file', () => {
  it('names the pack of a missing class and the address of a missing model', () => {
    const template = compileTemplate(
      sourceOf(JSON.stringify({ format: 1, id: 't', version: '1.0.0', steps: [{ id: 'main', workflow: 'w.json' }] }), {
        'w.json': JSON.stringify({
          1: { class_type: 'Nice', inputs: {} },
          2: { class_type: 'Sampler', inputs: { ...INPUTS, model: ['1', 0], ckpt_name: 'flux_dev.safetensors' } },
          3: { class_type: 'Save', inputs: { images: ['2', 0] } },
        }),
      }),
    ).value;
    const nodes = parseObjectInfo(NODES).info;
    if (template === undefined || nodes === undefined) throw new Error('the template of the test does not compile');
    const original = JSON.stringify({
      nodes: [
        { id: 1, type: 'Nice', properties: { cnr_id: 'nice-pack', ver: '1.1.0' } },
        {
          id: 2,
          type: 'Sampler',
          properties: { models: [{ name: 'flux_dev.safetensors', url: 'https://example.org/b', directory: 'checkpoints' }] },
        },
      ],
      links: [],
    });
    const problems = checkTemplateAgainst(template, nodes, (name) => name, { original });
    expect(problems.map(({ code, hint, line }) => [code, hint, line])).toEqual([
      ['NODE_CLASS_UNKNOWN', 'Install the node pack "nice-pack" (saved with 1.1.0) with ComfyUI Manager and restart ComfyUI.', undefined],
      ['MODEL_MISSING', 'Download https://example.org/b and put it into models/checkpoints of the server.', undefined],
    ]);
  });
});

describe('mergeProblems', () => {
  it('gives each file from top to bottom, and one finding where a warning became certain', () => {
    const at = (code: string, severity: 'error' | 'warning', file: string, line: number) => ({
      code,
      severity,
      message: 'm',
      file,
      line,
      pointer: `/${line}`,
    });
    const merged = mergeProblems(
      [at('B', 'warning', 't', 9), at('LIST', 'warning', 'w', 2), at('A', 'warning', 'w', 1)],
      [at('LIST', 'error', 'w', 2), at('C', 'error', 't', 3)],
    );
    expect(merged.map(({ code, severity }) => `${code} ${severity}`)).toEqual(['C error', 'B warning', 'A warning', 'LIST error']);
    const twice = { ...at('TEMPLATE_PLACEHOLDER_TYPE', 'error', 't', 1), message: 'with more words' };
    expect(mergeProblems([at('TEMPLATE_PLACEHOLDER_TYPE', 'error', 't', 1)], [twice])).toEqual([twice]);
  });
});

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
