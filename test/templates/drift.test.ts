import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import { checkDrift } from '#templates/check-drift.ts';
import { classesOf, classLockText, lockClasses, readClassLock, readLockIn } from '#templates/class-lock.ts';
import { codes, compiled, folderWith, GRAPH, manifest } from './support.ts';

const core = (required: object, output: readonly string[], more: object = {}) => ({
  input: { required },
  output,
  python_module: 'nodes',
  ...more,
});
const CLASSES = {
  KSampler: {
    ...core(
      {
        model: ['MODEL'],
        seed: ['INT', { min: 0, max: 1000 }],
        steps: ['INT', { default: 20, min: 1, max: 100 }],
        cfg: ['FLOAT', { min: 0, max: 30 }],
      },
      ['LATENT'],
    ),
    input: {
      required: {
        model: ['MODEL'],
        positive: ['CONDITIONING'],
        latent_image: ['LATENT'],
        seed: ['INT', { min: 0, max: 1000 }],
        steps: ['INT', { default: 20, min: 1, max: 100 }],
        cfg: ['FLOAT', { min: 0, max: 30 }],
      },
      optional: { mode: [['soft', 'hard'], { default: 'soft' }], extra: ['INT', { default: 1 }] },
    },
    output: ['IMAGE', 'MASK'],
    output_name: ['image', 'mask'],
  },
  CheckpointLoaderSimple: core({ ckpt_name: [['base.safetensors']] }, ['MODEL', 'CLIP']),
  EmptyLatentImage: core({ width: ['INT'], height: ['INT'], batch_size: ['INT'] }, ['LATENT']),
  CLIPTextEncode: core({ text: ['STRING'], clip: ['CLIP'] }, ['CONDITIONING']),
  LoadImage: core({ image: [['in.png'], { image_upload: true }] }, ['IMAGE']),
  SaveImage: core({ images: ['IMAGE'], filename_prefix: ['STRING'] }, [], { output_node: true }),
};
const infoOf = (classes: object) => {
  const { info } = parseObjectInfo(JSON.stringify(classes));
  if (info === undefined) throw new Error('the object info of the test cannot be read');
  return info;
};

type Sampler = typeof CLASSES.KSampler;
const { KSampler } = CLASSES;

/** Drift of a template over `GRAPH`, after its sampler became something else. */
function drift(
  now: object | undefined,
  { step = {}, parameters = {}, graph = GRAPH }: { readonly step?: object; readonly parameters?: object; readonly graph?: object } = {},
) {
  const template = compiled(manifest({ parameters }, step), { 'w.json': graph });
  const lock = lockClasses(classesOf(template), infoOf(CLASSES), '0.3.60');
  const { KSampler: _gone, ...others } = CLASSES;
  const info = infoOf(now === undefined ? others : { ...others, KSampler: now });
  return checkDrift(template, lock, info, { file: (name) => name });
}

const sampler = (required: object, optional: object = {}, more: object = {}): Sampler => {
  const input = { required: { ...KSampler.input.required, ...required }, optional: { ...KSampler.input.optional, ...optional } };
  return { ...KSampler, input: JSON.parse(JSON.stringify(input)), ...more };
};
const judged = (problems: ReturnType<typeof drift>) => problems.map(({ code, severity }) => `${code} ${severity}`);
const { latent_image: _latent, ...GIVEN } = GRAPH['3'].inputs;

