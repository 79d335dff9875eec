// What a media parameter can make the daemon read and send away: files of the right kind in approved roots, to this machine; elsewhere only with consent.
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '#daemon/config.ts';
import { isElsewhere, openConsents } from '#daemon/consent/consents.ts';
import { startDaemon } from '#daemon/daemon.ts';
import type { Daemon } from '#daemon/daemon.ts';
import { connect } from '#protocol/client.ts';
import type { Client } from '#protocol/client.ts';
import type { CallsheetError } from '#protocol/errors.ts';
import { countCases } from '../count-cases.ts';
import { startFakeComfyUI } from '../fakes/fake-comfyui.ts';
import type { FakeComfyUI } from '../fakes/fake-comfyui.ts';

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=', 'base64');
const WITH_PHOTO = {
  '1': { class_type: 'LoadImage', inputs: { image: 'x.png' } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'out' } },
};
const WITHOUT = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'out' } },
};

let dir = '';
let near: FakeComfyUI;
let far: FakeComfyUI;
let daemon: Daemon;
let client: Client;
const leaks = { tried: 0, leaked: 0 };
const at = (...parts: string[]): string => join(dir, ...parts);
const uploadsOf = (fake: FakeComfyUI) => fake.requests.filter(({ path }) => path === '/upload/image');

function template(id: string, parameters: object, set: object, graph: object): void {
  mkdirSync(at('templates', id), { recursive: true });
  const step = { id: 'draw', workflow: 'draw.json', set, outputs: { out: '2' } };
  const manifest = { format: 1, id, version: '1.0.0', parameters, steps: [step], outputs: { out: { from: '{steps.draw.out}' } } };
  writeFileSync(at('templates', id, 'template.json'), JSON.stringify(manifest));
  writeFileSync(at('templates', id, 'draw.json'), JSON.stringify(graph));
}

async function start(backends: readonly string[]): Promise<void> {
  const env = { HOME: dir, CALLSHEET_DATA: at('data'), CALLSHEET_RUNTIME_DIR: at('rt'), CALLSHEET_LOG_LEVEL: 'info' };
  const config = parseConfig({ templates: [at('templates')], roots: [at('root')], backends }, env, at('root'));
  daemon = await startDaemon({ ...config, logToTerminal: false });
  client = await connect(daemon.endpoint);
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-files-'));
  for (const folder of ['root/deep', 'outside', 'rootling']) mkdirSync(at(folder), { recursive: true });
  for (const file of ['root/a.png', 'outside/a.png', 'rootling/a.png']) writeFileSync(at(file), PNG);
  template('photo', { photo: { type: 'image' } }, { '1.image': '{photo}' }, WITH_PHOTO);
  template('photo-maybe', { photo: { type: 'image', default: null } }, { '1.image': '{photo}' }, WITH_PHOTO);
  template('plain', { name: { type: 'string', default: 'x' } }, { '2.filename_prefix': '{name}' }, WITHOUT);
  template('any-file', { photo: { type: 'file' } }, { '1.image': '{photo}' }, WITH_PHOTO);
  near = await startFakeComfyUI();
  far = await startFakeComfyUI();
});
afterEach(async () => {
  await client?.close();
  await daemon?.close();
  await Promise.all([near.close(), far.close()]);
  rmSync(dir, { recursive: true, force: true });
});
afterAll(() => countCases('file reads', leaks));

/** Linux leads this address to the loopback; for Callsheet it is none, so it is another machine. */
const elsewhere = (fake: FakeComfyUI): string => fake.url.replace('127.0.0.1', '0.0.0.0');
const photo = (path = at('root/a.png')) => ({ photo: path });

