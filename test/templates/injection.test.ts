import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import { renderStep, stepMedia } from '#templates/render.ts';
import { codes, compile, compiled, GRAPH, manifest, media, render, rendered, renderedText, scope } from './support.ts';

const TEXT = { prompt: { type: 'text', default: '' } };

/** One text encoder whose text is `text`, with a parameter `prompt`, `seed` and `list`. */
function encoder(text: string, parameters: object = TEXT) {
  return compiled(manifest({ parameters }, { outputs: {} }), { 'w.json': withText(text) });
}

function withText(text: unknown): object {
  return { ...GRAPH, '6': { class_type: 'CLIPTextEncode', inputs: { text, clip: ['4', 1] }, _meta: { title: 'Positive prompt' } } };
}

const textOf = (text: string, prompt: string): unknown => rendered(encoder(text), scope({ prompt }))['6']?.inputs.text;

describe('placeholders in text', () => {
  it('[TI1] replaces a name anywhere in a string', () => {
    expect(textOf('a {prompt}, {prompt}!', 'cat')).toBe('a cat, cat!');
  });

  it('[TI1] finds a name whose braces are written as escapes', () => {
    const graph = JSON.stringify(withText('a {prompt}')).replace('{prompt}', String.raw`\u007Bprompt\u007d`);
    const template = compiled(manifest({ parameters: TEXT }, { outputs: {} }), { 'w.json': graph });
    expect(rendered(template, scope({ prompt: 'cat' }))['6']?.inputs.text).toBe('a cat');
  });

  it('[TI2] gives a string that is one placeholder the type of the value', () => {
    const parameters = { seed: { type: 'seed' }, list: { type: 'list', of: 'integer' }, flag: { type: 'boolean' } };
    const text = renderedText(
      compiled(manifest({ parameters }, { set: { '3.seed': '{seed}', '6.text': '{list}', '9.filename_prefix': '{flag}' } })),
      scope({ seed: 18446744073709551615n, list: [1, 2], flag: true }),
    );
    expect(text).toContain('"seed": 18446744073709551615');
    expect(text).toContain('"text": {"__value__":[1,2]}');
    expect(text).toContain('"filename_prefix": true');
  });

  it.each([
    ['{{prompt}}', '{prompt}'],
    ['{{anything at all}} {prompt}', '{anything at all} cat'],
    ['{{{prompt}}}', '{cat}'],
    ['{{a {prompt} b}}', '{a cat b}'],
    ['{{day|night}|{prompt}}', '{{day|night}|cat}'],
    ['{prompt|{a|b}}', '{prompt|{a|b}}'],
    ['{"a":{"b":"{prompt}"}}', '{"a":{"b":"cat"}}'],
    ['{{', '{{'],
    ['}} {prompt}', '}} cat'],
  ])('[TI3] reads %j as %j', (text, expected) => {
    expect(textOf(text, 'cat')).toBe(expected);
  });

  it.each([
    '{day|night}',
    '{"a": 1}',
    'a { color: red }',
    '{}',
    '{ }',
    '{prompt',
    'prompt}',
    '{prompt|shout}',
    '{1}',
    '{a b}',
    '{prompt|pad:0}',
    '{prompt.x}',
  ])('[TI4] leaves %j alone', (text) => {
    expect(textOf(text, 'cat')).toBe(text);
  });

  it('[TI4] warns of an unknown name in a workflow and offers the near one', () => {
    const { value, problems } = compile(manifest({ parameters: TEXT }, { set: { '9.filename_prefix': '{prompt}' } }), {
      'w.json': withText('a {promt}'),
    });
    expect(value).toBeDefined();
    expect(problems).toEqual([
      expect.objectContaining({
        code: 'TEMPLATE_REFERENCE_UNKNOWN',
        severity: 'warning',
        hint: 'Did you mean {prompt}?',
        file: 'w.json',
        node: '6',
        input: 'text',
        step: 'a',
      }),
    ]);
  });

  it('[TI4] refuses an unknown name that is the whole value of `set`, and warns within a longer one', () => {
    const set = { '6.text': '{promt}', '9.filename_prefix': 'x {promt}' };
    const { problems } = compile(manifest({ parameters: TEXT }, { set }), { 'w.json': GRAPH });
    expect(problems.filter((problem) => problem.code === 'TEMPLATE_REFERENCE_UNKNOWN').map((problem) => problem.severity)).toEqual([
      'error',
      'warning',
    ]);
  });

  it('[TI4] warns of spaces at the ends of a declared name', () => {
    const { problems } = compile(manifest({ parameters: TEXT }, { set: { '6.text': '{ prompt } {prompt}' } }));
    expect(codes(problems)).toEqual(['TEMPLATE_PLACEHOLDER_SPACES']);
  });

  it('[TI5] never expands a value again', () => {
    expect(textOf('{prompt}', '{prompt} {{x}} {seed|slug}')).toBe('{prompt} {{x}} {seed|slug}');
    expect(textOf('a {prompt}', '{prompt} {{x}}')).toBe('a {prompt} {{x}}');
  });

  it.each([
    ['{prompt|slug}', 'A  Café, at Night!', 'a-cafe-at-night'],
    ['{prompt|slug}', '東京 タワー', '東京-タワー'],
    ['{prompt|slug}', '…', 'untitled'],
    ['{prompt|basename}', 'a/b\\c.tar.gz', 'c.tar.gz'],
    ['{prompt|stem}', '/x/face.v2.png', 'face.v2'],
    ['{prompt|stem}', '.hidden', '.hidden'],
    ['{prompt|stem|slug}', '/x/My Face.png', 'my-face'],
    ['n{prompt|pad:4}', '7', 'n0007'],
    ['{prompt|pad:4}', '-7', '-0007'],
  ])('[TI6] applies %j to %j', (text, prompt, expected) => {
    expect(textOf(text, prompt)).toBe(expected);
  });

  it('[TI6] says when a value cannot be padded', () => {
    expect(codes(render(encoder('{prompt|pad:4}'), scope({ prompt: 'x' })).problems)).toEqual(['STEP_FILTER']);
  });

  it('[TI7] keeps every byte into which nothing is injected', () => {
    const odd =
      '{ "6" :{"inputs":{ "cfg":8.0,"seed" : 18446744073709551615,\r\n\t"text":"{prompt}", "x": NaN,"clip":["4",1] },"class_type":"A\\u0042" ,"own":[1.50,{}]},\n"4":{"class_type":"L","inputs":{}} }\n\n';
    const template = compiled(manifest({ parameters: TEXT }, { outputs: {} }), { 'w.json': odd });
    expect(renderedText(template, scope({ prompt: 'cat' }))).toBe(odd.replace('{prompt}', 'cat'));
    const plain = compiled(manifest({}, { outputs: {} }), { 'w.json': odd.replace('{prompt}', '{day|night}') });
    expect(renderedText(plain, scope())).toBe(odd.replace('{prompt}', '{day|night}'));
  });

  it('[TI8] leaves titles, classes, ids and links as they are', () => {
    const graph = {
      '{prompt}': {
        class_type: 'Save{prompt}',
        inputs: { images: ['{x}', 0], text: '{prompt}' },
        _meta: { title: '{prompt}' },
        note: '{prompt}',
      },
      '{x}': { class_type: 'LoadImage', inputs: { image: 'a.png' } },
    };
    const result = rendered(compiled(manifest({ parameters: TEXT }, { outputs: {} }), { 'w.json': graph }), scope({ prompt: 'cat' }));
    expect(result).toEqual({ ...graph, '{prompt}': { ...graph['{prompt}'], inputs: { images: ['{x}', 0], text: 'cat' } } });
  });
});