describe('drift of node classes, judged for the graph', () => {
  it('is nothing on the server that the lock was made with, and with other models there', () => {
    expect(drift(KSampler)).toEqual([]);
  });

  const both: [what: string, breaking: () => unknown, harmless: () => unknown, code: string][] = [
    ['a class that is gone', () => judged(drift(undefined)), () => judged(drift(KSampler)), 'DRIFT_CLASS_GONE'],
    [
      'an input that is gone',
      () => judged(drift(sampler({ cfg: undefined }))),
      () => judged(drift(sampler({}, { extra: undefined }))),
      'DRIFT_INPUT_GONE',
    ],
    [
      'an input of another name',
      () => judged(drift(sampler({ cfg: undefined, guidance: ['FLOAT', { min: 0, max: 30 }] }))).filter((each) => !each.includes('ADDED')),
      () => judged(drift(sampler({}, { extra: undefined, extras: ['INT', { default: 1 }] }))),
      'DRIFT_INPUT_RENAMED',
    ],
    [
      'a new input',
      () => judged(drift(sampler({ noise: ['NOISE'] }))),
      () => judged(drift(sampler({}, { noise: ['NOISE'] }))),
      'DRIFT_INPUT_ADDED',
    ],
    [
      'another type',
      () => judged(drift(sampler({ model: ['CLIP'] }))),
      () => judged(drift(sampler({ cfg: ['STRING'] }))),
      'DRIFT_INPUT_TYPE',
    ],
    [
      'a narrower range',
      () => judged(drift(sampler({ cfg: ['FLOAT', { min: 0, max: 5 }] }))),
      () => judged(drift(sampler({ cfg: ['FLOAT', { min: 0, max: 9 }] }))),
      'DRIFT_RANGE',
    ],
    [
      'a choice that is gone',
      () =>
        judged(
          drift(sampler({}, { mode: [['hard'], { default: 'soft' }] }), {
            graph: { ...GRAPH, '3': { ...GRAPH['3'], inputs: { ...GRAPH['3'].inputs, mode: 'soft' } } },
          }),
        ),
      () => judged(drift(sampler({}, { mode: [['soft'], { default: 'soft' }] }))),
      'DRIFT_CHOICE_GONE',
    ],
    [
      'another default',
      () => judged(drift(sampler({}, { extra: ['INT', { default: 2 }] }))),
      () => judged(drift(sampler({ steps: ['INT', { default: 30, min: 1, max: 100 }] }))),
      'DRIFT_DEFAULT',
    ],
    [
      'an output that changed',
      () => judged(drift({ ...KSampler, output: ['LATENT', 'MASK'], output_name: ['latent', 'mask'] })),
      () => judged(drift({ ...KSampler, output: ['IMAGE'], output_name: ['image'] })),
      'DRIFT_OUTPUT',
    ],
  ];
  it.each(both)('warns of %s where the graph depends on it, and else notes it', (what, breaking, harmless, code) => {
    expect(breaking()).toEqual([`${code} warning`]);
    expect(harmless()).toEqual(what === 'a class that is gone' ? [] : [`${code} info`]);
  });

  it('notes an output more, and warns of a node that saves no more', () => {
    expect(judged(drift({ ...KSampler, output: ['IMAGE', 'MASK', 'INT'], output_name: ['image', 'mask', 'n'] }))).toEqual([
      'DRIFT_OUTPUT_ADDED info',
    ]);
    const template = compiled(manifest());
    const lock = lockClasses(classesOf(template), infoOf(CLASSES));
    const quiet = { ...CLASSES.SaveImage, output_node: false };
    expect(judged(checkDrift(template, lock, infoOf({ ...CLASSES, SaveImage: quiet }), { file: (name) => name }))).toEqual([
      'DRIFT_OUTPUT_NODE warning',
    ]);
    expect(judged(drift({ ...KSampler, output_node: true }))).toEqual(['DRIFT_OUTPUT_NODE info']);
  });

  it('says where, since when, and what to do', () => {
    expect(drift(sampler({ cfg: ['FLOAT', { min: 0, max: 5 }] }))).toMatchObject([
      {
        message: 'KSampler (node 3): input "cfg" took 0 to 30 and takes 0 to 5 since ComfyUI 0.3.60.',
        file: 'w.json',
        line: expect.any(Number),
        pointer: '/3/inputs/cfg',
        node: '3',
        input: 'cfg',
        step: 'a',
      },
    ]);
  });

  it('looks at what a parameter may bring', () => {
    const narrow = sampler({ steps: ['INT', { default: 20, min: 1, max: 50 }] });
    const filled = (definition: object) => judged(drift(narrow, { parameters: { n: definition }, step: { set: { '3.steps': '{n}' } } }));
    expect(filled({ type: 'integer', default: 20, minimum: 1, maximum: 100 })).toEqual(['DRIFT_RANGE warning']);
    expect(filled({ type: 'integer', default: 20, minimum: 1, maximum: 50 })).toEqual(['DRIFT_RANGE info']);
    const lost = sampler({}, { mode: [['hard'], { default: 'soft' }] });
    const chosen = (choices: readonly string[]) =>
      judged(drift(lost, { parameters: { m: { type: 'choice', choices, default: 'hard' } }, step: { set: { '3.mode': '{m}' } } }));
    expect(chosen(['soft', 'hard'])).toEqual(['DRIFT_CHOICE_GONE warning']);
    expect(chosen(['hard'])).toEqual(['DRIFT_CHOICE_GONE info']);
  });

  it('warns of an input that has become required only where it is not given', () => {
    const needs = {
      ...sampler({ extra: ['INT', { default: 1 }] }),
      input: {
        ...KSampler.input,
        required: { ...KSampler.input.required, extra: ['INT', { default: 1 }] },
        optional: { mode: KSampler.input.optional.mode },
      },
    };
    expect(judged(drift(needs))).toEqual(['DRIFT_INPUT_ADDED warning']);
    const graph = { ...GRAPH, '3': { ...GRAPH['3'], inputs: { ...GIVEN, latent_image: ['5', 0], extra: 3 } } };
    expect(judged(drift(needs, { graph }))).toEqual(['DRIFT_INPUT_ADDED info']);
  });
});

