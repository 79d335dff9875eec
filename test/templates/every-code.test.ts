/** Every code of the templates room in docs/problems.md in both directions: what raises it, and what is close and does not. */
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import type { Problem } from '#protocol/problem.ts';
import { adopt } from '#templates/adopt.ts';
import { checkTemplateAgainst, checkTemplateVersions } from '#templates/against-object-info.ts';
import { checkDrift } from '#templates/check-drift.ts';
import { classesOf, lockClasses, readClassLock } from '#templates/class-lock.ts';
import { stepFits } from '#templates/fits.ts';
import { createLibrary } from '#templates/library.ts';
import { loadTemplate } from '#templates/load.ts';
import { needsOf } from '#templates/needs.ts';
import { renderOutputs } from '#templates/outputs.ts';
import { checkParameters } from '#templates/parameters.ts';
import { planMigration } from '#templates/plan-migration.ts';
import { planStep } from '#templates/plan.ts';
import { writeMigration } from '#templates/write-migration.ts';
import type { Value } from '#templates/types.ts';
import { compile, compiled, folderWith, GRAPH, manifest, media, render, scope } from './support.ts';

/** Of the classes in `GRAPH`. */
const INFO = {
  KSampler: {
    input: {
      required: {
        model: ['MODEL'],
        seed: ['INT', { min: 0, max: 18446744073709552000 }],
        steps: ['INT', { min: 1, max: 100 }],
        cfg: ['FLOAT', { min: 0, max: 30 }],
        positive: ['CONDITIONING'],
        latent_image: ['LATENT'],
      },
      optional: { sampler: [['euler', 'heun']] },
    },
    output: ['IMAGE'],
    python_module: 'nodes',
  },
  CheckpointLoaderSimple: { input: { required: { ckpt_name: [['base.safetensors']] } }, output: ['MODEL', 'CLIP'], python_module: 'nodes' },
  EmptyLatentImage: {
    input: { required: { width: ['INT'], height: ['INT'], batch_size: ['INT'] } },
    output: ['LATENT'],
    python_module: 'nodes',
  },
  CLIPTextEncode: { input: { required: { text: ['STRING'], clip: ['CLIP'] } }, output: ['CONDITIONING'], python_module: 'nodes' },
  LoadImage: { input: { required: { image: [['in.png'], { image_upload: true }] } }, output: ['IMAGE'], python_module: 'nodes' },
  SaveImage: {
    input: { required: { images: ['IMAGE'], filename_prefix: ['STRING'] } },
    output: [],
    output_node: true,
    python_module: 'nodes',
  },
};
const info = parseObjectInfo(JSON.stringify(INFO)).info;

type Found = readonly Problem[] | Promise<readonly Problem[]>;
type Case = readonly [raises: () => Found, near: () => Found];

/** A manifest with other fields, and other fields of its step. */
const c =
  (changes: object = {}, step: object = {}, workflow: object | string = GRAPH) =>
  (): Found =>
    compile(manifest(changes, step), { 'w.json': workflow }).problems;
const output = (more: object) => c({ outputs: { o: { from: '{steps.a.image}', ...more } } });
const parameter = (definition: object, more: object = {}) => c({ parameters: { p: definition, ...more } }, { set: { '6.text': '{p}' } });
const set = (key: string, value: unknown, parameters: object = {}, more: object = {}) =>
  c({ parameters }, { set: { [key]: value, ...more } });
/** Node 4 is of a class that the server has another for, or of `classType`. */
const replaced =
  (values: object, classType = 'OldLoader') =>
  (): Found => {
    const inputs = { [classType === 'OldLoader' ? 'old_name' : 'ckpt_name']: 'base.safetensors' };
    const { value } = compile(manifest({}, { set: values }), { 'w.json': { ...GRAPH, '4': { class_type: classType, inputs } } });
    if (value === undefined || info === undefined) throw new Error('nothing to check');
    const input = [{ from: 'old_name', to: 'ckpt_name' }];
    const known = [{ from: 'OldLoader', to: 'CheckpointLoaderSimple', inputs: input, source: 'the test' }];
    return checkTemplateAgainst(value, { ...info, replacements: known }, (name) => name);
  };

