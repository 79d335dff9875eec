import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { BLENDER_KEYWORDS, BLENDER_ROOTS } from '#templates/blender-hints.ts';
import { formFacts } from '#templates/form.ts';
import { checkParameters, parameterSchema, type ParameterTools, reviveParameters, storeParameters } from '#templates/parameters.ts';
import { codes, compile, compiled, folderWith, GRAPH, manifest, media } from './support.ts';

const MAX = 2n ** 64n - 1n;
const tools: ParameterTools = {
  drawSeed: () => MAX,
  resolveMedia: async (value) => media(value),
  resolveDirectory: async (path) => path,
};

/** A template with these parameters, each used by a setting. */
function template(parameters: object) {
  const set = Object.fromEntries(Object.keys(parameters).map((name) => [`free_${name}`, `{${name}}`]));
  const step = { id: 'a', workflow: 's.json', backend: 'wan2gp', set };
  return compiled(manifest({ parameters, steps: [step] }), { 's.json': { model_type: 't2v' } });
}

async function check(definition: object, given: unknown) {
  return checkParameters(template({ p: definition }), given === undefined ? {} : { p: given }, tools);
}

async function valueOf(definition: object, given: unknown): Promise<unknown> {
  const { value, problems } = await check(definition, given);
  expect(problems).toEqual([]);
  return value?.p;
}

async function codesOf(definition: object, given: unknown): Promise<string[]> {
  const { value, problems } = await check(definition, given);
  expect(value).toBeUndefined();
  for (const problem of problems) expect(problem).toMatchObject({ parameter: 'p', hint: expect.any(String) });
  return codes(problems);
}