describe('[S25] a file for a backend on another machine', () => {
  it('is not sent before somebody has allowed it, which is then kept and can be taken back', async () => {
    await start([`far:comfyui=${elsewhere(far)}`]);
    const request = { template: 'photo', parameters: photo() };
    const refusal = await client.call('run/start', request).catch((error: CallsheetError) => error.data);
    expect(JSON.parse(JSON.stringify(refusal))).toMatchObject({
      code: 'TEMPLATE_NOT_RUNNABLE',
      problems: [{ code: 'CONSENT_NEEDED', parameter: 'photo', hint: 'Allow it once: callsheet backends allow far' }],
    });
    expect(await client.call('backend/list', {})).toMatchObject({ backends: [{ id: 'far', takesFiles: false }] });
    expect(uploadsOf(far)).toEqual([]);
    expect(await client.call('backend/allow', { id: 'far', allowed: true })).toEqual({ id: 'far', url: elsewhere(far), takesFiles: true });
    await client.call('run/start', request);
    await expect.poll(() => uploadsOf(far).length).toBe(1);
    expect(uploadsOf(far)[0]?.body.includes(PNG)).toBe(true);
    await client.close();
    await daemon.close();
    const log = readFileSync(at('data/log/callsheet.log'), 'utf8');
    expect(log).toContain('"msg":"a person decided whether files may be sent to a backend on another machine"');
    expect(log).toMatch(/"path":"[^"]*root\/a\.png".*"msg":"a file is sent to another machine"/);
    await start([`far:comfyui=${elsewhere(far)}`]);
    expect(await client.call('backend/list', {})).toMatchObject({ backends: [{ id: 'far', takesFiles: true }] });
    expect(await client.call('backend/allow', { id: 'far', allowed: false })).toMatchObject({ takesFiles: false });
    await expect(client.call('run/start', request)).rejects.toThrow('another machine');
    await expect(client.call('backend/allow', { id: 'none', allowed: true })).rejects.toMatchObject({ code: 'BACKEND_NOT_FOUND' });
  });

  it('goes to the backend on this machine instead where there is one, and what has no file goes anywhere', async () => {
    await start([`far:comfyui=${elsewhere(far)}`, `near:comfyui=${near.url}`]);
    for (const name of ['photo', 'photo-maybe']) {
      for (let nth = 0; nth < 3; nth += 1) await client.call('run/start', { template: name, parameters: photo(), cache: false });
    }
    await expect.poll(() => near.engine.ledger.length + near.requests.filter(({ path }) => path === '/prompt').length).toBeGreaterThan(0);
    expect(uploadsOf(near).length).toBeGreaterThan(0);
    expect(uploadsOf(far)).toEqual([]);
    await expect(client.call('run/start', { template: 'photo', parameters: photo(), backend: 'far' })).rejects.toThrow('another machine');
    await client.call('run/start', { template: 'plain', parameters: {}, backend: 'far' });
    await expect.poll(() => far.requests.filter(({ method, path }) => method === 'POST' && path === '/prompt').length).toBe(1);
    expect(await client.call('backend/list', {})).toMatchObject({
      backends: [{ id: 'far', takesFiles: false }, expect.not.objectContaining({ takesFiles: expect.anything() })],
    });
    expect(uploadsOf(far)).toEqual([]);
  });

  it.each([
    ['http://127.0.0.1:8188', false],
    ['http://127.9.9.9:8188', false],
    ['http://127.1:8188', false],
    ['http://localhost:8188', false],
    ['http://[::1]:8188', false],
    ['http://0.0.0.0:8188', true],
    ['http://10.0.0.5:8188', true],
    ['http://127.0.0.1.nip.io:8188', true],
    ['http://localhost.evil.test', true],
    ['http://my-localhost:8188', true],
    ['https://gpu.example.com', true],
    ['http://[::ffff:127.0.0.1]:8188', true],
  ])('%s is elsewhere: %s', (url, expected) => {
    expect(isElsewhere(url)).toBe(expected);
  });

  it.each([
    '',
    '{',
    '[]',
    'null',
    '{"format":2,"files":[]}',
    '{"format":1,"files":{}}',
    '{"format":1,"files":[{"url":1,"at":1},null,"x"]}',
  ])('has no consent from a damaged file: %j', (text) => {
    const file = at('consents.json');
    writeFileSync(file, text);
    const consents = openConsents(file, { warn: () => undefined, info: () => undefined });
    expect([consents.allows('http://10.0.0.5:8188'), consents.allows('http://127.0.0.1:1')]).toEqual([false, true]);
  });
});