describe('template.lock.json', () => {
  const template = compiled(manifest());
  const lock = lockClasses(classesOf(template), infoOf({ ...CLASSES, KSampler: sampler({ seed: ['INT', { min: 0, max: 1 }] }) }), '0.3.64');

  it('comes back as it was written, a class on each line', () => {
    const text = classLockText(lock);
    expect(readClassLock(text, 'x')).toEqual({ lock, problems: [] });
    expect(text.split('\n').filter((line) => line.includes('"hash"'))).toHaveLength(lock.classes.size);
    expect(JSON.parse(text).classes.KSampler.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('holds only classes that the server has', () => {
    expect([...lockClasses(['SaveImage', 'Gone', 'SaveImage'], infoOf(CLASSES)).classes.keys()]).toEqual(['SaveImage']);
  });

  it.each([
    ['no JSON', '{'],
    ['another shape', '[]'],
    ['another format', '{"format": 2, "classes": {}}'],
    ['a class of another shape', '{"format": 1, "classes": {"A": {"hash": "x"}}}'],
    ['inputs of another shape', '{"format": 1, "classes": {"A": {"hash": "x", "inputs": {"a": 1}, "outputs": [], "outputNode": false}}}'],
    ['a hash of something else', classLockText(lock).replace('"max":1,', '"max":2,').replace('"max":1}', '"max":2}')],
  ])('is refused with a warning when it is damaged: %s', (_what, text) => {
    const { lock: read, problems } = readClassLock(text, 'here/template.lock.json');
    expect(read).toBeUndefined();
    expect(problems).toMatchObject([{ code: 'TEMPLATE_LOCK_INVALID', severity: 'warning', file: 'here/template.lock.json' }]);
  });

  it('is read beside a template, and nowhere else', async () => {
    const folder = await folderWith({ 'a/template.lock.json': classLockText(lock), 'b/other.json': '{}' });
    expect(readLockIn(`${folder}/a`)?.lock).toEqual(lock);
    expect(readLockIn(`${folder}/b`)).toBeUndefined();
    expect(codes(readLockIn(folder)?.problems ?? [])).toEqual([]);
  });
});
