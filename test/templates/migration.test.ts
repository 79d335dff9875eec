/** Older formats of manifests, and node classes that were replaced since. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertWorkflow } from '#graph/convert/convert.ts';
import { parseGraph } from '#graph/graph.ts';
import { KNOWN_REPLACEMENTS } from '#graph/known-replacements.ts';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { parseReplacements } from '#graph/replacements.ts';
import { checkTemplateAgainst } from '#templates/against-object-info.ts';
import { currentManifest, migrateManifest } from '#templates/migrate-format.ts';
import { loadTemplate } from '#templates/load.ts';
import { currentTemplate } from '#templates/replace-in-template.ts';
import { codes, compile, compiled, folderWith, GRAPH, manifest, rendered, scope } from './support.ts';

const FORMATS = join(import.meta.dirname, '../fixtures/formats');
const draft = readFileSync(join(FORMATS, 'draft/template.json'), 'utf8');

const loader = { input: { required: { ckpt_name: [['base.safetensors']] } }, output: ['MODEL', 'CLIP', 'VAE'], python_module: 'nodes' };
const CLASSES = {
  Loader: loader,
  Text: { input: { required: { text: ['STRING'], clip: ['CLIP'] } }, output: ['CONDITIONING'], python_module: 'nodes' },
  Save: { input: { required: { images: ['*'] } }, output: [], output_node: true, python_module: 'nodes' },
};
const NEW = {
  input: { required: { picture: ['*'], factor: ['FLOAT', { default: 2, min: 0, max: 9 }], mode: [['soft', 'hard'], { default: 'soft' }] } },
  output: ['MASK', 'IMAGE'],
  python_module: 'custom_nodes.pack',
};

function infoOf(classes: object, replacements: object = {}): ObjectInfo {
  const { info } = parseObjectInfo(JSON.stringify(classes));
  if (info === undefined) throw new Error('no object info');
  return { ...info, replacements: parseReplacements(JSON.stringify(replacements)) };
}

const SERVER = {
  Old: [
    {
      new_node_id: 'New',
      old_node_id: 'Old',
      old_widget_ids: ['amount'],
      input_mapping: [
        { new_id: 'picture', old_id: 'image' },
        { new_id: 'factor', old_id: 'amount' },
      ],
      output_mapping: [{ old_idx: 0, new_idx: 1 }],
    },
  ],
};
const OLD_GRAPH = {
  '1': { class_type: 'Loader', inputs: { ckpt_name: 'base.safetensors' } },
  '2': { class_type: 'Old', inputs: { image: ['1', 0], amount: 1.5, gone: 'x' }, _meta: { title: 'Grow' } },
  '9': { class_type: 'Save', inputs: { images: ['2', 0] } },
};
const use = (set: object, parameters: object = {}) =>
  compiled(manifest({ parameters }, { set, outputs: { image: '9' } }), { 'w.json': OLD_GRAPH });

describe('older formats of manifests', () => {
  it('[TV1] are read as the one of today, with a note that says how to write it down; the file stays as it is', async () => {
    const folder = await folderWith({ 'template.json': draft, 'graph.json': GRAPH });
    const { template, problems } = await loadTemplate(folder);
    expect(template?.manifest).toMatchObject({ format: 1, title: 'Portrait', version: '1.2.0' });
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual([['TEMPLATE_FORMAT_MIGRATED', 'info']]);
    expect(problems[0]?.hint).toContain('callsheet templates migrate --write');
    expect(readFileSync(join(folder, 'template.json'), 'utf8')).toBe(draft);
    const [step] = template?.steps ?? [];
    expect(step?.sites.map(({ input, place }) => [input, place.line, place.pointer])).toEqual([
      ['text', 12, '/set/6.text'],
      ['steps', 13, '/set/3.steps'],
    ]);
  });

  it('[TV1] leave lines and pointers of problems where their author wrote them', () => {
    const text = draft.replace('"min": 1', '"min": 80').replace('{prompt}, ', '{promt}').replace('"help"', '"halp"');
    const { problems } = compile(text, { 'graph.json': GRAPH });
    const places = problems.filter(({ severity }) => severity !== 'info').map(({ code, line, pointer }) => [code, line, pointer]);
    const lineOf = (part: string) => text.slice(0, text.indexOf(part)).split('\n').length;
    expect(places).toContainEqual(['TEMPLATE_FIELD_UNKNOWN', lineOf('"halp"'), '/params/style/halp']);
    expect(places.every(([, line]) => typeof line === 'number' && line <= text.split('\n').length)).toBe(true);
    expect(places.length).toBeGreaterThan(0);
  });

  it('[TV2] are the draft: every spelling of it becomes what format 1 calls it, bytes between them stay', () => {
    expect(currentManifest(draft)).toBe(readFileSync(join(FORMATS, 'draft/migrated.json'), 'utf8'));
    expect(migrateManifest(draft)?.changes.map(({ line, what }) => `${line} ${what}`)).toMatchInlineSnapshot(`
      [
        "2 "name" is called "title"",
        "4 "params" is called "parameters"",
        "3 version 1.2 is written "1.2.0"",
        "5 parameter prompt: type "str" is called "string"",
        "5 parameter prompt: "label" is called "title"",
        "6 parameter count: type "int" is called "integer"",
        "6 parameter count: "min" is called "minimum"",
        "6 parameter count: "max" is called "maximum"",
        "7 parameter style: type "select" is called "choice"",
        "7 parameter style: "options" is called "choices"",
        "7 parameter style: "help" is called "description"",
        "8 parameter angles: type "str" is called "string"",
        "10 "workflow" and what belongs to it make the step "main"",
        "1 "format" is 1",
      ]
    `);
  });

  it('[TV2] are meant by "format": 0, or by fields that no other format has, and by nothing else', () => {
    const today = JSON.stringify(manifest());
    expect(currentManifest(today)).toBe(today);
    expect(codes(compile(manifest({ format: undefined })).problems)).toEqual(['TEMPLATE_FIELD_MISSING']);
    expect(JSON.parse(currentManifest(JSON.stringify(manifest({ format: 0 }))))).toEqual(manifest());
    for (const text of ['', '[]', '{', '{"format": -1, "name": 1}', '{"format": "0"}', '{"format": 0.5}'])
      expect(currentManifest(text)).toBe(text);
  });

  it('[TV2] of any shape never break the reading, come out as JSON, and are left alone the second time', () => {
    const key = fc.constantFrom(
      'name',
      'title',
      'params',
      'inputs',
      'parameters',
      'workflow',
      'set',
      'outputs',
      'steps',
      'version',
      'format',
      'x',
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom('1', '1.02', 3, 1.5, 'w.json'),
      fc.dictionary(
        fc.constantFrom('a', 'b'),
        fc.record({ type: fc.constantFrom('int', 'text'), min: fc.integer(), enum: fc.constant(['q']) }),
      ),
      fc.dictionary(fc.constantFrom('a', 'b'), fc.constant('9')),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 8 }), fc.boolean(), (members, spread) => {
        const text = JSON.stringify({ ...Object.fromEntries(members), format: 0 }, null, spread ? 2 : undefined);
        const made = currentManifest(text);
        expect(JSON.parse(made)).toHaveProperty('format', 1);
        expect(currentManifest(made)).toBe(made);
        const lines = text.split('\n').length;
        for (const problem of compile(text).problems) expect(problem.line ?? 1).toBeLessThanOrEqual(lines);
      }),
    );
  });

  it('[TV3] that are newer are one problem, which names the version that is needed', () => {
    const { problems } = compile(manifest({ format: 7, surprise: 1, requires: { callsheet: '>=3.1' }, steps: 'other' }));
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual([['TEMPLATE_FORMAT_UNSUPPORTED', 'error']]);
    expect(problems[0]).toMatchObject({ hint: 'Update Callsheet to >=3.1.', pointer: '/format' });
    expect(compile(manifest({ format: 7 })).problems[0]?.hint).toContain('format 7');
  });
});

describe('replaced node classes', () => {
  const info = infoOf({ ...CLASSES, New: NEW }, SERVER);

  it('[TV4] become those that stand in for them: inputs renamed, links led over, defaults set, everything else as it was', () => {
    const { template, problems } = currentTemplate(use({}), info);
    expect(rendered(template, scope())).toEqual({
      '1': OLD_GRAPH['1'],
      '2': { class_type: 'New', inputs: { picture: ['1', 0], factor: 1.5, mode: 'soft' }, _meta: { title: 'Grow' } },
      '9': { class_type: 'Save', inputs: { images: ['2', 1] } },
    });
    expect(problems.map(({ code, severity, node, line, file }) => [code, severity, node, line, file])).toEqual([
      ['TEMPLATE_NODE_REPLACED', 'info', '2', 9, 'w.json'],
    ]);
    expect(problems[0]?.message).toMatch(
      / Renamed: image is picture, amount is factor\. Left out: gone \("x"\)\. Set to its default: mode \("soft"\)\. Outputs: 0 is 1\.$/,
    );
  });

  it('[TV4] are left alone while the server has the old class, and when it has none in its place', () => {
    for (const classes of [{ ...CLASSES, New: NEW, Old: NEW }, CLASSES]) {
      const template = use({});
      expect(currentTemplate(template, infoOf(classes, SERVER))).toMatchObject({ template, problems: [] });
    }
  });

  it('[TV4] are checked as what they become, and what is wrong is told where the author wrote it', () => {
    const template = compiled(manifest({}, { outputs: {} }), {
      'w.json': { ...OLD_GRAPH, '2': { class_type: 'Old', inputs: { image: ['1', 0], amount: 99 } } },
    });
    const found = checkTemplateAgainst(template, info, (name) => name);
    expect(found.map(({ code }) => code).toSorted()).toEqual(['INPUT_RANGE', 'TEMPLATE_NODE_REPLACED']);
    expect(found.find(({ code }) => code === 'INPUT_RANGE')).toMatchObject({ pointer: '/2/inputs/amount', input: 'factor', line: 15 });
  });

  it('[TV5] follow the server before what we know, and take its first word', () => {
    const classes = { Loader: loader, ControlNetLoader: NEW, Other: NEW };
    const graph = { '1': { class_type: 'T2IAdapterLoader', inputs: { t2i_adapter_name: 'a.pth' } } };
    const become = (replacements: object) => {
      const template = compiled(manifest({}, { outputs: {} }), { 'w.json': graph });
      return rendered(currentTemplate(template, infoOf(classes, replacements)).template, scope())['1'];
    };
    const to = (name: string) => ({ new_node_id: name, old_node_id: 'T2IAdapterLoader', input_mapping: null, output_mapping: null });
    expect(become({ T2IAdapterLoader: [to('Other'), to('ControlNetLoader')] })).toMatchObject({
      class_type: 'Other',
      inputs: { t2i_adapter_name: 'a.pth' },
    });
    for (const none of [{}, { T2IAdapterLoader: [to('Missing')] }, { T2IAdapterLoader: 'x' }, { T2IAdapterLoader: [{ new_node_id: 5 }] }]) {
      expect(become(none)).toMatchObject({ class_type: 'ControlNetLoader', inputs: { control_net_name: 'a.pth' } });
    }
  });

  it('[TV5] have no loops in the table, one entry for each old class, and a source', () => {
    const old = KNOWN_REPLACEMENTS.map(({ from }) => from);
    expect(new Set(old).size).toBe(old.length);
    expect(KNOWN_REPLACEMENTS.filter(({ to, source }) => old.includes(to) || source === '')).toEqual([]);
  });

  it('[TV6] keep outputs and addresses: what is set goes to the new name, what has no place is left out with a warning', () => {
    const parameters = { size: { type: 'number', default: 1 } };
    const before = use({ '2.amount': '{size}', '"title:Grow".mode': 'hard', '2.gone': '{size}' }, parameters);
    const { template, problems } = currentTemplate(before, info);
    expect(rendered(template, scope({ size: 4 }))['2']).toEqual({
      class_type: 'New',
      inputs: { picture: ['1', 0], factor: 4, mode: 'soft' },
      _meta: { title: 'Grow' },
    });
    expect(template.steps[0]?.outputs).toEqual({ image: '9' });
    expect(problems.filter(({ severity }) => severity === 'warning').map(({ code, input, pointer }) => [code, input, pointer])).toEqual([
      ['TEMPLATE_NODE_REPLACED_INPUT', 'mode', '/steps/0/set/"title:Grow".mode'],
      ['TEMPLATE_NODE_REPLACED_INPUT', 'gone', '/steps/0/set/2.gone'],
    ]);
  });

  it('[TV4] keep the rest of any graph byte for byte, and every node its id', () => {
    const nodes = fc.dictionary(
      fc.stringMatching(/^[1-9][0-9]?$/),
      fc.record({
        class_type: fc.constantFrom('Old', 'Loader', 'Save', 'SDV_img2vid_Conditioning'),
        inputs: fc.dictionary(
          fc.constantFrom('image', 'amount', 'gone', 'also'),
          fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(['1', 0], ['2', 1])),
        ),
      }),
      { minKeys: 1, maxKeys: 6 },
    );
    fc.assert(
      fc.property(nodes, fc.constantFrom(undefined, 2, '\t'), (graph, indent) => {
        const text = JSON.stringify(graph, null, indent);
        const template = compile(manifest({}, { outputs: {} }), { 'w.json': text });
        const step = (template.value ?? template.partial)?.steps[0];
        if (template.value === undefined || step === undefined) return;
        const current = currentTemplate(template.value, info).template.steps[0];
        const made = JSON.parse(current?.graph.text ?? '') as Record<string, { class_type: string; inputs: Record<string, unknown> }>;
        expect(Object.keys(made)).toEqual(Object.keys(graph));
        for (const [id, node] of Object.entries(graph)) {
          expect(made[id]?.class_type).toBe(node.class_type === 'Old' ? 'New' : node.class_type);
          if (node.class_type !== 'Old') continue;
          expect(Object.keys(made[id]?.inputs ?? {}).filter((name) => !['picture', 'factor', 'mode'].includes(name))).toEqual([]);
        }
        expect([...(parseGraph(current?.graph.text ?? '').graph?.nodes.keys() ?? [])]).toEqual([...step.graph.nodes.keys()]);
      }),
    );
  });

  it('[TV7] are read from UI format with the widgets of the new class, unless one of theirs has no counterpart', () => {
    const ui = (type: string, widgets: unknown[]) =>
      JSON.stringify({
        nodes: [
          { id: 1, type: 'Loader', outputs: [{ name: 'MODEL', type: 'MODEL', links: [1] }], widgets_values: ['base.safetensors'] },
          { id: 2, type, inputs: [{ name: 'image', type: '*', link: 1 }], outputs: [], widgets_values: widgets },
        ],
        links: [[1, 1, 0, 2, 0, '*']],
        version: 0.4,
      });
    const { graph, problems } = convertWorkflow(ui('Old', [3.5]), info);
    expect(problems).toEqual([]);
    expect(JSON.parse(graph ?? '')['2']).toMatchObject({ class_type: 'Old', inputs: { image: ['1', 0], amount: 3.5 } });
    const odd = infoOf({ ...CLASSES, New: NEW }, { Old: [{ ...SERVER.Old[0], old_widget_ids: ['amount', 'lost'] }] });
    expect(codes(convertWorkflow(ui('Old', [3.5, 1]), odd).problems)).toEqual(['CONVERT_CLASS_UNKNOWN']);
  });
});
