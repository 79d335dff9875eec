import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import { stepFits } from '#templates/fits.ts';
import { needsOf } from '#templates/needs.ts';
import { codes, compiled, GRAPH, manifest } from './support.ts';

const core = (input: object, output: readonly string[], more: object = {}) => ({
  input: { required: input },
  output,
  python_module: 'nodes',
  ...more,
});
const CLASSES = {
  KSampler: core({ model: ['MODEL'], seed: ['INT'] }, ['IMAGE']),
  CheckpointLoaderSimple: core({ ckpt_name: [['base.safetensors', 'xl\\other.safetensors']] }, ['MODEL', 'CLIP']),
  EmptyLatentImage: core({ width: ['INT'] }, ['LATENT']),
  CLIPTextEncode: core({ text: ['STRING'] }, ['CONDITIONING']),
  LoadImage: core({ image: [['in.png'], { image_upload: true }] }, ['IMAGE']),
  SaveImage: core({ images: ['IMAGE'] }, [], { output_node: true }),
};
const infoOf = (classes: object) => parseObjectInfo(JSON.stringify(classes)).info;

interface Backend {
  readonly classes?: object;
  readonly version?: string;
  readonly vram?: number;
}

function fit(changes: object, { classes = CLASSES, ...facts }: Backend = {}, graph: object = GRAPH, step: object = {}, values = {}) {
  const needs = needsOf(compiled(manifest(changes, step), { 'w.json': graph }));
  const [first] = needs.steps;
  if (first === undefined) throw new Error('the template of the test has no step');
  return stepFits(needs, first, { id: 'farm', info: infoOf(classes), ...facts }, values);
}

const { SaveImage: _save, ...WITHOUT_SAVE } = CLASSES;