/** Outputs 0 and 1 of node 4 are one now; the swap gives them from `a` and from `other`. */
const swapped = (other: string) => (): Found => {
  const node = { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'base.safetensors' } };
  const patch = [{ swap: '4', nodes: { a: node, b: node }, outputs: { '0': ['a', 0], '1': [other, 0] } }];
  const graph = { ...GRAPH, '4': { class_type: 'OldLoader', inputs: { ckpt_name: 'base.safetensors' } } };
  const { value } = compile(manifest({}, { patch }), { 'w.json': graph });
  if (value === undefined || info === undefined) throw new Error('nothing to check');
  const known = [{ from: 'OldLoader', to: 'CheckpointLoaderSimple', outputs: new Map([[1, 0]]), source: 'the test' }];
  return checkTemplateAgainst(value, { ...info, replacements: known }, (name) => name);
};

const migration = (mode: number) => async (): Promise<readonly Problem[]> => {
  const folder = await folderWith({ 'template.json': manifest({ format: 0 }), 'w.json': GRAPH });
  chmodSync(join(folder, 'template.json'), mode);
  return writeMigration(planMigration(folder));
};

const against =
  (changes: object, step: object = {}) =>
  (): Found => {
    const { value, partial } = compile(manifest(changes, step));
    const template = value ?? partial;
    if (template === undefined || info === undefined) throw new Error('nothing to check');
    return checkTemplateAgainst(template, info, (name) => name);
  };
const filled = (definition: object, key: string) => against({ parameters: { p: definition } }, { set: { [key]: '{p}' } });
const given =
  (definition: object, value: unknown, name = 'p') =>
  async (): Promise<readonly Problem[]> => {
    const template = compiled(
      manifest({ parameters: { p: definition, q: { type: 'boolean', default: false } } }, { set: { '6.text': '{p}' } }),
    );
    const { problems } = await checkParameters(template, value === undefined ? {} : { [name]: value }, {
      drawSeed: () => 1n,
      resolveMedia: async (path) => media(path),
      resolveDirectory: async (path) => path,
    });
    return problems;
  };
const rendered =
  (definition: object, value: Value, text = '{p}', key = '6.text') =>
  (): Found =>
    render(compiled(manifest({ parameters: { p: definition } }, { set: { [key]: text } })), scope({ p: value })).problems;
const planned = (when: string, value: Value) => (): Found =>
  planStep(
    compiled(manifest({ parameters: { p: { type: 'string', default: '' } } }, { when, set: { '6.text': '{p}' } })),
    'a',
    scope({ p: value }),
  ).problems;
const at =
  (files: Parameters<typeof folderWith>[0], path = '') =>
  async (): Promise<readonly Problem[]> =>
    (await loadTemplate(join(await folderWith(files), path))).problems;
/** A second step that takes what is picked of the first one's files, or something else. */
const choosing = (choice: object, taken = '{choices.best}') =>
  c({
    choices: [{ after: 's', from: '{steps.s.o}', into: 'best', ...choice }],
    steps: [
      { id: 's', workflow: 'w.json', outputs: { o: '9' } },
      { id: 't', workflow: 'w.json', set: { '10.image': taken } },
    ],
  });