describe('the door', () => {
  it('[TP1] fills in defaults and asks for what has none', async () => {
    expect(await valueOf({ type: 'text', default: 'x' }, undefined)).toBe('x');
    expect(await codesOf({ type: 'text' }, undefined)).toEqual(['PARAMETER_MISSING']);
    expect(await codesOf({ type: 'text', default: 'x', required: true }, undefined)).toEqual(['PARAMETER_MISSING']);
  });

  it('[TP2] reports unknown, missing and wrong parameters together', async () => {
    const { value, problems } = await checkParameters(
      template({ prompt: { type: 'text' }, width: { type: 'integer' } }),
      { promt: 'x', width: 'wide', constructor: 1 },
      tools,
    );
    expect(value).toBeUndefined();
    expect(codes(problems)).toEqual(['PARAMETER_UNKNOWN', 'PARAMETER_UNKNOWN', 'PARAMETER_MISSING', 'PARAMETER_TYPE']);
    expect(problems[0]?.hint).toBe('Did you mean "prompt"?');
  });

  it('[TP3] takes null only where the default is null', async () => {
    expect(await valueOf({ type: 'image', default: null }, null)).toBeNull();
    expect(await valueOf({ type: 'image', default: null }, undefined)).toBeNull();
    expect(await codesOf({ type: 'text', default: '' }, null)).toEqual(['PARAMETER_TYPE']);
  });

  it('[TP4] holds texts to length and pattern', async () => {
    const definition = { type: 'string', minLength: 2, maxLength: 4, pattern: '^[a-z]+$' };
    expect(await valueOf(definition, 'abc')).toBe('abc');
    expect(await codesOf(definition, 'A')).toEqual(['PARAMETER_OUT_OF_BOUNDS', 'PARAMETER_OUT_OF_BOUNDS']);
    expect(await codesOf(definition, 5)).toEqual(['PARAMETER_TYPE']);
  });

  it('[TP4] answers at once where a backtracking engine would hang', async () => {
    const given = `${'a'.repeat(5000)}!`;
    expect(await codesOf({ type: 'string', pattern: '^(a+)+$' }, given)).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
  });

  it('[TP4] refuses a text that is too long for its pattern, also in a list, and says so', async () => {
    const pattern = '^(?:[a-z]{1,9}[0-9]){50}$';
    const long = 'a'.repeat(200_000);
    const { problems } = await check({ type: 'text', pattern }, long);
    expect(problems.map(({ message }) => message).join()).toContain('would take too long');
    const many = Array.from({ length: 100 }, () => 'a'.repeat(5000));
    expect(new Set(await codesOf({ type: 'list', of: 'text', pattern }, many))).toEqual(new Set(['PARAMETER_OUT_OF_BOUNDS']));
    expect(await valueOf({ type: 'text', pattern: '^[a-z ]+$' }, 'word '.repeat(190_000))).toHaveLength(950_000);
  });

  it.each(['(?=a)', '(a)\\1', '(', 'a{1001}', '((a{100}){100}){100}'])('[TP4] refuses the pattern %j', (pattern) => {
    const { problems } = compile(manifest({ parameters: { p: { type: 'string', pattern, default: null } } }, { set: { '6.text': '{p}' } }));
    expect(codes(problems)).toEqual(['TEMPLATE_PARAMETER_PATTERN']);
  });

  it('[TP4] tells the patterns of several parameters apart', async () => {
    const typed = template({ a: { type: 'string', pattern: '^a$' }, b: { type: 'string', pattern: '^b$' } });
    expect((await checkParameters(typed, { a: 'a', b: 'b' }, tools)).problems).toEqual([]);
    expect(codes((await checkParameters(typed, { a: 'b', b: 'a' }, tools)).problems)).toEqual([
      'PARAMETER_OUT_OF_BOUNDS',
      'PARAMETER_OUT_OF_BOUNDS',
    ]);
  });

  it('[TP5] reads whole numbers exactly, from numbers and from decimal strings', async () => {
    expect(await valueOf({ type: 'integer' }, '12')).toBe(12);
    expect(await valueOf({ type: 'integer' }, '9007199254740993')).toBe(9007199254740993n);
    expect(await valueOf({ type: 'integer' }, -(2n ** 63n))).toBe(-(2n ** 63n));
    expect(await valueOf({ type: 'integer', minimum: 64, maximum: 4096, multipleOf: 8 }, '512')).toBe(512);
  });

  it.each([1.5, '1.5', '1e3', 2 ** 53, '', ' 1', true, [1]])('[TP5] refuses %j as a whole number', async (given) => {
    expect(await codesOf({ type: 'integer' }, given)).toEqual(['PARAMETER_TYPE']);
  });

  it.each([8, 4104, 100, '-18446744073709551616', String(MAX + 1n)])(
    '[TP5] holds %j to bounds and multiples, in one problem',
    async (given) => {
      expect(await codesOf({ type: 'integer', minimum: 64, maximum: 4096, multipleOf: 8 }, given)).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
    },
  );

  it('[TP6] reads numbers', async () => {
    expect(await valueOf({ type: 'number' }, '0.5')).toBe(0.5);
    expect(await valueOf({ type: 'number', multipleOf: 0.1 }, 0.3)).toBe(0.3);
    expect(await codesOf({ type: 'number' }, 'NaN')).toEqual(['PARAMETER_TYPE']);
    expect(await codesOf({ type: 'number' }, Infinity)).toEqual(['PARAMETER_TYPE']);
    expect(await codesOf({ type: 'number', minimum: 0, maximum: 1 }, 2)).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
  });

  it('[TP7] reads true and false, also as words', async () => {
    expect(await valueOf({ type: 'boolean' }, 'true')).toBe(true);
    expect(await valueOf({ type: 'boolean' }, false)).toBe(false);
    expect(await codesOf({ type: 'boolean' }, 'yes')).toEqual(['PARAMETER_TYPE']);
  });

  it('[TP8] takes one of the choices, numbers also as a command line spells them', async () => {
    const definition = { type: 'choice', choices: ['euler', { value: 2, title: 'Two' }] };
    expect(await valueOf(definition, 'euler')).toBe('euler');
    expect(await valueOf(definition, '2')).toBe(2);
    expect(await codesOf(definition, 'ddim')).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
  });

  it('[TP9] draws a seed that is not given, within the bounds of the parameter', async () => {
    expect(await valueOf({ type: 'seed' }, undefined)).toBe(MAX);
    expect(await valueOf({ type: 'seed', minimum: 10, maximum: 19 }, undefined)).toBe(Number(10n + (MAX % 10n)));
    expect(await valueOf({ type: 'seed', default: 7 }, undefined)).toBe(7);
    expect(await valueOf({ type: 'seed' }, String(MAX))).toBe(MAX);
    expect(await codesOf({ type: 'seed' }, -1)).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
  });

  it('[TP10] brings colours into one spelling', async () => {
    expect(await valueOf({ type: 'color' }, '#FFaa00')).toBe('#ffaa00');
    expect(await valueOf({ type: 'color' }, '#fa0')).toBe('#ffaa00');
    expect(await valueOf({ type: 'color' }, [1, 0.5, 0])).toBe('#ff8000');
    expect(await valueOf({ type: 'color', alpha: true }, '[0, 0, 0, 0.5]')).toBe('#00000080');
    expect(await valueOf({ type: 'color', alpha: true }, '#000000')).toBe('#000000ff');
    expect(await codesOf({ type: 'color' }, 'red')).toEqual(['PARAMETER_TYPE']);
    expect(await codesOf({ type: 'color' }, [2, 0, 0])).toEqual(['PARAMETER_TYPE']);
    expect(await codesOf({ type: 'color' }, '#00000080')).toEqual(['PARAMETER_TYPE']);
  });

  it('[TP11] reads vectors of the right size', async () => {
    expect(await valueOf({ type: 'vector' }, [1, 2, 3])).toEqual([1, 2, 3]);
    expect(await valueOf({ type: 'vector', size: 2 }, '0.5, 2')).toEqual([0.5, 2]);
    expect(await codesOf({ type: 'vector', size: 2 }, [1, 2, 3])).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
    expect(await codesOf({ type: 'vector' }, ['a', 2, 3])).toEqual(['PARAMETER_TYPE']);
  });

  it('[TP12] hands files to the resolver and passes its refusal on', async () => {
    expect(await valueOf({ type: 'image' }, '/in/a.png')).toEqual(media('/in/a.png'));
    expect(await valueOf({ type: 'image', extensions: ['.PNG'] }, '/in/a.png')).toEqual(media('/in/a.png'));
    expect(await codesOf({ type: 'image', extensions: ['png'] }, '/in/a.txt')).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
    const refuse = async () => {
      throw new CallsheetError('PATH_NOT_ALLOWED', 'Outside.', { hint: 'Add a root.' });
    };
    const { problems } = await checkParameters(
      template({ p: { type: 'list', of: 'image' } }),
      { p: ['/x', '/y'] },
      { ...tools, resolveMedia: refuse },
    );
    expect(problems).toEqual(
      [1, 2].map(() => ({ code: 'PATH_NOT_ALLOWED', severity: 'error', message: 'Outside.', hint: 'Add a root.', parameter: 'p' })),
    );
  });

  it('[TP13] takes names of models as texts', async () => {
    expect(await valueOf({ type: 'model', folder: 'loras' }, 'a\\b.safetensors')).toBe('a\\b.safetensors');
    expect(await codesOf({ type: 'model' }, '')).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
  });

  it('[TP14] takes existing folders by their absolute path', async () => {
    const folder = await folderWith({ 'a.txt': 'x' });
    expect(await valueOf({ type: 'directory' }, folder)).toBe(folder);
    for (const given of ['relative', join(folder, 'missing'), join(folder, 'a.txt')]) {
      expect(await codesOf({ type: 'directory' }, given)).toEqual(['PARAMETER_DIRECTORY']);
    }
  });

  it('[TP15] checks every item of a list', async () => {
    expect(await valueOf({ type: 'list', of: 'text' }, '["a", "b"]')).toEqual(['a', 'b']);
    expect(await valueOf({ type: 'list', of: 'seed' }, '[18446744073709551615, 1]')).toEqual([MAX, 1]);
    expect(await valueOf({ type: 'list', of: 'image' }, ['/a.png'])).toEqual([media('/a.png')]);
    expect(await codesOf({ type: 'list', of: 'integer', maximum: 5 }, [1, 6])).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
    expect(await codesOf({ type: 'list', of: 'text' }, 'front')).toEqual(['PARAMETER_TYPE']);
    expect(await codesOf({ type: 'list', of: 'text', maxItems: 1 }, ['a', 'b'])).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
    expect(
      await codesOf(
        { type: 'list', of: 'text' },
        Array.from({ length: 1001 }, () => 'x'),
      ),
    ).toEqual(['PARAMETER_OUT_OF_BOUNDS']);
  });
});