describe('set', () => {
  it('[TI9] addresses inputs by id and by title', () => {
    const template = compiled(
      manifest({ parameters: TEXT }, { set: { '"title:Positive prompt".text': '{prompt}', '9.filename_prefix': 'shots/{prompt|slug}' } }),
    );
    const graph = rendered(template, scope({ prompt: 'A cat' }));
    expect(graph['6']?.inputs.text).toBe('A cat');
    expect(graph['9']?.inputs.filename_prefix).toBe('shots/a-cat');
  });

  it('[TI9] takes ids with colons and inputs with dots', () => {
    const graph = { '12:3': { class_type: 'X', inputs: { 'format.codec': 'h264' } } };
    const template = compiled(manifest({}, { outputs: {}, set: { '12:3.format.codec': 'av1' } }), { 'w.json': graph });
    expect(rendered(template, scope())['12:3']?.inputs['format.codec']).toBe('av1');
  });

  it('[TI9] takes ids with dots in quotes, and says so where they are missing', () => {
    const graph = { ...GRAPH, 'Text.0': GRAPH['6'] };
    const at = (address: string) =>
      compile(manifest({ parameters: { prompt: { type: 'text', default: '' } } }, { set: { [address]: '{prompt}' } }), { 'w.json': graph });
    const { value, problems } = at('"Text.0".text');
    expect(problems).toEqual([]);
    expect(value?.steps[0]?.sites).toMatchObject([{ node: 'Text.0', input: 'text' }]);
    expect(at('Text.0.text').problems[0]).toMatchObject({ code: 'TEMPLATE_NODE_UNKNOWN', hint: expect.stringContaining('\\"Text.0\\"') });
  });

  it('[TI9] stands over what the workflow holds, also over its placeholders', () => {
    const template = compiled(manifest({ parameters: TEXT }, { set: { '6.text': 'fixed {prompt}' } }), {
      'w.json': withText('{unknown_to_all}'),
    });
    expect(template.problems).toEqual([]);
    expect(rendered(template, scope({ prompt: 'cat' }))['6']?.inputs.text).toBe('fixed cat');
  });

  it('[TI9] adds an input that the file does not have, with a warning', () => {
    const template = compiled(manifest({}, { set: { '6.txt': 'x' } }));
    expect(template.problems).toEqual([
      expect.objectContaining({
        code: 'TEMPLATE_SET_INPUT_UNKNOWN',
        severity: 'warning',
        node: '6',
        input: 'txt',
        hint: expect.stringContaining('"text"'),
      }),
    ]);
    expect(rendered(template, scope())['6']?.inputs).toEqual({ ...GRAPH['6'].inputs, txt: 'x' });
  });

  it.each([
    ['no dot', { text: 'x' }, 'TEMPLATE_SET_ADDRESS'],
    ['an unknown node', { '66.text': 'x' }, 'TEMPLATE_NODE_UNKNOWN'],
    ['an unknown title', { '"title:Positive promt".text': 'x' }, 'TEMPLATE_NODE_UNKNOWN'],
    ['a linked input', { '6.clip': 'x' }, 'TEMPLATE_SET_REPLACES_LINK'],
    ['a value that would be a link', { '6.text': ['4', 0] }, 'TEMPLATE_SET_LINK'],
    ['one input twice', { '6.text': 'x', '"title:Positive prompt".text': 'y' }, 'TEMPLATE_SET_TWICE'],
  ])('[TI10] refuses %s', (_, set, code) => {
    const { value, problems } = compile(manifest({}, { set }));
    expect(value).toBeUndefined();
    expect(problems).toEqual([
      expect.objectContaining({ code, step: 'a', file: 'template.json', line: expect.any(Number), hint: expect.any(String) }),
    ]);
  });

  it('[TI10] refuses a title that several nodes have, and names them', () => {
    const twin = {
      ...GRAPH,
      '7': { class_type: 'CLIPTextEncode', inputs: { text: '', clip: ['4', 1] }, _meta: { title: 'Positive prompt' } },
    };
    const { problems } = compile(manifest({}, { set: { '"title:Positive prompt".text': 'x' } }), { 'w.json': twin });
    expect(problems).toEqual([expect.objectContaining({ code: 'TEMPLATE_TITLE_AMBIGUOUS', message: expect.stringContaining('6, 7') })]);
  });

  it('[TI16] takes any JSON, with placeholders in the strings inside it', () => {
    const parameters = { lora: { type: 'model' }, strength: { type: 'number' } };
    const set = { '6.lora_1': { on: true, lora: '{lora}', strength: '{strength}', tags: ['a {lora|stem}'] }, '3.steps': 30, '3.cfg': 7.5 };
    const graph = rendered(compiled(manifest({ parameters }, { set })), scope({ lora: 'x/y.safetensors', strength: 0.8 }));
    expect(graph['6']?.inputs.lora_1).toEqual({ on: true, lora: 'x/y.safetensors', strength: 0.8, tags: ['a y'] });
    expect(graph['3']?.inputs).toMatchObject({ steps: 30, cfg: 7.5 });
  });

  it('[TI16] finds placeholders in lists and objects of the workflow', () => {
    const template = compiled(manifest({ parameters: TEXT }, { outputs: {} }), {
      'w.json': withText({ deep: ['{prompt}', { x: 'a {prompt}' }], n: 1.0 }),
    });
    expect(rendered(template, scope({ prompt: 'cat' }))['6']?.inputs.text).toEqual({ deep: ['cat', { x: 'a cat' }], n: 1 });
  });

  it.each([
    ['a text', { type: 'text', default: '' }, '3.seed'],
    ['a list', { type: 'list', of: 'integer', default: [] }, '3.seed'],
    ['a file', { type: 'image', default: null }, '5.width'],
  ])('[TI18] refuses %s where the workflow holds a number', (_, definition, address) => {
    const { problems } = compile(manifest({ parameters: { p: definition } }, { set: { [address]: '{p}' } }));
    expect(codes(problems)).toEqual(['TEMPLATE_PLACEHOLDER_TYPE']);
  });

  it('[TI18] refuses a longer text where the workflow holds a number', () => {
    const { problems } = compile(manifest({ parameters: { p: { type: 'integer', default: 1 } } }, { set: { '3.seed': '1{p}' } }));
    expect(codes(problems)).toEqual(['TEMPLATE_PLACEHOLDER_TYPE']);
  });
});