const chain = (file: Value[]) => (): Found => {
  const two = { ...(manifest() as { steps: object[] }) };
  const template = compiled({
    ...two,
    steps: [...two.steps, { id: 'b', workflow: 'w.json', set: { '10.image': '{steps.a.image}' }, outputs: {} }],
    outputs: { all: { from: '{steps.a.image}' } },
  });
  return [
    ...render(template, scope({}, { steps: { a: { image: file } } }), 'b').problems,
    ...renderOutputs(template, scope({}, { steps: file.length === 0 ? {} : { a: { image: file } } })).problems,
  ];
};
const library = (second: object) => async (): Promise<readonly Problem[]> => {
  const folder = await folderWith({
    'a/template.json': manifest(),
    'a/w.json': GRAPH,
    'b/template.json': manifest(second),
    'b/w.json': GRAPH,
  });
  const found = createLibrary([folder]);
  await found.refresh();
  return found.list().flatMap(({ problems }) => problems);
};
/** The sampler of `INFO` became something else since the template was locked; inputs that are undefined are gone. */
const drifted =
  (inputs: object | undefined, gives: readonly string[] = ['IMAGE'], more: object = {}) =>
  (): Found => {
    const template = compiled(manifest());
    const { KSampler, ...others } = INFO;
    const { required, optional } = KSampler.input;
    const { sampler = optional.sampler, ...changed }: { readonly sampler?: unknown } = inputs ?? {};
    const input = { required: { ...required, ...changed }, optional: { sampler } };
    const now = inputs === undefined ? others : { ...others, KSampler: { ...KSampler, input, output: gives, ...more } };
    const after = parseObjectInfo(JSON.stringify(now)).info;
    if (info === undefined || after === undefined) throw new Error('the object info of the test cannot be read');
    return checkDrift(template, lockClasses(classesOf(template), info), after, { file: (name) => name });
  };
const memory = (vram: number) => (): Found => {
  const needs = needsOf(compiled(manifest({ requires: { vram: 8 } })));
  return needs.steps.flatMap((step) => stepFits(needs, step, { id: 'farm', info, vram }).problems);
};
const versions = (range: string) => (): Found =>
  checkTemplateVersions(compiled(manifest({ requires: { comfyui: range } })), { comfyui: 'v0.3.64-2-gabcdef' }, (name) => name);
const needs = (id: string) => c({ steps: [...(manifest() as { steps: object[] }).steps, { id: 'b', workflow: 'w.json', needs: [id] }] });
const twoSteps = (first: object, second: object) =>
  c({
    steps: [
      { id: 'a', workflow: 'w.json', ...first },
      { id: 'b', workflow: 'w.json', ...second },
    ],
  });
const withTitle = (title: string) =>
  c({}, { set: { '"title:Save".filename_prefix': 'x' } }, { ...GRAPH, '11': { ...GRAPH['9'], _meta: { title } } });
const appInput = (input: string) => (): Found => {
  const node = { id: 4, type: 'CheckpointLoaderSimple', mode: 0, inputs: [], outputs: [], widgets_values: ['base.safetensors'] };
  const text = JSON.stringify({ nodes: [node], links: [], version: 0.4, extra: { linearData: { inputs: [['4', input]], outputs: [] } } });
  return adopt(text, 'w.json', 'w.json', { info }).problems;
};

const LORAS = { p: { type: 'list', of: 'model', folder: 'loras', default: [] } };
const patch = (list: object[], parameters: object = {}) => c({ parameters }, { patch: list });
/** Rendered with these patches, one LoRA, and `n` as strength. */
const patched =
  (list: object[], n = 1, known = true) =>
  (): Found => {
    const parameters = { ...LORAS, n: { type: 'number', default: 1 } };
    const template = compiled(manifest({ parameters }, { patch: list, set: { '9.filename_prefix': '{n}' } }));
    return render(template, scope({ p: ['a.safetensors'], n }), 'a', known ? info : undefined).problems;
  };

const TEXT = { type: 'text', default: '' };
const BIG = `{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`;
const FOLDER = { 'template.json': manifest(), 'w.json': GRAPH };

