import { describe, expect, it } from 'vitest';
import { parseCacheMode } from '#backends/sandbox/cache.ts';
import { loadPrices, readPrices } from '#backends/sandbox/costs/cost-model.ts';
import type { PromptCosts } from '#backends/sandbox/costs/account.ts';
import type { SandboxOptions } from '#backends/sandbox/options.ts';
import { connect, post, submit } from '../client.ts';
import { startTestSandbox, type TestGraph, textToImage } from '../graphs.ts';

const MODEL = new URL('../../../../bench/optimiser/cost-model.json', import.meta.url).pathname;
const prices = loadPrices(MODEL, 'rtx-4090');
const GB = 1e9;

async function session(mode = 'classic', options: Partial<SandboxOptions> = {}) {
  // Mode ram is what prices bring along: the memory of their machine.
  const cache = mode === 'ram' ? undefined : parseCacheMode(mode);
  const sandbox = await startTestSandbox({ prices, ...(cache === undefined ? {} : { cache }), ...options });
  const run = async (graph: TestGraph): Promise<PromptCosts> => {
    const client = await connect(sandbox.url, 'c');
    const id = await submit(sandbox.url, graph, { client_id: 'c' });
    await client.ended(id);
    const costs = sandbox.ledger().find((row) => row.prompt_id === id)?.costs;
    if (costs === undefined) throw new Error('no costs were counted');
    return costs;
  };
  return { ...sandbox, run };
}

