import { writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { at, call, connect, submit, type Answer } from './client.ts';
import { plainColour, startTestSandbox, textToImage } from './graphs.ts';

async function send(
  url: string,
  name: string,
  content: string | Buffer<ArrayBuffer>,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) form.append(key, value);
  form.append('image', new Blob([content]), name);
  return await call(url, '/upload/image', { method: 'POST', body: form });
}

async function colour(red: number): Promise<Buffer<ArrayBuffer>> {
  const bytes = await sharp({ create: { width: 6, height: 4, channels: 4, background: { r: red, g: 20, b: 30, alpha: 0.5 } } })
    .png()
    .toBuffer();
  return Buffer.from(new Uint8Array(bytes));
}

describe('files of the sandbox', () => {
  it('reuses equal bytes under a name, numbers different ones, and overwrites on request', async () => {
    const { url } = await startTestSandbox();
    const name = async (content: string, fields = {}): Promise<unknown> => at((await send(url, 'a.bin', content, fields)).json, 'name');
    expect(await name('one')).toBe('a.bin');
    expect(await name('one')).toBe('a.bin');
    expect(await name('two')).toBe('a (1).bin');
    expect(await name('two')).toBe('a (1).bin');
    expect(await name('three')).toBe('a (2).bin');
    expect(await name('four', { overwrite: 'true' })).toBe('a.bin');
    expect((await send(url, 'a.bin', 'x', { subfolder: 'deep/er', type: 'temp' })).json).toEqual({
      name: 'a.bin',
      subfolder: 'deep/er',
      type: 'temp',
    });
    expect((await send(url, 'a.bin', 'x', { type: 'user' })).status).toBe(500);
  });

  it('refuses a form without a file and a body that is no form', async () => {
    const { url } = await startTestSandbox();
    const form = new FormData();
    form.append('overwrite', 'true');
    expect((await call(url, '/upload/image', { method: 'POST', body: form })).status).toBe(400);
    expect((await call(url, '/upload/image', { method: 'POST', body: 'x' })).status).toBe(400);
  });

  it('shows a file whose name has letters beyond Latin-1', async () => {
    const { url } = await startTestSandbox();
    const png = await colour(10);
    await send(url, '東京 Zürich.png', png);
    const answer = await fetch(`${url}/view?filename=${encodeURIComponent('東京 Zürich.png')}&type=input`);
    expect(Buffer.from(answer.headers.get('content-disposition') ?? '', 'latin1').toString('utf8')).toBe('filename="東京 Zürich.png"');
    expect(Buffer.from(await answer.arrayBuffer()).equals(png)).toBe(true);
  });

  it('shows files whole, in part, re-encoded, and by channel', async () => {
    const { url } = await startTestSandbox();
    const png = await colour(200);
    await send(url, 'a.png', png);
    const view = `${url}/view?filename=a.png&type=input`;
    const whole = await fetch(view);
    expect(whole.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await whole.arrayBuffer()).equals(png)).toBe(true);
    const part = await fetch(view, { headers: { range: 'bytes=1-3' } });
    expect([part.status, await part.text()]).toEqual([206, 'PNG']);
    expect((await fetch(`${url}/view?filename=${encodeURIComponent('a.png [input]')}`)).status).toBe(200);
    const formatOf = async (query: string): Promise<unknown> => {
      const { format, channels } = await sharp(await (await fetch(`${view}&${query}`)).arrayBuffer()).metadata();
      return [format, channels];
    };
    expect(await formatOf('preview=webp;80')).toEqual(['webp', 4]);
    expect(await formatOf('preview=jpeg')).toEqual(['jpeg', 3]);
    expect(await formatOf('channel=rgb')).toEqual(['png', 3]);
    expect(await formatOf('channel=a')).toEqual(['png', 4]);
  });

  it('hands out what a browser could execute as a download', async () => {
    const { url, dir } = await startTestSandbox();
    for (const name of ['x.html', 'x.svg', 'x.js', 'x.unknown']) {
      writeFileSync(path.join(dir, 'output', name), '<script>');
      const response = await fetch(`${url}/view?filename=${name}`);
      expect(response.headers.get('content-type')).toBe('application/octet-stream');
      expect(response.headers.get('content-disposition')).toContain('attachment');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('continues the counter of a prefix from what lies in the folder', async () => {
    const { url, dir } = await startTestSandbox();
    mkdirSync(path.join(dir, 'output', 'shot'), { recursive: true });
    writeFileSync(path.join(dir, 'output', 'shot', 'frame_00041_.png'), '');
    const client = await connect(url, 'c');
    const id = await submit(url, plainColour(1, 'shot/frame'), { client_id: 'c' });
    await client.ended(id);
    expect(at((await call(url, `/history/${id}`)).json, id, 'outputs', '2', 'images', 0, 'filename')).toBe('frame_00042_.png');
  });

  it('keeps user data, lists it and moves it', async () => {
    const { url } = await startTestSandbox();
    const file = '/userdata/workflows%2Fa.json';
    expect((await call(url, file, { method: 'POST', body: '{}' })).status).toBe(200);
    expect((await call(url, `${file}?overwrite=false`, { method: 'POST', body: '{}' })).status).toBe(409);
    expect((await call(url, '/userdata?dir=workflows')).json).toEqual(['a.json']);
    expect((await call(url, `${file}/move/workflows%2Fb.json`, { method: 'POST' })).status).toBe(200);
    expect((await call(url, file)).status).toBe(404);
    expect((await call(url, '/userdata/workflows%2Fb.json', { method: 'DELETE' })).status).toBe(204);
    expect((await call(url, '/userdata')).status).toBe(400);
  });

  it('marks drafts in history and in the file, keeps the graph inside, and draws the same card twice', async () => {
    const { url } = await startTestSandbox();
    const client = await connect(url, 'c');
    const save = async (prefix: string): Promise<{ image: unknown; bytes: Buffer }> => {
      await fetch(`${url}/free`, { method: 'POST', body: '{"free_memory":true}' });
      const graph = textToImage('18446744073709551615');
      graph['9'] = { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: prefix } };
      const id = await submit(url, graph, { client_id: 'c', extra_data: { extra_pnginfo: { workflow: { nodes: [] } } } });
      await client.ended(id);
      const image = at((await call(url, `/history/${id}`)).json, id, 'outputs', '9', 'images', 0);
      const bytes = await (await fetch(`${url}/view?filename=${prefix}_00001_.png`)).arrayBuffer();
      return { image, bytes: Buffer.from(bytes) };
    };
    const one = await save('one');
    const two = await save('two');
    expect(one.image).toMatchObject({ draft: true });
    expect(one.bytes.includes('tEXtcallsheet\0{"draft":true')).toBe(true);
    expect(one.bytes.includes('tEXtworkflow\0{"nodes":[]}')).toBe(true);
    expect(one.bytes.includes('18446744073709551615')).toBe(true);
    const pixels = async (bytes: Buffer): Promise<Buffer> => await sharp(bytes).raw().toBuffer();
    expect((await pixels(one.bytes)).equals(await pixels(two.bytes))).toBe(true);
  });

  it('keeps a draft a draft through pixel nodes and through files', async () => {
    const { url } = await startTestSandbox();
    const client = await connect(url, 'c');
    await client.ended(await submit(url, textToImage(), { client_id: 'c' }));
    const id = await submit(
      url,
      {
        '1': { class_type: 'LoadImage', inputs: { image: 'ComfyUI_00001_.png [output]' } },
        '2': { class_type: 'EmptyImage', inputs: { width: 200, height: 200, batch_size: 1, color: 0 } },
        '3': { class_type: 'ImageCompositeMasked', inputs: { destination: ['2', 0], source: ['1', 0], x: 4, y: 4, resize_source: false } },
        '4': { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'mixed' } },
        '5': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'pure' } },
      },
      { client_id: 'c' },
    );
    await client.ended(id);
    const { json } = await call(url, `/history/${id}`);
    expect(at(json, id, 'outputs', '4', 'images', 0, 'draft')).toBe(true);
    expect(at(json, id, 'outputs', '5', 'images', 0, 'draft')).toBeUndefined();
  });
});
