import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { folderOfQueue } from '#daemon/exchange/wan2gp-queue.ts';
import { compileTemplate } from '#templates/compile.ts';
import { sourceOf } from '#templates/load.ts';
import { openPlace } from './exchange-harness.ts';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

/** As Wan2GP writes it (queue.json with runtime keys stripped, attachments beside it). */
const TASK = {
  id: 1,
  params: {
    model_type: 'i2v_2_2',
    settings_version: 2.74,
    base_model_type: 'i2v_2_2',
    prompt: 'a ship at sea',
    seed: 42,
    resolution: '832x480',
    video_length: 81,
    image_prompt_type: 'S',
    image_start: 'task1_image_start_0.png',
    image_refs: ['task1_image_refs_0.png'],
    repeat_generation: 1,
  },
};
const OTHER = { id: 2, params: { model_type: 't2v_1.3B', settings_version: 2.74, prompt: 'a storm', seed: -1 } };
const HUGE = '18446744073709551615';

const OPTIONS = {
  id: 'queue',
  title: 'Queue',
  version: '1.0.0',
  attached: new Set(['task1_image_start_0.png', 'task1_image_refs_0.png']),
  shown: 'q.zip',
};
const read = (value: unknown) => folderOfQueue(typeof value === 'string' ? value : JSON.stringify(value), OPTIONS);
const template = (value: unknown) => {
  const { files, problems } = read(value);
  const { 'template.json': manifest = '', ...workflows } = Object.fromEntries(files ?? []);
  const { value: made, problems: found } = compileTemplate(sourceOf(manifest, workflows));
  expect(found.filter(({ severity }) => severity === 'error')).toEqual([]);
  return { made, problems };
};

describe('a queue of Wan2GP as a template', () => {
  it('has the parameters of its one task, with the files that came with it as defaults', () => {
    const { made, problems } = template([TASK]);
    expect(problems).toEqual([]);
    expect(made?.steps.map(({ id, backend, workflow }) => [id, backend, workflow])).toEqual([['task-1', 'wan2gp', 'task-1.json']]);
    expect(made?.parameters.get('prompt')).toMatchObject({ type: 'text', default: 'a ship at sea' });
    expect(made?.parameters.get('image_start')).toMatchObject({ type: 'image', default: 'task1_image_start_0.png' });
    expect(made?.parameters.get('image_refs')).toMatchObject({ type: 'list', of: 'image', default: ['task1_image_refs_0.png'] });
  });

  it('has a step for each of several tasks, with parameters of its own', () => {
    const { made } = template([TASK, OTHER]);
    expect(made?.steps.map(({ id }) => id)).toEqual(['task-1', 'task-2']);
    expect([...(made?.parameters.keys() ?? [])]).toEqual(expect.arrayContaining(['prompt_1', 'prompt_2', 'seed_2', 'image_start_1']));
    expect([...(made?.outputs.keys() ?? [])]).toEqual(['files_1', 'files_2']);
  });

  it.each([
    ['settings alone', TASK.params],
    ['a list of settings', [TASK.params]],
    ['one task', TASK],
  ])('is read in every shape that Wan2GP takes: %s', (_what, value) => {
    expect(template(value).made?.steps).toHaveLength(1);
  });

  it('keeps settings to the last digit', () => {
    const text = JSON.stringify([TASK]).replace('"seed":42', `"seed":${HUGE}`);
    expect(read(text).files?.get('task-1.json')).toContain(HUGE);
  });

  it('warns of files that are not there', () => {
    const lost = { id: 1, params: { ...TASK.params, audio_guide: 'task1_audio_guide_0.wav' } };
    expect(read([lost]).problems).toMatchObject([
      { code: 'IMPORT_QUEUE_FILE', severity: 'warning', message: expect.stringContaining('task1_audio_guide_0.wav') },
    ]);
  });

  it.each([
    ['no JSON', 'nothing'],
    ['an empty list', '[]'],
    ['tasks of another shape', '[1, null, {"params": []}]'],
    ['a task without a model', JSON.stringify([{ id: 1, params: { mode: 'edit_postprocessing', video_source: 'x.mp4' } }])],
    ['too many tasks', JSON.stringify(Array.from({ length: 51 }, () => OTHER))],
    ['dangerous keys', '[{"__proto__": {"params": {"model_type": "x"}}}]'],
  ])('is refused: %s', (_what, text) => {
    const { files, problems } = read(text);
    expect(files).toBeUndefined();
    expect(problems).toMatchObject([{ code: 'IMPORT_QUEUE_INVALID', severity: 'error', file: 'q.zip' }]);
  });
});

describe('importing queue.zip', () => {
  const archive = (files: Readonly<Record<string, Uint8Array>>) => Buffer.from(zipSync(files));
  const queue = Buffer.from(JSON.stringify([TASK]));

  it('makes a template with its files beside it, which waits for approval', async () => {
    await using place = await openPlace();
    const file = place.put('evening.zip', archive({ 'queue.json': queue, 'task1_image_start_0.png': PNG, 'task1_image_refs_0.png': PNG }));
    const answer = await place.client.call('template/import', { file });
    expect(answer).toMatchObject({ from: 'wan2gp', template: { id: 'evening', approval: 'pending', contents: { backends: ['wan2gp'] } } });
    const { template: made } = await place.client.call('template/get', { id: 'evening' });
    expect(made.parameters['image_start']).toMatchObject({ default: 'task1_image_start_0.png' });
  });

  it('takes nothing from an archive that is hostile or damaged', async () => {
    await using place = await openPlace();
    const bad = {
      escape: archive({ 'queue.json': queue, '../out.png': PNG }),
      script: archive({ 'queue.json': queue, 'run.py': Buffer.from('import os') }),
      broken: archive({ 'queue.json': Buffer.from('[{') }),
      short: archive({ 'queue.json': queue }).subarray(0, 60),
    };
    for (const [name, bytes] of Object.entries(bad)) {
      const file = place.put(`${name}.zip`, bytes);
      await expect(place.client.call('template/import', { file })).rejects.toMatchObject({ data: { code: 'IMPORT_REFUSED' } });
    }
    expect((await place.client.call('template/list')).templates.filter(({ category }) => category === 'imported')).toEqual([]);
  });
});
