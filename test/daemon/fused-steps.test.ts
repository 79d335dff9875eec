// Adjacent steps in one prompt, over the sandbox: the same pixels with one prompt less, and every failure is that of the step that failed.
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { RunView } from '#protocol/views.ts';
import { cacheOf, type CacheRig, startCacheRig, type TemplateOfSteps } from './result-cache/cache-rig.ts';

const FIRST = {
  '1': { class_type: 'EmptyImage', inputs: { width: 40, height: 30, batch_size: 1, color: 1193046 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'same' } },
};
const SECOND = {
  '1': { class_type: 'LoadImage', inputs: { image: 'x.png' } },
  '2': { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
  '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'same' } },
};
const first = { id: 'first', graph: FIRST, step: { set: { '1.color': '{colour}' }, outputs: { picture: '2' } } };
const second = (changes: object = {}, graph: object = SECOND, id = 'second') => ({
  id,
  graph,
  step: { set: { '1.image': '{steps.first.picture}' }, outputs: { picture: '3' }, fuse: true, ...changes },
});
const chainOf = (...steps: TemplateOfSteps['steps']): TemplateOfSteps => ({
  steps,
  manifest: { parameters: { colour: { type: 'integer', default: 1193046 } } },
});

const rigWith = (template: TemplateOfSteps, more: Parameters<typeof startCacheRig>[0] = {}) =>
  startCacheRig({ chains: { chain: template, 'one-by-one': alone(template) }, ...more });
const alone = ({ steps, manifest = {} }: TemplateOfSteps): TemplateOfSteps => ({
  steps: steps.map((one) => ({ ...one, step: { ...one.step, fuse: false } })),
  manifest,
});
const run = (rig: CacheRig, template = 'chain') => rig.run({ template, parameters: {} });

async function pixelsOf({ artifacts }: RunView): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { step, path } of artifacts) found.push(`${step} ${(await sharp(readFileSync(path)).raw().toBuffer()).toString('base64')}`);
  return found;
}
const statesOf = ({ steps }: RunView) => Object.fromEntries(steps.map(({ id, status }) => [id, status]));
const notesOf = (rig: CacheRig, runId: string) =>
  rig.engine.events.flatMap(({ runId: of, event }) => (of === runId && event.type === 'run.note' ? [event.code] : []));

