import { request } from 'node:http';
import { existsSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { at, call, post } from './client.ts';
import { plainColour, startTestSandbox } from './graphs.ts';

/** fetch sets Host itself; this does not. */
async function statusOf(port: number, headers: Record<string, string>, target = '/prompt'): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request({ host: '127.0.0.1', port, path: target, headers }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })
    .on('error', reject)
    .end();
  return await promise;
}

async function upgradeStatus(url: string, headers: Record<string, string>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
  socket.on('open', () => {
    socket.terminate();
    resolve(101);
  });
  socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
  socket.on('error', () => undefined);
  return await promise;
}

describe('the gates of the sandbox', () => {
  it('answers only to its own loopback names', async () => {
    const { port } = await startTestSandbox();
    expect(await statusOf(port, { host: `127.0.0.1:${port}` })).toBe(200);
    expect(await statusOf(port, { host: `localhost:${port}` })).toBe(200);
    for (const host of [`evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port}.evil.example`, `LOCALHOST:${port}`]) {
      expect(await statusOf(port, { host })).toBe(403);
    }
  });

  it('refuses pages of other origins over HTTP and WebSocket', async () => {
    const { port, url } = await startTestSandbox({ allowedOrigins: ['http://127.0.0.1:5173'] });
    const host = `127.0.0.1:${port}`;
    for (const origin of ['null', 'http://evil.example', `https://${host}`, 'http://127.0.0.1', `${url}.evil.example`]) {
      expect(await statusOf(port, { host, origin })).toBe(403);
      expect(await upgradeStatus(url, { origin })).toBe(403);
    }
    expect(await statusOf(port, { host, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await statusOf(port, { host, origin: url })).toBe(200);
    expect(await statusOf(port, { host, origin: 'http://127.0.0.1:5173' })).toBe(200);
    expect(await upgradeStatus(url, { origin: url })).toBe(101);
  });

  it('demands its secret on every request and upgrade when it has one', async () => {
    const { url } = await startTestSandbox({ secret: { header: 'X-Secret', value: 'abc' } });
    for (const target of ['/prompt', '/api/queue', '/view?filename=x.png', '/nowhere', '/sandbox/ledger']) {
      expect((await call(url, target)).status).toBe(403);
      expect((await call(url, target, { headers: { 'x-secret': 'abd' } })).status).toBe(403);
      expect((await call(url, target, { headers: { 'x-secret': 'abc' } })).status).not.toBe(403);
    }
    expect(await upgradeStatus(url, {})).toBe(403);
    expect(await upgradeStatus(url, { 'x-secret': 'abc' })).toBe(101);
  });

  it('reads nothing outside its folder', async () => {
    const { url, dir } = await startTestSandbox();
    writeFileSync(path.join(dir, 'ledger.jsonl'), 'secret\n');
    symlinkSync(tmpdir(), path.join(dir, 'output', 'link'));
    const targets = [
      '/view?filename=../ledger.jsonl',
      '/view?filename=/etc/passwd',
      '/view?filename=ledger.jsonl&subfolder=..',
      '/view?filename=ledger.jsonl&subfolder=..%2F',
      '/view?filename=passwd&subfolder=/etc',
      '/view?filename=x&type=user',
      '/view?filename=x&subfolder=link',
      '/userdata/..%2F..%2Fledger.jsonl',
    ];
    for (const target of targets) {
      const { status } = await call(url, target);
      expect({ target, refused: [400, 403, 404].includes(status) }).toEqual({ target, refused: true });
    }
    const loaded = {
      '1': { class_type: 'LoadImage', inputs: { image: '../ledger.jsonl' } },
      '2': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
    };
    expect((await post(url, '/prompt', { prompt: loaded })).status).toBe(400);
  });

  it('writes nothing outside its folder', async () => {
    const { url, dir, ledger } = await startTestSandbox();
    const before = readdirSync(path.dirname(dir));
    for (const prefix of ['../escape', '/tmp/escape', 'a/../../escape', '..\\escape']) {
      await post(url, '/prompt', { prompt: plainColour(1, prefix) });
    }
    const form = new FormData();
    form.append('image', new Blob(['x']), '..%2Fescape.png');
    form.append('subfolder', '../..');
    expect((await call(url, '/upload/image', { method: 'POST', body: form })).status).toBe(400);
    expect((await call(url, '/userdata/..%2Fescape', { method: 'POST', body: 'x' })).status).toBe(403);
    await expect.poll(() => ledger().filter(({ outcome }) => outcome === 'error').length).toBe(4);
    expect(readdirSync(path.dirname(dir)).filter((name) => name.includes('escape') && !before.includes(name))).toEqual([]);
    expect(existsSync(path.join(dir, 'escape_00001_.png'))).toBe(false);
  });

  it('answers JSON to whatever goes wrong', async () => {
    const { url } = await startTestSandbox();
    const answers = [
      await call(url, '/nowhere'),
      await call(url, '/prompt', { method: 'DELETE' }),
      await call(url, '/prompt', { method: 'POST', body: '{"prompt":' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 405, 500]);
    for (const { json } of answers) expect(at(json, 'error')).toBeTypeOf('string');
  });
});
