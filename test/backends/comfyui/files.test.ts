/** Files in both directions: uploads by content, downloads as streams. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { InputFile } from '#backends/contract.ts';
import { connect, failure, startFake } from './harness.ts';

async function inputFile(content: string, name = 'Sky (final).PNG'): Promise<InputFile> {
  const dir = await mkdtemp(join(tmpdir(), 'callsheet-upload-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const path = join(dir, 'file');
  await writeFile(path, content);
  return { path, name, mediaType: 'image/png', sha256: createHash('sha256').update(content).digest('hex') };
}

describe('upload', () => {
  it('names a file by its content and keeps only the extension', async () => {
    const fake = await startFake();
    const file = await inputFile('blue');
    expect(await connect(fake.url).upload(file)).toBe(`callsheet-${file.sha256}.png`);
    expect(fake.files.get(`input//callsheet-${file.sha256}.png`)?.toString()).toBe('blue');
  });

  it('sends known content once, also when asked twice at the same time', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const file = await inputFile('blue');
    await Promise.all([backend.upload(file), backend.upload(file)]);
    await backend.upload(file);
    expect(fake.requests.filter((request) => request.path === '/upload/image')).toHaveLength(1);
  });

  it('goes on for one caller when another one gives the same upload up', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/upload/, times: 1, mode: { kind: 'hang' } });
    const backend = connect(fake.url);
    const file = await inputFile('blue');
    const controller = new AbortController();
    const given = failure(backend.upload(file, controller.signal));
    const kept = backend.upload(file);
    await fake.until(() => fake.requests.some((request) => request.path === '/upload/image'));
    controller.abort();
    expect((await given).code).toBe('CANCELLED');
    expect(await kept).toContain(file.sha256);
  });

  it('uses the name that the server gives, which differs when other bytes stand under ours (ComfyUI#13356)', async () => {
    const fake = await startFake();
    const file = await inputFile('blue');
    fake.files.set(`input//callsheet-${file.sha256}.png`, Buffer.from('other bytes'));
    expect(await connect(fake.url).upload(file)).toBe(`callsheet-${file.sha256} (1).png`);
  });

  it('puts the sub-folder that the server names before the name', async () => {
    const fake = await startFake();
    fake.misbehave({
      path: /^\/upload/,
      mode: { kind: 'reply', status: 200, type: 'application/json', body: '{"name":"a.png","subfolder":"in","type":"input"}' },
    });
    expect(await connect(fake.url).upload(await inputFile('blue'))).toBe('in/a.png');
  });

  it('sends again what could not be sent, and what a refused prompt may have missed', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const file = await inputFile('blue');
    fake.misbehave({ path: /^\/upload/, times: 1, mode: { kind: 'reply', status: 500, body: '' } });
    expect((await failure(backend.upload(file))).code).toBe('UPLOAD_FAILED');
    await backend.upload(file);
    fake.files.clear();
    await failure(
      backend.submit(
        { runId: 'r', step: 's', item: 0, attempt: 1, promptId: 'p', backendId: 'main' },
        { text: '{"1":{"class_type":"Gone","inputs":{}}}', outputNodes: [] },
      ),
    );
    await backend.upload(file);
    expect(fake.files.size).toBe(1);
  });

  it('says that the input file cannot be read', async () => {
    const fake = await startFake();
    const error = await failure(connect(fake.url).upload({ path: '/nowhere/x.png', name: 'x.png', mediaType: 'image/png', sha256: 'ab' }));
    expect(error.data).toMatchObject({ code: 'UPLOAD_FAILED', retryable: false });
  });

  it('names the setting to change when the file is too large (413)', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/upload/, mode: { kind: 'reply', status: 413, body: 'Maximum request body size exceeded' } });
    expect((await failure(connect(fake.url).upload(await inputFile('blue')))).data.hint).toContain('--max-upload-size');
  });

  it('finds the bare route behind a proxy that exposes only that', async () => {
    const fake = await startFake({ apiPrefix: false });
    const file = await inputFile('blue');
    expect(await connect(fake.url).upload(file)).toContain(file.sha256);
  });
});

describe('fetch', () => {
  const FILE = { node: '9', key: 'images', filename: 'a&b #1.png', subfolder: String.raw`sub\dir`, type: 'output' } as const;

  it('asks for a file by its own spelling, encoded, with the separators of the server', async () => {
    const fake = await startFake();
    fake.files.set(`output/${FILE.subfolder}/${FILE.filename}`, Buffer.from('picture'));
    const { stream, bytes, mediaType } = await connect(fake.url).fetch(FILE);
    expect([await text(stream), bytes, mediaType]).toEqual(['picture', 7, 'image/png']);
  });

  it('says that a preview is gone after a restart of ComfyUI', async () => {
    const fake = await startFake();
    const error = await failure(connect(fake.url).fetch({ ...FILE, type: 'temp' }));
    expect(error.data).toMatchObject({ code: 'OUTPUT_MISSING', node: '9' });
    expect(error.data.hint).toContain('restarts');
  });

  it('[S24] never follows a redirect to another server', async () => {
    const elsewhere = await startFake();
    const fake = await startFake();
    fake.misbehave({ path: /^\/view/, mode: { kind: 'reply', status: 301, headers: { Location: `${elsewhere.url}/view` } } });
    expect((await failure(connect(fake.url).fetch(FILE))).code).toBe('BACKEND_HTTP');
    expect(elsewhere.requests).toEqual([]);
  });

  it('fails the stream when the connection is cut in the middle', async () => {
    const fake = await startFake();
    fake.files.set(`output/${FILE.subfolder}/${FILE.filename}`, Buffer.alloc(100_000, 'x'));
    fake.misbehave({ path: /^\/view/, mode: { kind: 'cut' } });
    const { stream } = await connect(fake.url).fetch(FILE);
    await expect(text(stream)).rejects.toThrow(/aborted|reset/i);
  });
});

describe('what a server says about itself', () => {
  it('reads version, queue and features', async () => {
    const fake = await startFake();
    expect(await connect(fake.url).describe()).toEqual({
      version: '0.3.64',
      engine: { kind: 'comfyui', version: '0.3.64' },
      draft: false,
      queueRemaining: 0,
      capabilities: { supports_preview_metadata: true },
    });
    expect((await connect(fake.url, { kind: 'sandbox' }).describe()).draft).toBe(true);
  });

  it('reads the memory of the largest card, none where it computes on the processor, and no drafts', async () => {
    const cards = [
      { name: 'cuda:0', type: 'cuda', index: 0, vram_total: 8e9 },
      { name: 'cuda:1', type: 'cuda', index: 1, vram_total: 24e9 },
    ];
    const fake = await startFake({ devices: cards });
    expect((await connect(fake.url).describe()).vram).toBe(24e9);
    expect((await connect(fake.url, { kind: 'sandbox' }).describe()).vram).toBeUndefined();
    const slow = await startFake({ devices: [{ name: 'cpu', type: 'cpu', index: null, vram_total: 64e9 }] });
    expect((await connect(slow.url).describe()).vram).toBe(0);
    const strange = await startFake({ devices: [{ type: 'npu', vram_total: 'much' }] });
    expect((await connect(strange.url).describe()).vram).toBeUndefined();
  });

  it('keeps the object info, bare Infinity and all, and asks again when told to', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    expect(await backend.objectInfo()).toContain('Infinity');
    await backend.objectInfo();
    await backend.objectInfo({ refresh: true });
    expect(fake.requests.filter((request) => request.path === '/object_info')).toHaveLength(2);
  });

  it('gives the object info to everybody who asked, although the first of them gave up', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/object_info$/, times: 1, mode: { kind: 'delay', ms: 60 } });
    const backend = connect(fake.url);
    const controller = new AbortController();
    const first = failure(backend.objectInfo({ signal: controller.signal }));
    const second = backend.objectInfo();
    controller.abort();
    expect((await first).code).toBe('CANCELLED');
    expect(await second).toContain('SaveImage');
    expect(fake.requests.filter((request) => request.path === '/object_info')).toHaveLength(1);
  });

  it('lets somebody give up who waits for an object info that another asked for', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/object_info$/, times: 1, mode: { kind: 'hang' } });
    const backend = connect(fake.url);
    void failure(backend.objectInfo());
    const controller = new AbortController();
    const second = failure(backend.objectInfo({ signal: controller.signal }));
    controller.abort();
    expect((await second).code).toBe('CANCELLED');
  });

  it('asks for the object info again, and uploads again, after the server was away', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const file = await inputFile('a picture');
    await backend.objectInfo();
    await backend.upload(file);
    await fake.stop();
    expect((await failure(backend.describe())).code).toBe('BACKEND_UNREACHABLE');
    fake.files.clear();
    await fake.start();
    const body = '{"NewNode": {}}';
    fake.misbehave({ path: /^\/object_info$/, mode: { kind: 'reply', status: 200, type: 'application/json', body } });
    expect(await backend.objectInfo()).toBe(body);
    await backend.upload(file);
    expect(fake.files.size).toBe(1);
  });

  it('answers questions while many downloads hang', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/view$/, mode: { kind: 'hang' } });
    const backend = connect(fake.url);
    const controller = new AbortController();
    const file = { node: '1', key: 'images', filename: 'a.png', subfolder: '', type: 'output' } as const;
    const fetches = Array.from({ length: 40 }, () => failure(backend.fetch(file, controller.signal)));
    await fake.until(() => fake.requests.some(({ path }) => path === '/view'));
    expect((await backend.describe()).version).toBe('0.3.64');
    controller.abort();
    expect((await Promise.all(fetches)).every(({ code }) => code === 'CANCELLED')).toBe(true);
  });

  it('does not keep an object info that could not be read', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/object_info$/, times: 1, mode: { kind: 'reply', status: 200, type: 'text/html', body: '<html>' } });
    const backend = connect(fake.url);
    expect((await failure(backend.objectInfo())).code).toBe('BACKEND_NOT_COMFYUI');
    expect(await backend.objectInfo()).toContain('SaveImage');
  });

  it.each([
    [{ kind: 'reply', status: 200, type: 'text/html', body: '<html></html>' } as const],
    [{ kind: 'reply', status: 404, type: 'text/plain', body: 'Not Found' } as const],
    [{ kind: 'reply', status: 200, type: 'application/json', body: '{"system": 5}' } as const],
  ])('says that something else answers at the address (%j)', async (mode) => {
    const fake = await startFake();
    fake.misbehave({ path: /.*/, mode });
    expect((await failure(connect(fake.url).describe())).code).toBe('BACKEND_NOT_COMFYUI');
  });
});