describe('costs of prompts in the sandbox', () => {
  it('loads a checkpoint for the first prompt and nothing for the next', async () => {
    const { run } = await session();
    const first = await run(textToImage(1, 20));
    // 6.94 GB from the disk; text encoders, diffusion model and VAE onto the card.
    expect(first).toMatchObject({ bytesRead: 6.94 * GB, bytesMoved: 6.94 * GB, modelLoads: 3, samplerSteps: 20 });
    expect(first.loading).toBeCloseTo(6.94 / 1.55 + 6.94 / 3.95, 6);
    const second = await run(textToImage(2, 20));
    expect(second).toMatchObject({ bytesRead: 0, bytesMoved: 0, modelLoads: 0, samplerSteps: 20, loading: 0 });
    const work = 20 * 0.1439 * ((128 * 128) / 1048576) + 0.016384 * (0.2178 + 0.277);
    expect(second.seconds).toBeCloseTo(work, 9);
    expect(Object.keys(second.nodes)).toEqual(['3', '8', '9']);
  });

  it('counts nothing for nodes that are cached', async () => {
    const { run } = await session();
    await run(textToImage(1));
    expect(await run(textToImage(1))).toMatchObject({ seconds: 0, samplerSteps: 0, nodes: {} });
  });

  it('moves a model onto the card again once its loader is out of the cache, and not while it is in', async () => {
    const other = { ...textToImage(1), '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd3.5_medium.safetensors' } } };
    for (const [mode, moved] of [
      ['classic', 6.94 * GB],
      ['ram', 0],
    ] as const) {
      const { run } = await session(mode);
      await run(textToImage(1));
      await run(other);
      expect(await run(textToImage(2))).toMatchObject({ bytesRead: 0, bytesMoved: moved });
    }
  });

  it('keeps files in the page cache over a restart of the server', async () => {
    const { run, restart } = await session();
    await run(textToImage(1));
    await restart();
    expect(await run(textToImage(1))).toMatchObject({ bytesRead: 0, bytesMoved: 6.94 * GB, samplerSteps: 4 });
  });

  it('empties the card when asked to unload models', async () => {
    const { run, url } = await session();
    await run(textToImage(1));
    await post(url, '/free', { unload_models: true });
    expect(await run(textToImage(2))).toMatchObject({ bytesRead: 0, modelLoads: 2 });
  });

  it('opens no LoRA and runs no ControlNet at strength 0', async () => {
    const { run } = await session();
    const graph = (lora: number, control: number): TestGraph => ({
      ...textToImage(1),
      '3': { class_type: 'KSampler', inputs: { ...textToImage(1)['3']?.inputs, model: ['20', 0], positive: ['22', 0] } },
      '20': {
        class_type: 'LoraLoader',
        inputs: { model: ['4', 0], clip: ['4', 1], lora_name: 'draft-style.safetensors', strength_model: lora, strength_clip: lora },
      },
      '21': { class_type: 'ControlNetLoader', inputs: { control_net_name: 'control_v11p_sd15_canny_fp16.safetensors' } },
      '22': {
        class_type: 'ControlNetApply',
        inputs: { conditioning: ['6', 0], control_net: ['21', 0], image: ['23', 0], strength: control },
      },
      '23': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
    });
    const without = await run(graph(0, 0));
    // The ControlNet's file is read all the same: its loader is a node of its own.
    expect(without.bytesRead).toBe(6.94 * GB + 0.723 * GB);
    const patched = await run(graph(1, 0));
    expect(patched).toMatchObject({ bytesRead: 0.149 * GB, bytesMoved: 5.14 * GB });
    const controlled = await run(graph(1, 1));
    expect(controlled.bytesMoved).toBe(0.723 * GB);
    expect((controlled.nodes['3']?.seconds ?? 0) - (controlled.nodes['3']?.loading ?? 0)).toBeCloseTo(
      1.49 * ((patched.nodes['3']?.seconds ?? 0) - (patched.nodes['3']?.loading ?? 0)),
      9,
    );
  });

  it('streams at every step what finds no room on the card', async () => {
    const small = { ...prices, vramBytes: 4 * GB };
    const { run } = await session('classic', { prices: small });
    const costs = await run(textToImage(1, 10));
    const streamed = (10 * (5.14 - 4) * GB) / prices.transferBytesPerSecond;
    const work = 10 * 0.1439 * ((128 * 128) / 1048576);
    expect(costs.nodes['3']?.seconds).toBeCloseTo(4 / 3.95 + work + streamed, 6);
  });

  it('gives the same figures for the same prompts', async () => {
    const figures = [];
    for (const run of [await session(), await session()].map((each) => each.run))
      figures.push([await run(textToImage(1)), await run(textToImage(2)), await run(textToImage(1))]);
    expect(figures[0]).toEqual(figures[1]);
  });

  it('writes costs into the ledger file, where a later process finds them', async () => {
    const { run, dir } = await session();
    const costs = await run(textToImage(1));
    const later = await startTestSandbox({ dir });
    expect(later.ledger()[0]?.costs).toEqual(costs);
  });

  it('counts no costs unless it is asked to', async () => {
    const { url, ledger } = await startTestSandbox();
    const client = await connect(url, 'c');
    await client.ended(await submit(url, textToImage(1), { client_id: 'c' }));
    expect(ledger()[0]).not.toHaveProperty('costs');
  });
});

describe('the cost model', () => {
  it('has two machines, of which the slower one takes longer for everything', () => {
    const slow = loadPrices(MODEL, 'rtx-3060');
    expect(loadPrices(MODEL).profile).toBe('rtx-4090');
    for (const [name, { stepSeconds }] of slow.families)
      expect(stepSeconds).toBeGreaterThan(prices.families.get(name)?.stepSeconds ?? Infinity);
    expect(slow.vramBytes).toBeLessThan(prices.vramBytes);
  });

  it('is refused with the place of what it lacks, or with the profiles it has', () => {
    expect(() => loadPrices(MODEL, 'rtx-9999')).toThrow(/no profile "rtx-9999"/);
    expect(() => loadPrices('/nowhere/costs.json')).toThrow(/could not be read/);
    expect(() => readPrices({ format: 2 })).toThrow(/format other than 1/);
    expect(() => readPrices({ format: 1, profiles: { x: {} } })).toThrow(/lacks a figure at profiles\/x\/decodeSecondsPerMegapixel/);
    expect(() => readPrices(undefined)).toThrow(/lacks a figure at format/);
  });
});