describe('two steps of which one takes the picture of the other', () => {
  it('share a prompt: the same pixels, and it is told', async () => {
    const rig = await rigWith(chainOf(first, second()), { cacheBytes: 0 });
    const by = await run(rig, 'one-by-one');
    expect([by.status, rig.executed()]).toEqual(['succeeded', 2]);
    const view = await run(rig);
    expect([view.status, rig.executed()]).toEqual(['succeeded', 3]);
    expect(await pixelsOf(view)).toEqual(await pixelsOf(by));
    expect(statesOf(view)).toEqual({ first: 'done', second: 'done' });
    const [one, two] = view.steps;
    expect(one?.attempts.map(({ fused }) => fused)).toEqual([[{ step: 'second', rounds: true }]]);
    expect([two?.attempts, two?.itemsDone, two?.reason]).toEqual([[], 1, "It was done in the prompt of step 'first'."]);
    const saved = view.optimiser?.savings.filter(({ pass }) => pass === 'fused-steps');
    expect(saved).toMatchObject([{ step: 'second', item: 0, nodes: [{ id: '1', classType: 'LoadImage' }] }]);
    expect(view.progress).toBe(1);
  });

  it('are kept in the result cache as each of them by itself, and taken from there by a run that does them one by one', async () => {
    const rig = await rigWith(chainOf(first, second()));
    await run(rig);
    expect(rig.executed()).toBe(1);
    const again = await run(rig);
    expect([statesOf(again), rig.executed()]).toEqual([{ first: 'cached', second: 'cached' }, 1]);
    expect(cacheOf(again)).toEqual({ first: 'hit', second: 'hit' });
  });

  it('of three in a row all share it', async () => {
    const third = { ...second({ set: { '1.image': '{steps.second.picture}' } }), id: 'third' };
    const rig = await rigWith(chainOf(first, second(), third), { cacheBytes: 0 });
    const view = await run(rig);
    expect([view.status, rig.executed()]).toEqual(['succeeded', 1]);
    expect(await pixelsOf(view)).toEqual(await pixelsOf(await run(rig, 'one-by-one')));
    expect(view.artifacts.map(({ step }) => step)).toEqual(['first', 'second', 'third']);
  });

  it('are one prompt as well where several take the picture and there is one server only', async () => {
    const rig = await rigWith(chainOf(first, second(), second({}, SECOND, 'other')), { cacheBytes: 0 });
    const view = await run(rig);
    expect([view.status, rig.executed()]).toEqual(['succeeded', 1]);
    expect(view.artifacts.map(({ step }) => step)).toEqual(['first', 'second', 'other']);
  });

  it('stay two where they could be done at the same time elsewhere', async () => {
    const rig = await rigWith(chainOf(first, second(), second({}, SECOND, 'other')), { cacheBytes: 0, count: 2 });
    expect([(await run(rig)).status, rig.executed()]).toEqual(['succeeded', 3]);
  });

  it('share one unasked where the second needs the models of the first, is known to be short, and another run has other models', async () => {
    const drawn = (latent: object, model = 'sd_xl_base_1.0.safetensors') => ({
      '1': { class_type: 'LoadImage', inputs: { image: 'x.png' } },
      '10': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: model } },
      '11': { class_type: 'CLIPTextEncode', inputs: { text: 'a fox', clip: ['10', 1] } },
      '12': latent,
      '13': {
        class_type: 'KSampler',
        inputs: {
          seed: 5,
          steps: 2,
          cfg: 7,
          sampler_name: 'euler',
          scheduler: 'normal',
          denoise: 1,
          model: ['10', 0],
          positive: ['11', 0],
          negative: ['11', 0],
          latent_image: ['12', 0],
        },
      },
      '14': { class_type: 'VAEDecode', inputs: { samples: ['13', 0], vae: ['10', 2] } },
      '3': { class_type: 'SaveImage', inputs: { images: ['14', 0], filename_prefix: 'same' } },
    });
    const empty = { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } };
    const { '1': _, ...base } = drawn(empty);
    const { '1': __, ...foreign } = drawn(empty, 'sd3.5_medium.safetensors');
    const again = drawn({ class_type: 'VAEEncode', inputs: { pixels: ['1', 0], vae: ['10', 2] } });
    const drawing = { id: 'first', graph: base, step: { set: { '11.text': '{colour}' }, outputs: { picture: '3' } } };
    const chain = chainOf(drawing, second({ fuse: undefined }, again));
    const rig = await rigWith(chain, { cacheBytes: 0, templates: { another: { graph: foreign } } });
    const fusedOf = ({ steps }: RunView) => steps[0]?.attempts.map(({ fused }) => fused);
    const shared = [[{ step: 'second', rounds: true }]];
    // Nobody has timed it; then it is known, and nobody else has anything to do.
    for (const prompts of [2, 4]) {
      const view = await run(rig);
      expect([view.status, rig.executed(), fusedOf(view)]).toEqual(['succeeded', prompts, [undefined]]);
    }
    const withCompany = async (template: string) => {
      await rig.engine.supervisor.queue.pause();
      const [runId, company] = [await rig.start({ template: 'chain' }), await rig.start({ template, parameters: {} })];
      await rig.engine.supervisor.queue.resume();
      await rig.engine.ended(company);
      return rig.engine.ended(runId);
    };
    expect(fusedOf(await withCompany('one-by-one'))).toEqual([undefined]);
    expect(fusedOf(await withCompany('another'))).toEqual(shared);
  });
});

const MASKED = {
  ...SECOND,
  '2': { class_type: 'InvertMask', inputs: { mask: ['1', 1] } },
  '4': { class_type: 'MaskToImage', inputs: { mask: ['2', 0] } },
};
const masked = { ...MASKED, '3': { class_type: 'SaveImage', inputs: { images: ['4', 0], filename_prefix: 'same' } } };
const NOT: readonly (readonly [string, TemplateOfSteps])[] = [
  ['its author says so', chainOf(first, second({ fuse: false }))],
  ['nobody asks for one and no model is loaded', chainOf(first, second({ fuse: undefined }))],
  ['one of them is sent as it is', chainOf(first, second({ optimize: false }))],
  ['it looks at what the first gave', chainOf(first, second({ when: 'steps.first.picture != null' }))],
  ['it takes the mask, too', chainOf(first, second({}, masked))],
  ['it goes over all pictures', chainOf(first, second({ each: '{steps.first.picture}', set: { '1.image': '{each}' } }))],
  ['it takes one of several', chainOf(first, second({ set: { '1.image': '{steps.first.picture[0]}' } }))],
  [
    'the first goes over a list',
    chainOf({ ...first, step: { ...first.step, each: '{list}' } }, second({ set: { '1.image': '{steps.first.picture[0]}' } })),
  ],
];

