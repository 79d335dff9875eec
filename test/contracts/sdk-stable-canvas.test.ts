/** The npm client @stable-canvas/comfyui-client, unchanged, against the sandbox at its default pace. */
import { Client } from '@stable-canvas/comfyui-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startTestSandbox, textToImage } from '../backends/sandbox/graphs.ts';

const PNG = [0x89, 0x50, 0x4e, 0x47];

async function connected(): Promise<Client> {
  const { port } = await startTestSandbox({}, 'default');
  const client = new Client({ api_host: `127.0.0.1:${port}`, WebSocket: WebSocket, fetch });
  onTestFinished(() => client.close());
  await client.connect();
  return client;
}

describe('@stable-canvas/comfyui-client against the sandbox', () => {
  it('runs a graph to its end over the socket and fetches the picture', async () => {
    const client = await connected();
    const ticks: number[] = [];
    const result = await client.enqueue(textToImage(), { progress: ({ value }: { value: number }) => void ticks.push(value) });
    // The client counts every preview that came over the socket as a picture, too.
    const saved = result.images.filter((image) => image.type === 'url');
    expect(saved).toHaveLength(1);
    const bytes = new Uint8Array(await (await fetch(saved[0]?.data ?? '')).arrayBuffer());
    expect([...bytes.subarray(0, 4)]).toEqual(PNG);
    expect(ticks.at(-1)).toBe(4);
  });

  it('runs a graph to its end by polling', async () => {
    const client = await connected();
    const result = await client.enqueue_polling(textToImage(7));
    expect(result.images).toHaveLength(1);
  });

  it('reads samplers, schedulers and model lists', async () => {
    const client = await connected();
    expect(await client.getSamplers()).toContain('euler');
    expect(await client.getSchedulers()).toContain('karras');
    expect(await client.getSDModels()).toContain('sd_xl_base_1.0.safetensors');
    expect(await client.getLoRAs()).not.toHaveLength(0);
    expect(await client.getVAEs()).not.toHaveLength(0);
    expect(await client.getUpscaleModels()).not.toHaveLength(0);
    expect(await client.getCNetModels()).not.toHaveLength(0);
  });
});