const CASES: Readonly<Record<string, Case>> = {
  DRIFT_CHOICE_GONE: [drifted({ sampler: [['heun']] }), drifted({ sampler: [['euler', 'heun', 'lcm']] })],
  DRIFT_CLASS_GONE: [drifted(undefined), drifted({})],
  DRIFT_DEFAULT: [drifted({ steps: ['INT', { min: 1, max: 100, default: 9 }] }), drifted({})],
  DRIFT_INPUT_ADDED: [drifted({ noise: ['NOISE'] }), drifted({})],
  DRIFT_INPUT_GONE: [drifted({ cfg: undefined }), drifted({})],
  DRIFT_INPUT_RENAMED: [drifted({ cfg: undefined, cfgs: ['FLOAT', { min: 0, max: 30 }] }), drifted({ cfg: undefined })],
  DRIFT_INPUT_TYPE: [drifted({ cfg: ['STRING'] }), drifted({})],
  DRIFT_OUTPUT: [drifted({}, ['LATENT']), drifted({}, ['IMAGE', 'MASK'])],
  DRIFT_OUTPUT_ADDED: [drifted({}, ['IMAGE', 'MASK']), drifted({}, ['LATENT'])],
  DRIFT_OUTPUT_NODE: [drifted({}, ['IMAGE'], { output_node: true }), drifted({})],
  DRIFT_RANGE: [drifted({ cfg: ['FLOAT', { min: 1, max: 30 }] }), drifted({ cfg: ['FLOAT', { min: -1, max: 31 }] })],
  OUTPUT_EMPTY: [chain([]), chain([media('/a.png')])],
  PARAMETER_CONDITION: [
    given({ type: 'text', default: '', visible: 'params.q > 1' }, 'x'),
    given({ type: 'text', default: '', visible: 'params.q' }, 'x'),
  ],
  PARAMETER_DIRECTORY: [given({ type: 'directory' }, 'relative'), given({ type: 'directory' }, import.meta.dirname)],
  PARAMETER_HIDDEN: [
    given({ type: 'text', default: '', visible: 'params.q' }, 'x'),
    given({ type: 'text', default: '', visible: '!params.q' }, 'x'),
  ],
  PARAMETER_MISSING: [given({ type: 'text' }, undefined), given(TEXT, undefined)],
  PARAMETER_OUT_OF_BOUNDS: [given({ type: 'integer', maximum: 5 }, 6), given({ type: 'integer', maximum: 5 }, 5)],
  PARAMETER_TYPE: [given({ type: 'integer' }, 'six'), given({ type: 'integer' }, '6')],
  PARAMETER_UNKNOWN: [given(TEXT, 'x', 'pp'), given(TEXT, 'x')],
  STEP_CONDITION: [planned('params.p > 1', 'x'), planned('params.p != "x"', 'x')],
  STEP_FILTER: [rendered(TEXT, 'x', '{p|pad:4}'), rendered(TEXT, '7', '{p|pad:4}')],
  STEP_MODEL_UNKNOWN: [() => render2('other.safetensors'), () => render2('BASE.safetensors')],
  STEP_PATCH: [patched([{ loras: '{p}', after: '4', strength: '{n}' }], 200), patched([{ loras: '{p}', after: '4', strength: '{n}' }], 2)],
  STEP_PATCH_BYPASS: [patched([{ bypass: '6' }]), patched([{ bypass: '6', when: 'params.n > 1.0' }])],
  STEP_PATCH_OBJECT_INFO: [patched([{ loras: '{p}', after: '4' }], 1, false), patched([{ loras: '{p}', after: '4' }])],
  STEP_REFERENCE_MISSING: [
    () => render(itemOf(1), scope({ p: ['one'] })).problems,
    () => render(itemOf(0), scope({ p: ['one'] })).problems,
  ],
  STEP_VALUE_LIST: [chain([media('/a.png'), media('/b.png')]), chain([media('/a.png')])],
  STEP_VALUE_NULL: [() => leftOver(null), () => leftOver('x')],
  TEMPLATE_APP_INPUT: [appInput('nothing'), appInput('ckpt_name')],
  TEMPLATE_ASSET_KIND_OLD: [output({ asset: { kind: 'sequence' } }), output({ asset: { kind: 'image_sequence' } })],
  TEMPLATE_ASSET_KIND_UNKNOWN: [output({ asset: { kind: 'picture' } }), output({ asset: { kind: 'image' } })],
  TEMPLATE_ASSET_MISFIT: [output({ asset: { kind: 'sound' } }), output({ asset: { kind: 'hdri' } })],
  TEMPLATE_ASSET_OPTION: [output({ asset: { kind: 'image', map: 'normal' } }), output({ asset: { kind: 'material', map: 'normal' } })],
  TEMPLATE_CHOICE_INVALID: [choosing({ onTimeout: 'first' }), choosing({ timeout: 5, onTimeout: 'first' })],
  TEMPLATE_CHOICE_UNUSED: [choosing({}, '{steps.s.o[0]}'), choosing({})],
  TEMPLATE_CONDITION_INVALID: [c({}, { when: '1 +' }), c({}, { when: '1 == 1' })],
  TEMPLATE_CONFLICT: [library({ title: 'Other' }), library({ title: 'Other', version: '2.0.0' })],
  TEMPLATE_CONVERT_MISFIT: [output({ convert: { to: 'wav' } }), output({ convert: { to: 'mp4' } })],
  TEMPLATE_CONVERT_OPTION: [output({ convert: { to: 'png', quality: 9 } }), output({ convert: { to: 'jpg', quality: 9 } })],
  TEMPLATE_EACH_INVALID: [
    c({ parameters: { p: TEXT } }, { each: '{p}', set: { '6.text': '{each}' } }),
    c({ parameters: { p: { type: 'list', of: 'text', default: [] } } }, { each: '{p}', set: { '6.text': '{each}' } }),
  ],
  TEMPLATE_FIELD_INVALID: [c({ title: 5 }), c({ title: '5' })],
  TEMPLATE_FIELD_MISSING: [c({}, { workflow: undefined }), c()],
  TEMPLATE_FIELD_UNKNOWN: [c({ titel: 'x' }), c({ title: 'x' })],
  TEMPLATE_FILE_ENCODING: [at({ 'w.json': new Uint8Array([0x7b, 0xff, 0xfe]) }, 'w.json'), at({ 'w.json': GRAPH }, 'w.json')],
  TEMPLATE_FILE_MISSING: [at({ 'template.json': manifest() }), at(FOLDER)],
  TEMPLATE_FILE_TOO_LARGE: [at({ ...FOLDER, 'template.json': BIG }), at(FOLDER)],
  TEMPLATE_FILE_UNREADABLE: [at({ 'template.json': manifest(), 'w.json/inner.txt': 'x' }), at(FOLDER)],
  TEMPLATE_FORMAT_MIGRATED: [c({ format: 0 }), c({ format: 1 })],
  TEMPLATE_FORMAT_UNSUPPORTED: [c({ format: 2 }), c({ format: 1 })],
  TEMPLATE_ID_INVALID: [c({ id: 'Not An Id' }), c({ id: 'an-id' })],
  TEMPLATE_INPUT_IGNORED: [filled(TEXT, '6.txt'), filled(TEXT, '6.text')],
  TEMPLATE_LOCK_INVALID: [
    (): Found => readClassLock('{}', 'template.lock.json').problems,
    (): Found => readClassLock('{"format": 1, "classes": {}}', 'template.lock.json').problems,
  ],
  TEMPLATE_LOWER_SEED: [c({}, { lowMemory: { set: { '3.seed': 5 } } }), c({}, { lowMemory: { set: { '3.steps': 5 } } })],
  TEMPLATE_NAME_INVALID: [c({ parameters: { each: TEXT } }), c({ parameters: { each1: TEXT } })],
  TEMPLATE_NAME_TWICE: [twoSteps({}, { id: 'a' }), twoSteps({}, {})],
  TEMPLATE_NODE_REPLACED: [replaced({}), replaced({}, 'CheckpointLoaderSimple')],
  TEMPLATE_NODE_REPLACED_OUTPUT: [swapped('b'), swapped('a')],
  TEMPLATE_NODE_REPLACED_INPUT: [replaced({ '4.other': 'x' }), replaced({ '4.old_name': 'x' })],
  TEMPLATE_NODE_UNKNOWN: [set('77.text', 'x'), set('6.text', 'x')],
  TEMPLATE_NOT_WRITTEN: [migration(0o444), migration(0o644)],
  TEMPLATE_OUTPUT_NO_FILES: [against({}, { outputs: { image: '3' } }), against({}, { outputs: { image: '9' } })],
  TEMPLATE_PARAMETER_BLENDER: [parameter({ ...TEXT, blender: 'no.such' }), parameter({ ...TEXT, blender: 'scene.name' })],
  TEMPLATE_PARAMETER_BOUNDS: [
    filled({ type: 'integer', minimum: 1, maximum: 200, default: 5 }, '3.steps'),
    filled({ type: 'integer', minimum: 1, maximum: 100, default: 5 }, '3.steps'),
  ],
  TEMPLATE_PARAMETER_CHOICES: [
    filled({ type: 'choice', choices: ['euler', 'huen'], default: 'euler' }, '3.sampler'),
    filled({ type: 'choice', choices: ['euler', 'heun'], default: 'euler' }, '3.sampler'),
  ],
  TEMPLATE_PARAMETER_DEFAULT: [
    parameter({ type: 'integer', maximum: 5, default: 6 }),
    parameter({ type: 'integer', maximum: 5, default: 5 }),
  ],
  TEMPLATE_PARAMETER_INVALID: [parameter({ ...TEXT, maximum: 5 }), parameter({ ...TEXT, maxLength: 5 })],
  TEMPLATE_PARAMETER_PATTERN: [parameter({ ...TEXT, pattern: '(' }), parameter({ ...TEXT, pattern: '' })],
  TEMPLATE_PARAMETER_UNUSED: [parameter(TEXT, { other: TEXT }), parameter(TEXT)],
  TEMPLATE_PATCH_AFTER: [
    against({ parameters: LORAS }, { patch: [{ loras: '{p}', after: '5' }] }),
    against({ parameters: LORAS }, { patch: [{ loras: '{p}', after: '4' }] }),
  ],
  TEMPLATE_PATCH_BYPASS: [against({}, { patch: [{ bypass: '6' }] }), against({}, { patch: [{ bypass: '10' }] })],
  TEMPLATE_PATCH_KIND: [patch([{ when: 'true' }]), patch([{ bypass: '6' }])],
  TEMPLATE_PATCH_LORAS: [
    patch([{ loras: '{p}', after: '4' }], { p: { type: 'list', of: 'integer', default: [] } }),
    patch([{ loras: '{p}', after: '4' }], LORAS),
  ],
  TEMPLATE_PATCH_NODES: [
    patch([{ swap: '4', nodes: { a: { class_type: 'X' }, b: { class_type: 'Y' } }, outputs: { 0: ['a', 0] } }]),
    patch([{ swap: '4', nodes: { a: { class_type: 'X' }, b: { class_type: 'Y' } }, outputs: { 0: ['a', 0], 1: ['b', 0] } }]),
  ],
  TEMPLATE_PATCH_OUTPUT: [patch([{ bypass: '9' }]), patch([{ bypass: '3' }])],
  TEMPLATE_PATCH_SETTINGS: [
    c({}, { backend: 'wan2gp', outputs: {}, patch: [{ bypass: '1' }] }, { model_type: 't2v' }),
    c({}, { backend: 'wan2gp', outputs: {} }, { model_type: 't2v' }),
  ],
  TEMPLATE_PATH_ESCAPES: [c({}, { workflow: '../w.json' }), c({}, { workflow: 'w.json' })],
  TEMPLATE_PLACEHOLDER_SPACES: [set('6.text', '{ p }', { p: TEXT }), set('6.text', '{p}', { p: TEXT })],
  TEMPLATE_PLACEHOLDER_TYPE: [set('3.steps', '{p}', { p: TEXT }), set('3.steps', '{p}', { p: { type: 'integer', default: 1 } })],
  TEMPLATE_REFERENCE_INVALID: [c({ outputs: { all: { from: 'steps.a.image' } } }), c({ outputs: { all: { from: '{steps.a.image}' } } })],
  TEMPLATE_REFERENCE_LIST: [
    set('6.text', 'a {p}', { p: { type: 'list', of: 'text', default: [] } }),
    set('6.text', 'a {p[0]}', { p: { type: 'list', of: 'text', default: [] } }),
  ],
  TEMPLATE_REFERENCE_UNKNOWN: [
    c({ outputs: { all: { from: '{steps.a.picture}' } } }),
    c({ outputs: { all: { from: '{steps.a.image}' } } }),
  ],
  TEMPLATE_REQUIRES_INVALID: [c({ requires: { comfyui: 'new' } }), c({ requires: { comfyui: '>=0.3' } })],
  TEMPLATE_REQUIRES_MODEL: [
    against({ requires: { models: [{ folder: 'loras', name: 'x.safetensors' }] } }),
    against({ requires: { models: [{ folder: 'checkpoints', name: 'sub/BASE.safetensors' }] } }),
  ],
  TEMPLATE_REQUIRES_NODE: [against({ requires: { nodes: { Other: { pack: 'p' } } } }), against({ requires: { nodes: { KSampler: {} } } })],
  TEMPLATE_REQUIRES_VERSION: [versions('>=0.4'), versions('>=0.3.64')],
  TEMPLATE_REQUIRES_VRAM: [memory(7), memory(8)],
  TEMPLATE_SET_ADDRESS: [set('text', 'x'), set('6.text', 'x')],
  TEMPLATE_SET_INPUT_UNKNOWN: [set('6.txt', 'x'), set('6.text', 'x')],
  TEMPLATE_SET_LINK: [set('6.text', ['4', 1]), set('6.text', '["4", 1]')],
  TEMPLATE_SET_REPLACES_LINK: [set('6.clip', 'x'), set('6.text', 'x')],
  TEMPLATE_SET_TWICE: [
    set('6.text', 'x', {}, { '"title:Positive prompt".text': 'y' }),
    set('6.text', 'x', {}, { '9.filename_prefix': 'y' }),
  ],
  TEMPLATE_STEP_CYCLE: [twoSteps({ needs: ['b'] }, { needs: ['a'] }), twoSteps({}, { needs: ['a'] })],
  TEMPLATE_STEP_UNKNOWN: [needs('aa'), needs('a')],
  TEMPLATE_TITLE_AMBIGUOUS: [withTitle('Save'), withTitle('Save 2')],
  TEMPLATE_VERSION_INVALID: [c({ version: '1' }), c({ version: '1.0.0' })],
  TEMPLATE_VISIBLE_CYCLE: [
    parameter({ ...TEXT, visible: 'params.p == ""' }),
    parameter({ ...TEXT, visible: 'params.q' }, { q: { type: 'boolean', default: true } }),
  ],
  TEMPLATE_WORKFLOW_FORMAT: [c({}, { backend: 'wan2gp', outputs: {} }), c({}, { backend: 'wan2gp', outputs: {} }, { model_type: 't2v' })],
  TEMPLATE_WORKFLOW_UI_FORMAT: [c({}, {}, { nodes: [], links: [], version: 0.4 }), c()],
};

