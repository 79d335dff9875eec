// The order of the queue by loaded models: interleaved shots over two models load each of them once, and nobody else is harmed.
import { describe, expect, it } from 'vitest';
import type { RunView } from '#protocol/views.ts';
import { type CacheRig, startCacheRig } from './cache-rig.ts';

const MODELS = ['sd_xl_base_1.0.safetensors', 'v1-5-pruned-emaonly-fp16.safetensors'] as const;
const SHOT = {
  graph: {
    '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'x.safetensors' } },
    '2': { class_type: 'CLIPTextEncode', inputs: { clip: ['1', 1], text: 'a shot' } },
    '3': { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
    '4': {
      class_type: 'KSampler',
      inputs: {
        model: ['1', 0],
        positive: ['2', 0],
        negative: ['2', 0],
        latent_image: ['3', 0],
        seed: 1,
        steps: 2,
        cfg: 7,
        sampler_name: 'euler',
        scheduler: 'normal',
        denoise: 1,
      },
    },
    '5': { class_type: 'VAEDecode', inputs: { samples: ['4', 0], vae: ['1', 2] } },
    '6': { class_type: 'SaveImage', inputs: { images: ['5', 0], filename_prefix: 'shot' } },
  },
  step: { set: { '1.ckpt_name': '{model}', '4.seed': '{seed}' }, outputs: { shot: '6' } },
  manifest: { parameters: { model: { type: 'model', folder: 'checkpoints' }, seed: { type: 'seed' } } },
};

const rigOf = (count = 1) => startCacheRig({ count, templates: { shot: SHOT }, cacheBytes: 0, sandbox: { latencyMs: 2 } });
const shot = (rig: CacheRig, n: number, client = 'artist') =>
  rig.start({ template: 'shot', parameters: { model: MODELS[n % 2], seed: n }, client });

/** Models in the order in which a server executed them. */
function executedModels(rig: CacheRig, runs: readonly RunView[], server = 0): readonly unknown[] {
  const byPrompt = new Map(
    runs.flatMap((run) => run.steps.flatMap(({ attempts }) => attempts.map(({ attemptId }) => [attemptId, run.parameters['model']]))),
  );
  const started = (rig.sandboxes[server]?.ledger() ?? []).toSorted((a, b) => a.started - b.started);
  return started.map(({ prompt_id }) => byPrompt.get(prompt_id));
}

const loadsIn = (models: readonly unknown[]) => models.filter((model, at) => model !== models[at - 1]).length;

describe('twenty shots over two models that come in turns', () => {
  it('load each model once, also when the server was idle as they came, and say what that saved', async () => {
    const rig = await rigOf();
    const ids = [];
    for (let n = 0; n < 20; n += 1) ids.push(await shot(rig, n));
    const runs = await Promise.all(ids.map((runId) => rig.engine.ended(runId)));
    expect(runs.map(({ status }) => status)).toEqual(ids.map(() => 'succeeded'));
    const models = executedModels(rig, runs);
    expect([models.length, loadsIn(models)]).toEqual([20, 2]);
    const spared = runs.flatMap(({ optimiser }) => optimiser?.savings ?? []).filter(({ pass }) => pass === 'model-order');
    // Nineteen would have been loaded for the shot before, but for the first of each model.
    expect(spared).toHaveLength(18);
    expect(spared[0]?.why).toMatch(/^It went before runs that came earlier, while \S+ was loaded on 'comfyui'/);
    expect(spared.some(({ seconds }) => seconds !== undefined)).toBe(true);
  });

  it('do so after a restart with all of them waiting', async () => {
    const rig = await rigOf();
    await rig.engine.supervisor.queue.pause();
    const ids = [];
    for (let n = 0; n < 20; n += 1) ids.push(await shot(rig, n));
    await rig.engine.restart();
    await rig.engine.supervisor.queue.resume();
    const runs = await Promise.all(ids.map((runId) => rig.engine.ended(runId)));
    expect(loadsIn(executedModels(rig, runs))).toBe(2);
  });

  it('go to two servers with one model each', async () => {
    const rig = await rigOf(2);
    const ids = [];
    for (let n = 0; n < 20; n += 1) ids.push(await shot(rig, n));
    const runs = await Promise.all(ids.map((runId) => rig.engine.ended(runId)));
    const loads = [0, 1].map((server) => loadsIn(executedModels(rig, runs, server)));
    expect(loads[0] ?? 0).toBeLessThanOrEqual(2);
    expect(loads[1] ?? 0).toBeLessThanOrEqual(2);
  });

  it('of two clients give each its fair share, turn by turn', async () => {
    const rig = await rigOf();
    await rig.engine.supervisor.queue.pause();
    const ids: [string, string][] = [];
    for (let n = 0; n < 10; n += 1)
      for (const client of ['a', 'b']) ids.push([await shot(rig, client === 'a' ? 0 : 1 + n * 2, client), client]);
    await rig.engine.supervisor.queue.resume();
    const runs = await Promise.all(ids.map(([runId]) => rig.engine.ended(runId)));
    const clientOf = new Map(
      runs.flatMap((run, at) => run.steps[0]?.attempts.map(({ attemptId }) => [attemptId, ids[at]?.[1]] as const) ?? []),
    );
    const order = rig.sandbox
      .ledger()
      .toSorted((x, y) => x.started - y.started)
      .map(({ prompt_id }) => clientOf.get(prompt_id));
    let lead = 0;
    for (const client of order) {
      lead += client === 'a' ? 1 : -1;
      expect(Math.abs(lead)).toBeLessThanOrEqual(2);
    }
    expect(order).toHaveLength(20);
  });
});