describe('definitions of parameters', () => {
  it.each([
    ['a choice without choices', { type: 'choice' }, 'TEMPLATE_PARAMETER_INVALID'],
    ['a choice that is there twice', { type: 'choice', choices: ['a', 'a'] }, 'TEMPLATE_PARAMETER_INVALID'],
    ['bounds without room', { type: 'integer', minimum: 5, maximum: 4 }, 'TEMPLATE_PARAMETER_INVALID'],
    ['a field of another type', { type: 'text', minimum: 1 }, 'TEMPLATE_PARAMETER_INVALID'],
    ['a list without the type of its items', { type: 'list' }, 'TEMPLATE_PARAMETER_INVALID'],
    ['a fraction as bound of whole numbers', { type: 'integer', minimum: 0.5 }, 'TEMPLATE_PARAMETER_INVALID'],
    ['a step beyond 2^53', '{"type":"integer","multipleOf":18446744073709551615}', 'TEMPLATE_PARAMETER_INVALID'],
    ['a choice beyond 2^53', '{"type":"choice","choices":[18446744073709551615]}', 'TEMPLATE_PARAMETER_INVALID'],
    ['a seed below zero', { type: 'seed', minimum: -1 }, 'TEMPLATE_PARAMETER_INVALID'],
    ['a default of the wrong type', { type: 'integer', default: 'x' }, 'TEMPLATE_PARAMETER_DEFAULT'],
    ['a default out of bounds', { type: 'integer', default: 5, maximum: 4 }, 'TEMPLATE_PARAMETER_DEFAULT'],
  ])('[TP16] refuses %s', (_, definition, code) => {
    const text = JSON.stringify(manifest({ parameters: { p: 'DEFINITION' } }, { set: { '6.text': '{p}' } }));
    const { problems } = compile(text.replace('"DEFINITION"', typeof definition === 'string' ? definition : JSON.stringify(definition)));
    expect(codes(problems).filter((each) => each.startsWith('TEMPLATE_PARAMETER'))).toEqual([code]);
    expect(problems.find((problem) => problem.code === code)).toMatchObject({ parameter: 'p', line: expect.any(Number) });
  });

  it.each(['each', 'index', 'steps', 'choices', 'params', 'backend', '1a', 'a-b', 'ä'])('[TP16] refuses the name %j', (name) => {
    const { problems } = compile(manifest({ parameters: { [name]: { type: 'text', default: '' } } }));
    expect(codes(problems)).toContain('TEMPLATE_NAME_INVALID');
  });

  it('[TP16] warns of a parameter that nothing uses', () => {
    const { value, problems } = compile(manifest({ parameters: { p: { type: 'text', default: '' } } }));
    expect(value).toBeDefined();
    expect(problems).toEqual([expect.objectContaining({ code: 'TEMPLATE_PARAMETER_UNUSED', severity: 'warning', parameter: 'p' })]);
  });

  it('[TP16] ends the cure of a missing value with one full stop', async () => {
    const typed = template({ photo: { type: 'text', required: true, description: 'Any picture will do.' } });
    expect((await checkParameters(typed, {}, tools)).problems[0]?.hint).toBe('Give a value: Any picture will do.');
  });

  it('[TP16] does not call a parameter unused while a workflow that may use it cannot be read', () => {
    const { problems } = compile(manifest({ parameters: { p: { type: 'text', default: '' } } }, { workflow: 'missing.json' }));
    expect(codes(problems)).toEqual(['TEMPLATE_FILE_MISSING']);
  });

  it('[TP17] stores and revives whole numbers beyond 2^53, also in lists', () => {
    const typed = template({ s: { type: 'seed' }, l: { type: 'list', of: 'integer' }, t: { type: 'text' }, i: { type: 'image' } });
    const values = { s: MAX, l: [1, -(2n ** 60n)], t: '18446744073709551615', i: media('/a.png') };
    expect(JSON.parse(storeParameters(values))).toMatchObject({ s: String(MAX), l: [1, '-1152921504606846976'] });
    expect(reviveParameters(typed, storeParameters(values))).toEqual(values);
  });

  it('[TP18] gives clients the schema that checks values, with hints for forms', () => {
    const schema = parameterSchema(
      template({
        seed: { type: 'seed', title: 'Seed', group: 'Sampling', advanced: true },
        mode: { type: 'choice', choices: [{ value: 'a', title: 'Fast' }, 'b'], default: 'a', blender: 'scene.mode' },
        face: { type: 'image', default: null, description: 'Face to keep' },
      }),
    );
    expect(schema).toMatchObject({
      type: 'object',
      required: [],
      additionalProperties: false,
      properties: {
        seed: {
          title: 'Seed',
          minimum: 0,
          'x-integer': { maximum: String(MAX) },
          'x-callsheet': { type: 'seed', group: 'Sampling', advanced: true },
        },
        mode: { enum: ['a', 'b'], default: 'a', 'x-callsheet': { type: 'choice', labels: ['Fast', 'b'], blender: 'scene.mode' } },
        face: { type: ['string', 'null'], default: null, description: 'Face to keep' },
      },
    });
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });

  it('[TP20] tells forms the control, the place and whether a value is needed', () => {
    const schema = parameterSchema(
      template({
        last: { type: 'text' },
        size: { type: 'integer', minimum: 1, maximum: 9, default: 2, widget: 'slider', step: 2, unit: 'px', order: 2 },
        first: { type: 'string', order: 1 },
      }),
    );
    expect(Object.keys(schema.properties)).toEqual(['first', 'size', 'last']);
    expect(schema.properties['size']?.['x-callsheet']).toEqual({
      type: 'integer',
      widget: 'slider',
      order: 1,
      required: false,
      step: 2,
      unit: 'px',
    });
    expect(schema.properties['last']?.['x-callsheet']).toMatchObject({ widget: 'area', order: 2, required: true });
    expect(schema.properties['size']).not.toHaveProperty('multipleOf');
  });
});