describe('[S25] a media parameter', () => {
  it('sends no byte of what lies outside the roots or is of another kind', async () => {
    writeFileSync(at('outside/secret'), 'SECRET');
    writeFileSync(at('root/id_rsa'), 'ssh-rsa AAAA SECRET');
    writeFileSync(at('root/renamed.png'), 'ssh-rsa AAAA SECRET');
    writeFileSync(at('root/page.svg'), '<svg xmlns="http://www.w3.org/2000/svg">SECRET</svg>');
    writeFileSync(at('root/page.html'), '<html>SECRET</html>');
    writeFileSync(at('root/empty.png'), '');
    symlinkSync(at('outside/a.png'), at('root/link.png'));
    symlinkSync(at('outside'), at('root/linked'));
    symlinkSync('/proc/self/environ', at('root/environ.png'));
    symlinkSync(at('root/loop.png'), at('root/loop.png'));
    linkSync(at('outside/secret'), at('root/hard.png'));
    execFileSync('mkfifo', [at('root/pipe.png')]);
    mkdirSync(at('root/folder.png'));
    await start([`near:comfyui=${near.url}`]);
    const paths = [
      '/etc/passwd',
      '/etc/shadow',
      '/proc/self/environ',
      '/proc/self/cmdline',
      '/proc/1/maps',
      '/dev/zero',
      '/dev/stdin',
      '/',
      '',
      '.',
      '..',
      'a.png',
      './a.png',
      '../outside/a.png',
      '~/a.png',
      '$HOME/a.png',
      '%2e%2e/a.png',
      'file:///etc/passwd',
      'http://127.0.0.1/a.png',
      '\\\\server\\share\\a.png',
      '\\\\?\\C:\\a.png',
      'C:\\a.png',
      'C:a.png',
      join(homedir(), '.ssh/id_rsa'),
      at('rt/runtime.json'),
      daemon.runtimeFile,
      at('data/callsheet.db'),
      at('data/log/callsheet.log'),
      at('outside/a.png'),
      at('rootling/a.png'),
      `${at('root')}/../outside/a.png`,
      `${at('root')}/deep/../../rootling/a.png`,
      at('root/link.png'),
      at('root/linked/a.png'),
      at('root/environ.png'),
      at('root/loop.png'),
      at('root/hard.png'),
      at('root/pipe.png'),
      at('root/folder.png'),
      at('root/id_rsa'),
      at('root/renamed.png'),
      at('root/page.svg'),
      at('root/page.html'),
      at('root/empty.png'),
      `${at('root/a.png')}\0`,
      `${at('root/a.png')}\0.png`,
      at('root/missing.png'),
      'asset:',
      'asset:x',
      'asset:../x',
      'asset:/etc/passwd',
    ];
    for (const path of paths) {
      leaks.tried += 1;
      const before = near.requests.length;
      const outcome = await client.call('run/start', { template: 'photo', parameters: photo(path) }).then(
        () => 'taken',
        (error: { code?: string }) => error.code,
      );
      expect([path, outcome]).toEqual([path, 'PARAMETERS_INVALID']);
      leaks.leaked += near.requests.slice(before).reduce((sum, { body }) => sum + (body.includes('SECRET') ? body.length : 0), 0);
    }
    expect(near.requests.filter(({ method }) => method === 'POST')).toEqual([]);
    expect(leaks.leaked).toBe(0);
    expect((await client.call('run/list', {})).runs).toEqual([]);
  });

  it('that was exchanged for a link after it was checked is not followed', async () => {
    writeFileSync(at('outside/secret.png'), Buffer.concat([PNG, Buffer.from('SECRET')]));
    await start([`near:comfyui=${near.url}`]);
    await client.call('queue/pause', {});
    const { runId } = await client.call('run/start', { template: 'photo', parameters: photo() });
    rmSync(at('root/a.png'));
    symlinkSync(at('outside/secret.png'), at('root/a.png'));
    await client.call('queue/resume', {});
    await expect.poll(async () => (await client.call('run/get', { runId })).run.status).toBe('failed');
    expect(near.requests.some(({ body }) => body.includes('SECRET'))).toBe(false);
  });

  it('that was exchanged for another file after it was checked is not used', async () => {
    await start([`near:comfyui=${near.url}`]);
    await client.call('queue/pause', {});
    const { runId } = await client.call('run/start', { template: 'photo', parameters: photo() });
    writeFileSync(at('root/a.png'), Buffer.concat([PNG, Buffer.from('other')]));
    await client.call('queue/resume', {});
    await expect.poll(async () => (await client.call('run/get', { runId })).run.status).toBe('failed');
    expect(near.requests.some(({ method, path }) => method === 'POST' && path === '/prompt')).toBe(false);
  });
});