describe('whether a backend satisfies a step', () => {
  it('fits where every class and every model is there', () => {
    expect(fit({})).toEqual({ verdict: 'fits', problems: [] });
  });

  it('lacks a class that the graph uses, and says which backend, which node and which pack', () => {
    const { verdict, problems } = fit({ requires: { nodes: { SaveImage: { pack: 'saver' } } } }, { classes: WITHOUT_SAVE });
    expect(verdict).toBe('lacks');
    expect(problems).toMatchObject([
      {
        code: 'NODE_CLASS_UNKNOWN',
        severity: 'error',
        message: expect.stringContaining("backend 'farm'"),
        hint: expect.stringContaining('"saver"'),
        step: 'a',
        node: '9',
        file: 'w.json',
        pointer: '/9/class_type',
      },
    ]);
    expect(problems[0]?.line).toBeGreaterThan(1);
  });

  it('lacks a class that only `requires` names', () => {
    const { verdict, problems } = fit({ requires: { nodes: { Other: { pack: 'me/other-pack' } } } });
    expect(verdict).toBe('lacks');
    expect(problems).toMatchObject([
      { code: 'TEMPLATE_REQUIRES_NODE', hint: expect.stringContaining('https://github.com/me/other-pack'), file: 'template.json' },
    ]);
  });

  it('lacks a model that a loader names, and offers the same file elsewhere', () => {
    const graph = { ...GRAPH, '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'other.safetensors' } } };
    const { verdict, problems } = fit({}, {}, graph);
    expect(verdict).toBe('lacks');
    expect(problems).toMatchObject([
      { code: 'MODEL_MISSING', severity: 'error', node: '4', input: 'ckpt_name', hint: expect.stringContaining('xl\\other.safetensors') },
    ]);
  });

  it('only warns of a model in a custom loader, which may look for itself', () => {
    const classes = { ...CLASSES, Pick: core({ lora: [['a.safetensors']] }, ['MODEL'], { python_module: 'custom_nodes.x' }) };
    const graph = { ...GRAPH, '4': { class_type: 'Pick', inputs: { lora: 'b.safetensors' } } };
    expect(fit({}, { classes }, { ...graph, '6': { class_type: 'CLIPTextEncode', inputs: { text: '' } } })).toMatchObject({
      verdict: 'fits',
      problems: [{ code: 'MODEL_MISSING', severity: 'warning' }],
    });
  });

  it('does not ask for a model in a node that feeds no output', () => {
    const graph = { ...GRAPH, '20': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'gone.safetensors' } } };
    expect(fit({}, {}, graph).verdict).toBe('fits');
  });

  it('takes the model that a parameter names in the spelling of the backend, and lacks one that it does not have', () => {
    const changes = { parameters: { m: { type: 'model', folder: 'checkpoints' } } };
    const step = { set: { '4.ckpt_name': '{m}' } };
    expect(fit(changes, {}, GRAPH, step).verdict).toBe('fits');
    expect(fit(changes, {}, GRAPH, step, { m: 'xl/Other.safetensors' }).verdict).toBe('fits');
    expect(fit(changes, {}, GRAPH, step, { m: 'gone.safetensors' })).toMatchObject({
      verdict: 'lacks',
      problems: [{ code: 'MODEL_MISSING', parameter: 'm', node: '4' }],
    });
  });

  it('warns of a required model that no graph names, and of one in another folder', () => {
    const required = (folder: string, name: string) => codes(fit({ requires: { models: [{ folder, name }] } }).problems);
    expect(required('checkpoints', 'sub/other.safetensors')).toEqual([]);
    expect(required('checkpoints', 'gone.safetensors')).toEqual(['TEMPLATE_REQUIRES_MODEL']);
    expect(required('loras', 'other.safetensors')).toEqual(['TEMPLATE_REQUIRES_MODEL']);
    expect(required('my-own-folder', 'other.safetensors')).toEqual([]);
  });

  it('lacks a version out of the range, also when the node classes are not known', () => {
    const changes = { requires: { comfyui: '>=0.4' } };
    expect(fit(changes, { version: '0.4.1' }).verdict).toBe('fits');
    expect(fit(changes).verdict).toBe('fits');
    const needs = needsOf(compiled(manifest(changes)));
    const [step] = needs.steps;
    if (step === undefined) throw new Error('the template of the test has no step');
    expect(stepFits(needs, step, { id: 'farm', version: 'v0.3.9' })).toMatchObject({
      verdict: 'lacks',
      problems: [
        { code: 'TEMPLATE_REQUIRES_VERSION', message: expect.stringContaining("backend 'farm' is v0.3.9"), file: 'template.json' },
      ],
    });
    expect(stepFits(needs, step, { id: 'farm', version: '0.4.0' })).toEqual({ verdict: 'unknown', problems: [] });
  });

  it('warns of too little graphics memory, which makes a run slow and not impossible', () => {
    const changes = { requires: { vram: 8_000_000_000 } };
    const words = (vram: number) => fit(changes, { vram });
    expect(words(8_000_000_000)).toEqual({ verdict: 'fits', problems: [] });
    expect(words(6_000_000_000)).toMatchObject({
      verdict: 'fits',
      problems: [{ code: 'TEMPLATE_REQUIRES_VRAM', severity: 'warning', message: expect.stringMatching(/8 GB.*has 6 GB/) }],
    });
    expect(words(0).problems[0]?.message).toMatch(/without a graphics card/);
    expect(fit(changes).problems).toEqual([]);
  });

  it('takes every step of Wan2GP', () => {
    const settings = { model_type: 't2v', prompt: 'x' };
    const needs = needsOf(compiled(manifest({}, { backend: 'wan2gp', outputs: {} }), { 'w.json': settings }));
    const [step] = needs.steps;
    expect(step === undefined ? undefined : stepFits(needs, step, { id: 'gpu' })).toEqual({ verdict: 'fits', problems: [] });
  });

  it('never lacks anything when a class or a model more is there', () => {
    const names = Object.keys(CLASSES);
    fc.assert(
      fc.property(fc.subarray(names), fc.subarray(names), (some, more) => {
        const pick = (chosen: readonly string[]) =>
          Object.fromEntries(
            Object.entries({ ...CLASSES, Spare: core({}, []) }).filter(([name]) => name === 'Spare' || chosen.includes(name)),
          );
        const few = fit({}, { classes: pick(some) }).problems.length;
        expect(fit({}, { classes: pick([...some, ...more]) }).problems.length).toBeLessThanOrEqual(few);
      }),
    );
  });
});