describe('parameters that are hidden', () => {
  const typed = () =>
    template({
      frames: { type: 'integer', minimum: 1, visible: "params.mode == 'video'" },
      note: { type: 'text', default: 'none', visible: "params.mode == 'video' && params.frames > 10" },
      mode: { type: 'choice', choices: ['image', 'video'], default: 'image' },
      seed: { type: 'seed', visible: "params.mode == 'video'" },
    });

  it('[TP19] take their default and are not asked for', async () => {
    const { value, problems } = await checkParameters(typed(), {}, tools);
    expect(problems).toEqual([]);
    expect(value).toEqual({ frames: null, note: 'none', mode: 'image', seed: MAX });
    expect(Object.keys(value ?? {})).toEqual(['frames', 'note', 'mode', 'seed']);
  });

  it('[TP19] are asked for and checked as soon as they are shown', async () => {
    expect(codes((await checkParameters(typed(), { mode: 'video' }, tools)).problems)).toEqual(['PARAMETER_MISSING']);
    expect((await checkParameters(typed(), { mode: 'video', frames: '12', note: 'x' }, tools)).value).toMatchObject({
      frames: 12,
      note: 'x',
    });
  });

  it('[TP19] leave out a value that was given, right or wrong, with a warning', async () => {
    const { value, problems } = await checkParameters(typed(), { frames: 'wrong' }, tools);
    expect(problems).toMatchObject([{ code: 'PARAMETER_HIDDEN', severity: 'warning', parameter: 'frames' }]);
    expect(value).toMatchObject({ frames: null });
  });

  it('[TP19] demand nothing while the value that decides is wrong', async () => {
    expect((await checkParameters(typed(), { mode: 'music' }, tools)).problems.map(({ parameter }) => parameter)).toEqual(['mode']);
  });

  it('[TP19] are a problem when their condition cannot be decided', async () => {
    const odd = template({ a: { type: 'text', default: 'x' }, b: { type: 'text', default: '', visible: 'params.a > 1' } });
    expect(codes((await checkParameters(odd, {}, tools)).problems)).toEqual(['PARAMETER_CONDITION']);
  });

  it.each([
    ['params.mode ==', 'TEMPLATE_CONDITION_INVALID'],
    ["steps.a.image != null && params.mode == 'x'", 'TEMPLATE_CONDITION_INVALID'],
    ["params.mod == 'x'", 'TEMPLATE_REFERENCE_UNKNOWN'],
    ["params.p == 'x'", 'TEMPLATE_VISIBLE_CYCLE'],
    ["params.q == 'x'", 'TEMPLATE_VISIBLE_CYCLE'],
  ])('[TP19] refuse the condition %j', (visible, code) => {
    const parameters = {
      p: { type: 'text', default: '', visible },
      q: { type: 'text', default: '', visible: "params.p == 'y'" },
      mode: { type: 'text', default: '' },
    };
    const { problems } = compile(manifest({ parameters }, { set: { '6.text': '{p}{q}{mode}' } }));
    expect(problems).toMatchObject([{ code, pointer: '/parameters/p/visible', parameter: 'p' }]);
  });

  it('[TP19] count the parameters they read as used', () => {
    const parameters = { on: { type: 'boolean', default: true }, p: { type: 'text', default: '', visible: 'params.on' } };
    expect(compile(manifest({ parameters }, { set: { '6.text': '{p}' } })).problems).toEqual([]);
  });
});

