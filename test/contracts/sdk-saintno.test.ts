/** The npm client @saintno/comfyui-sdk, unchanged, against the sandbox at its default pace. */
import { CallWrapper, ComfyApi, PromptBuilder } from '@saintno/comfyui-sdk';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTestSandbox, textToImage } from '../backends/sandbox/graphs.ts';

interface ImageInfo {
  filename: string;
  subfolder: string;
  type: string;
}
interface Images {
  images?: ImageInfo[];
}

async function connected(): Promise<ComfyApi> {
  const { url } = await startTestSandbox({}, 'default');
  const api = new ComfyApi(url).init();
  onTestFinished(() => api.destroy());
  await api.waitForReady();
  return api;
}

function builder(seed: number) {
  // The client's types want a title on every node.
  const graph = Object.fromEntries(Object.entries(textToImage()).map(([id, node]) => [id, { ...node, _meta: { title: node.class_type } }]));
  return new PromptBuilder(graph, ['seed'], ['images'])
    .setInputNode('seed', '3.inputs.seed')
    .setOutputNode('images', '9')
    .input('seed', seed);
}

/** The client gives outputs without a type. */
function pictures(output: unknown): Images {
  if (typeof output !== 'object' || output === null || !('images' in output) || !Array.isArray(output.images)) return {};
  return { images: output.images.filter((item): item is ImageInfo => typeof item === 'object' && item !== null && 'filename' in item) };
}

async function run(api: ComfyApi, seed: number): Promise<Images> {
  const failures: Error[] = [];
  const result = await new CallWrapper(api, builder(seed)).onFailed((error) => void failures.push(error)).run();
  expect(failures).toEqual([]);
  if (result === undefined || result === false) throw new Error('the client gave up');
  return pictures(result.images);
}

describe('@saintno/comfyui-sdk against the sandbox', () => {
  it('runs a graph to its end and fetches the picture', async () => {
    const api = await connected();
    const { images } = await run(api, 42);
    expect(images).toHaveLength(1);
    const [image] = images ?? [];
    if (image === undefined) throw new Error('no picture');
    const bytes = new Uint8Array(await (await api.getImage(image)).arrayBuffer());
    expect(Buffer.from(bytes.subarray(1, 4)).toString()).toBe('PNG');
  });

  it('takes a graph that is wholly served from the cache as finished', async () => {
    const api = await connected();
    const first = await run(api, 5);
    const second = await run(api, 5);
    expect(second.images?.[0]?.filename).toBe(first.images?.[0]?.filename);
  });

  it('reads checkpoints and LoRAs', async () => {
    const api = await connected();
    expect(await api.getCheckpoints()).toContain('sd_xl_base_1.0.safetensors');
    expect(await api.getLoras()).not.toHaveLength(0);
    expect((await api.getSamplerInfo()).sampler).toBeDefined();
  });
});