function render2(model: string): Found {
  const template = compiled(manifest({ parameters: { p: { type: 'model', folder: 'checkpoints' } } }, { set: { '4.ckpt_name': '{p}' } }));
  return render(template, scope({ p: model }), 'a', info).problems;
}

function itemOf(index: number) {
  return compiled(manifest({ parameters: { p: { type: 'list', of: 'text', default: [] } } }, { set: { '6.text': `{p[${index}]}` } }));
}

function leftOver(value: Value): Found {
  const graph = { ...GRAPH, '6': { ...GRAPH['6'], inputs: { ...GRAPH['6'].inputs, text: '{p}' } } };
  return render(compiled(manifest({ parameters: { p: { type: 'text', default: null } } }), { 'w.json': graph }), scope({ p: value }))
    .problems;
}

describe('every code of the templates room', () => {
  it('has a case here', () => {
    const docs = readFileSync(new URL('../../docs/problems.md', import.meta.url), 'utf8');
    const section = docs.split(/^## /m).find((part) => part.startsWith('templates/')) ?? '';
    const listed = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((row) => row[1] ?? '');
    expect(Object.keys(CASES).toSorted()).toEqual(listed);
  });

  for (const [code, [raises, near]] of Object.entries(CASES)) {
    it(`${code} is found where it is, and not close by`, async () => {
      const found = (await raises()).filter((problem) => problem.code === code);
      expect(found.length).toBeGreaterThan(0);
      for (const { message, hint } of found) {
        expect(message).toMatch(/[.?]$/);
        expect(hint ?? '').not.toBe('');
      }
      expect((await near()).filter((problem) => problem.code === code)).toEqual([]);
    });
  }
});