describe('hints for Blender', () => {
  const check1 = (blender: string, type: string) =>
    codes(compile(manifest({ parameters: { p: { type, blender, default: null } } }, { set: { '6.text': '{p}' } })).problems);

  it.each([
    ['active_image', 'image'],
    ['selected_objects', 'model3d'],
    ['blend_file_folder', 'directory'],
    ['scene.render.resolution_x', 'integer'],
    ['object.modifiers["Geometry Nodes"].show_viewport', 'boolean'],
    ['object.location[2]', 'number'],
    ['world.color', 'color'],
  ])('[TP21] take %j for %s', (blender, type) => {
    expect(check1(blender, type)).toEqual([]);
  });

  it.each([
    ['active_imag', 'image'],
    ['active_image', 'text'],
    ['scene.render.resolution_x', 'image'],
    ['scene', 'text'],
    ['bpy.ops.wm.quit_blender()', 'text'],
    ['scene.__class__', 'text'],
    ['scene.render["a\\"]', 'text'],
    ['window.width', 'integer'],
  ])('[TP21] refuse %j for %s', (blender, type) => {
    expect(check1(blender, type)).toEqual(['TEMPLATE_PARAMETER_BLENDER']);
  });

  it('[TP21] documents every keyword and root', async () => {
    const docs = await readFile(join(import.meta.dirname, '../../docs/templates.md'), 'utf8');
    for (const word of [...Object.keys(BLENDER_KEYWORDS), ...BLENDER_ROOTS]) expect(docs).toContain(`\`${word}\``);
  });
});