describe('values', () => {
  const optional = { p: { type: 'text', default: null } };

  it('[TI11] writes nothing for null within a text', () => {
    expect(rendered(encoder('a {p}b', optional), scope({ p: null }))['6']?.inputs.text).toBe('a b');
  });

  it('[TI11] leaves an input alone when its whole value in `set` is null', () => {
    const template = compiled(manifest({ parameters: optional }, { set: { '6.text': '{p}' } }));
    expect(renderedText(template, scope({ p: null }))).toBe(JSON.stringify(GRAPH, null, 2));
  });

  it('[TI11] falls back to the placeholder of the workflow when `set` gives null', () => {
    const parameters = { ...optional, q: { type: 'text', default: '' } };
    const template = compiled(manifest({ parameters }, { set: { '6.text': '{p}' } }), { 'w.json': withText('own {q}') });
    expect(rendered(template, scope({ p: null, q: 'x' }))['6']?.inputs.text).toBe('own x');
    expect(rendered(template, scope({ p: 'y', q: 'x' }))['6']?.inputs.text).toBe('y');
  });

  it('[TI11] says when the workflow holds only a placeholder and its value is null', () => {
    const { value, problems } = render(encoder('{p}', optional), scope({ p: null }));
    expect(value).toBeUndefined();
    expect(problems).toEqual([expect.objectContaining({ code: 'STEP_VALUE_NULL', file: 'w.json', node: '6', input: 'text', step: 'a' })]);
  });

  it('[TI12] refuses a list within a longer text before any run', () => {
    const { problems } = compile(
      manifest({ parameters: { l: { type: 'list', of: 'text', default: [] } } }, { set: { '6.text': 'a {l}' } }),
    );
    expect(codes(problems)).toEqual(['TEMPLATE_REFERENCE_LIST']);
  });

  it('[TI12] wraps every list, because ComfyUI takes a plain one in an input for a link', () => {
    const parameters = { l: { type: 'list', of: 'choice', choices: ['4', 0], default: [] }, v: { type: 'vector', default: [1, 2, 3] } };
    const template = compiled(manifest({ parameters }, { set: { '6.text': '{l}', '3.steps': ['{v}', 1, 2], '3.cfg': { a: '{l}' } } }));
    for (const l of [['4', 0], ['4', '0'], ['4', 0, 0], [0]]) {
      const graph = rendered(template, scope({ l, v: [1, 2, 3] }));
      expect(graph['6']?.inputs.text).toEqual({ __value__: l });
      expect(graph['3']?.inputs).toMatchObject({ steps: { __value__: [[1, 2, 3], 1, 2] }, cfg: { a: l } });
    }
  });

  it('[TI13] writes the uploaded name of a file, alone and within a text', () => {
    const parameters = { i: { type: 'image' } };
    const template = compiled(manifest({ parameters }, { set: { '10.image': '{i}', '6.text': '{i} [input] of {i|stem}' } }));
    const at = scope({ i: media('/in/face.png') });
    expect(rendered(template, at)['10']?.inputs.image).toBe('uploaded/face.png');
    expect(rendered(template, at)['6']?.inputs.text).toBe('uploaded/face.png [input] of face');
    expect(stepMedia(template, 'a', at)).toEqual([media('/in/face.png')]);
  });

  it('[TI13] asks for no upload where only the name of a file is used', () => {
    const template = compiled(manifest({ parameters: { i: { type: 'image' } } }, { set: { '6.text': '{i|stem}' } }));
    expect(stepMedia(template, 'a', scope({ i: media('/in/face.png') }))).toEqual([]);
  });

  it('[TI13] refuses a list of files for one input before any run', () => {
    const { problems } = compile(
      manifest({ parameters: { l: { type: 'list', of: 'image', default: [] } } }, { set: { '10.image': '{l}' } }),
    );
    expect(codes(problems)).toEqual(['TEMPLATE_REFERENCE_LIST']);
  });

  it('[TI14] writes a colour as a number where the workflow holds one', () => {
    const graph = { '1': { class_type: 'EmptyImage', inputs: { color: 0, name: 'x' } } };
    const set = { '1.color': '{c}', '1.name': '{c}' };
    const template = compiled(manifest({ parameters: { c: { type: 'color' } } }, { outputs: {}, set }), { 'w.json': graph });
    expect(rendered(template, scope({ c: '#ff8000' }))['1']?.inputs).toEqual({ color: 0xff8000, name: '#ff8000' });
  });

  const { info } = parseObjectInfo(
    JSON.stringify({
      CheckpointLoaderSimple: {
        input: { required: { ckpt_name: [['SDXL\\base.safetensors', 'Flux.safetensors', 'a/x.pt', 'b/x.pt']] } },
        output: ['MODEL'],
      },
    }),
  );
  it.each([
    ['SDXL/base.safetensors', 'SDXL\\base.safetensors'],
    ['base.safetensors', 'SDXL\\base.safetensors'],
    ['flux.safetensors', 'Flux.safetensors'],
    ['elsewhere/Flux.safetensors', 'Flux.safetensors'],
    ['b\\x.pt', 'b/x.pt'],
    ['elsewhere/BASE.SafeTensors', 'SDXL\\base.safetensors'],
  ])('[TI15] heals the model name %j to %j', (name, expected) => {
    const template = compiled(manifest({ parameters: { m: { type: 'model' } } }, { set: { '4.ckpt_name': '{m}' } }));
    const { value, problems } = renderStep(template, 'a', scope({ m: name }), {
      mediaName: (file) => file.path,
      ...(info === undefined ? {} : { objectInfo: info }),
    });
    expect(problems).toEqual([]);
    expect(JSON.parse(value?.text ?? '')['4'].inputs.ckpt_name).toBe(expected);
  });

  it.each(['x.pt', 'unknown.safetensors'])('[TI15] warns of %j, which the backend does not list or lists twice', (name) => {
    const template = compiled(manifest({ parameters: { m: { type: 'model' } } }, { set: { '4.ckpt_name': '{m}' } }));
    const { value, problems } = renderStep(template, 'a', scope({ m: name }), {
      mediaName: (file) => file.path,
      ...(info === undefined ? {} : { objectInfo: info }),
    });
    expect(problems).toEqual([expect.objectContaining({ code: 'STEP_MODEL_UNKNOWN', severity: 'warning', node: '4', input: 'ckpt_name' })]);
    expect(JSON.parse(value?.text ?? '')['4'].inputs.ckpt_name).toBe(name);
  });

  it('[TI17] writes into the settings of Wan2GP, lists of files included', () => {
    const parameters = { ...TEXT, refs: { type: 'list', of: 'image' } };
    const step = { id: 'a', backend: 'wan2gp', workflow: 's.json', set: { image_refs: '{refs}' }, outputs: { video: '*' } };
    const settings = '{"model_type": "t2v", "prompt": "a {prompt}", "image_refs": null, "flow_shift": 7.0}';
    const template = compiled(manifest({ parameters, steps: [step] }), { 's.json': settings });
    const { value } = render(template, scope({ prompt: 'cat', refs: [media('/1.png'), media('/2.png')] }));
    expect(value).toEqual({
      text: '{"model_type": "t2v", "prompt": "a cat", "image_refs": ["uploaded/1.png","uploaded/2.png"], "flow_shift": 7.0}',
      outputNodes: [],
      patches: [],
      outputs: { video: '*' },
    });
  });
});