describe('two steps stay two prompts', () => {
  it.each(NOT)('where %s', async (_, template) => {
    const manifest = { parameters: { colour: { type: 'integer', default: 5 }, list: { type: 'list', of: 'integer', default: [1] } } };
    const rig = await rigWith({ ...template, manifest }, { cacheBytes: 0 });
    const view = await run(rig);
    expect([view.status, view.error?.message, rig.executed()]).toEqual(['succeeded', undefined, 2]);
  });

  it('where a run is started without the optimiser', async () => {
    const rig = await rigWith(chainOf(first, second()), { cacheBytes: 0 });
    const view = await rig.run({ template: 'chain', parameters: {}, optimize: false });
    expect([view.status, rig.executed()]).toEqual(['succeeded', 2]);
  });

  it('where the first gives several pictures, and then it is told as without it', async () => {
    const batch = { ...FIRST, '1': { class_type: 'EmptyImage', inputs: { ...FIRST['1'].inputs, batch_size: 2 } } };
    const rig = await rigWith(chainOf({ ...first, graph: batch }, second()), { cacheBytes: 0 });
    const [view, by] = [await run(rig), await run(rig, 'one-by-one')];
    expect([view.status, statesOf(view), view.error?.message]).toEqual([by.status, statesOf(by), by.error?.message]);
    expect(view.artifacts.map(({ step }) => step)).toEqual(['first', 'first']);
    expect(notesOf(rig, view.runId)).toContain('STEP_NOT_FUSED');
  });
});

const FAILS = { ...SECOND, '2': { class_type: 'SandboxFail', inputs: { value: ['1', 0], message: 'no such luck' } } };

describe('a step that fails in a prompt that it shares', () => {
  it('fails as itself, and the first keeps its files', async () => {
    const rig = await rigWith(chainOf(first, second({}, FAILS)), { cacheBytes: 0 });
    const view = await run(rig);
    expect([view.status, statesOf(view)]).toEqual(['failed', { first: 'done', second: 'failed' }]);
    expect(view.error).toMatchObject({ code: 'NODE_FAILED', step: 'second', node: '2' });
    expect(view.artifacts.map(({ step }) => step)).toEqual(['first']);
    expect(view.steps[0]?.attempts).toMatchObject([{ attempt: 1, status: 'finished' }]);
    // Once together, once by itself: what the first made is not made again.
    expect(rig.executed()).toBe(2);
    expect(notesOf(rig, view.runId)).toContain('STEP_NOT_FUSED');
  });

  it('does not take the first with it when nothing of that is known any more', async () => {
    const rig = await rigWith(chainOf(first, second({}, FAILS)), {
      cacheBytes: 0,
      wrap: (backend) => ({
        ...backend,
        follow: (attempt, options) =>
          backend.follow(attempt, {
            ...options,
            onEvent: (event) => options.onEvent(event.type === 'failed' ? { type: 'failed', error: event.error } : event),
          }),
      }),
    });
    const view = await run(rig);
    expect([view.status, statesOf(view)]).toEqual(['failed', { first: 'done', second: 'failed' }]);
    expect(view.steps[0]?.attempts.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'failed'],
      [2, 'finished'],
    ]);
  });

  it('is tried again alone when the run is', async () => {
    const rig = await rigWith(chainOf(first, second({}, FAILS)), { cacheBytes: 0 });
    const { runId } = await run(rig);
    const before = rig.executed();
    await rig.engine.supervisor.retry({ runId });
    const view = await rig.engine.ended(runId);
    expect([view.status, rig.executed() - before]).toEqual(['failed', 1]);
    expect(view.optimiser?.savings).toMatchObject([{ pass: 'existing-outputs', step: 'first', item: 0 }]);
  });

  it('leaves a failure of the first to the first', async () => {
    const broken = { ...FIRST, '3': { class_type: 'SandboxFail', inputs: { value: ['1', 0], message: 'at once' } } };
    const saved = { ...broken, '2': { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'same' } } };
    const rig = await rigWith(chainOf({ ...first, graph: saved }, second()), { cacheBytes: 0 });
    const view = await run(rig);
    expect(view.error).toMatchObject({ code: 'NODE_FAILED', step: 'first', node: '3' });
    expect([statesOf(view), rig.executed()]).toEqual([{ first: 'failed', second: 'blocked' }, 1]);
  });
});