describe('defaults that are files', () => {
  it.each(['../a.png', 'a\\b.png', 'con.png', './a.png'])('[TP22] cannot be %j', (path) => {
    const { problems } = compile(manifest({ parameters: { p: { type: 'image', default: path } } }, { set: { '10.image': '{p}' } }));
    expect(problems).toMatchObject([{ code: 'TEMPLATE_PARAMETER_DEFAULT', pointer: '/parameters/p/default' }]);
  });

  it('[TP22] lie in the folder', () => {
    const parameters = { p: { type: 'image', default: 'in/a.png' }, l: { type: 'list', of: 'image', default: ['b.png'] } };
    const { problems } = compile(manifest({ parameters }, { set: { '10.image': '{p}', '6.text': '{l[0]}' } }));
    expect(problems).toEqual([]);
  });
});

describe('the form for values and a backend', () => {
  it('[TP23] lists models for whole inputs, and says what the values hide', () => {
    const graph = {
      ...GRAPH,
      '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: '{m}' } },
    };
    const parameters = {
      on: { type: 'boolean', default: false },
      m: { type: 'model', folder: 'checkpoints' },
      n: { type: 'model', default: 'x', visible: 'params.on' },
    };
    const typed = compiled(manifest({ parameters }, { set: { '6.text': 'of {n}' } }), { 'w.json': graph });
    const info = parseObjectInfo(
      JSON.stringify({ CheckpointLoaderSimple: { input: { required: { ckpt_name: [['a.ckpt', 'b.ckpt']] } }, output: ['MODEL'] } }),
    ).info;
    expect(Object.fromEntries(formFacts(typed, { info, values: {} }))).toEqual({
      on: {},
      m: { available: ['a.ckpt', 'b.ckpt'] },
      n: { hidden: true },
    });
    expect(formFacts(typed, { values: { on: 'true' } }).get('n')).toEqual({ hidden: false });
    expect(formFacts(typed, {}).get('n')).toEqual({});
  });
});
