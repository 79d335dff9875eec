// A backend that was taken over: it sends us elsewhere and answers what it likes. Nobody else is asked, and the daemon lives.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '#daemon/config.ts';
import { startDaemon } from '#daemon/daemon.ts';
import type { Daemon } from '#daemon/daemon.ts';
import { connect } from '#protocol/client.ts';
import type { Client } from '#protocol/client.ts';
import { METHODS } from '#protocol/methods/index.ts';
import { countCases } from '../count-cases.ts';
import { GRAPH, manifest } from '../daemon/exchange/exchange-harness.ts';
import { startFakeComfyUI } from '../fakes/fake-comfyui.ts';
import type { FakeComfyUI } from '../fakes/fake-comfyui.ts';

let dir = '';
let fake: FakeComfyUI;
let daemon: Daemon;
let client: Client;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-taken-'));
  mkdirSync(join(dir, 'templates', 'hero'), { recursive: true });
  writeFileSync(join(dir, 'templates', 'hero', 'template.json'), JSON.stringify(manifest('hero')));
  writeFileSync(join(dir, 'templates', 'hero', 'draw.json'), JSON.stringify(GRAPH));
  fake = await startFakeComfyUI();
});
afterEach(async () => {
  await client?.close();
  await daemon?.close();
  await fake.close();
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const env = { HOME: dir, CALLSHEET_DATA: join(dir, 'data'), CALLSHEET_RUNTIME_DIR: join(dir, 'rt'), CALLSHEET_LOG_LEVEL: 'silent' };
  daemon = await startDaemon(parseConfig({ templates: [join(dir, 'templates')], backends: [`farm:comfyui=${fake.url}`] }, env, dir));
  client = await connect(daemon.endpoint);
}

describe('[S24] a backend that redirects', () => {
  it.each([301, 302, 303, 307, 308])('with %i at every address leads to nobody', async (status) => {
    let asked = 0;
    const other = createServer((_request, response) => {
      asked += 1;
      response.end('{}');
    });
    other.on('upgrade', (_request, socket) => {
      asked += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await start();
    fake.misbehave({ path: /.*/, mode: { kind: 'reply', status, headers: { Location: `http://127.0.0.1:${port}/x` } } });
    await client.call('run/start', { template: 'hero', parameters: {} }).catch(() => undefined);
    await client.call('backend/free', { id: 'farm' }).catch(() => undefined);
    await client.call('template/check', { id: 'hero', backend: 'farm' }).catch(() => undefined);
    await expect.poll(async () => (await client.call('backend/list', {})).backends[0]?.status, { timeout: 20_000 }).not.toBe('ready');
    other.close();
    expect(asked).toBe(0);
  });
});

describe('[S23] the address of a backend', () => {
  it('can be set by no method, template or bundle: only by whoever starts the daemon', async () => {
    const takesAddress = Object.values(METHODS).filter(({ params }) =>
      /"(?:url|address|host|backends)"/.test(JSON.stringify(params.json['properties'] ?? {})),
    );
    expect(takesAddress.map(({ name }) => name)).toEqual([]);
    await start();
    const before = await client.call('backend/list', {});
    for (const more of [
      { backends: { evil: 'http://127.0.0.1:1' } },
      { backend: { url: 'http://127.0.0.1:1' } },
      { hooks: { after: 'id' } },
    ]) {
      const text = JSON.stringify({ ...manifest('evil'), ...more });
      mkdirSync(join(dir, 'evil'), { recursive: true });
      writeFileSync(join(dir, 'evil', 'template.json'), text);
      writeFileSync(join(dir, 'evil', 'draw.json'), JSON.stringify(GRAPH));
      const { files } = await client.call('template/check', { path: join(dir, 'evil') }).catch(() => ({ files: [{ ok: false }] }));
      expect(files).not.toEqual([]);
    }
    expect((await client.call('backend/list', {})).backends.map(({ id, url }) => [id, url])).toEqual(
      before.backends.map(({ id, url }) => [id, url]),
    );
  });

  it('that is our own door is no backend', async () => {
    await start();
    const { createComfyUIBackend } = await import('#backends/comfyui/backend.ts');
    const backend = createComfyUIBackend({ id: 'self', url: `http://127.0.0.1:${daemon.port}` });
    await expect(backend.describe()).rejects.toMatchObject({ code: expect.stringMatching(/^BACKEND_/) });
    await backend.close();
    expect((await client.call('daemon/status')).refused['token']).toBeGreaterThan(0);
  });
});

describe('[S26] a backend that answers anything', () => {
  const json = fc.json({ maxDepth: 6 }).map((text) => text.replaceAll('"a"', '"__proto__"'));
  const known = fc.oneof(
    fc.constant('{"prompt_id":7}'),
    fc.constant('{"queue_running":[[1]],"queue_pending":{}}'),
    fc.constant('{"exec_info":{"queue_remaining":"x"}}'),
    fc.constant('{"system":{"comfyui_version":{}},"devices":[null,{"vram_total":-1}]}'),
    fc.constant(`${'['.repeat(5000)}${']'.repeat(5000)}`),
    fc.constant('{"SaveImage":{"input":{"required":{"images":[[]]}},"output":null}}'),
    fc.constant('NaN'),
    fc.string({ unit: 'binary', maxLength: 200 }),
    json,
  );
  const replies = fc.record({
    body: known,
    status: fc.constantFrom(200, 200, 200, 201, 204, 400, 404, 500),
    type: fc.constantFrom('application/json', 'text/html', ''),
  });

  it('ends no daemon: runs fail or wait, and everybody is answered', async () => {
    await start();
    let cases = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(replies, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(/.*/, /object_info/, /prompt/, /queue|history/, /system_stats/),
        async (list, path) => {
          for (const { body, status, type } of list) {
            cases += 1;
            fake.misbehave({ path, times: 3, mode: { kind: 'reply', status, body, ...(type === '' ? {} : { type }) } });
          }
          await client.call('run/start', { template: 'hero', parameters: {}, cache: false }).catch(() => undefined);
          await client.call('backend/free', { id: 'farm' }).catch(() => undefined);
          expect(await client.call('ping')).toEqual({ ok: true });
          expect('polluted' in {}).toBe(false);
        },
      ),
      { numRuns: process.env['CALLSHEET_TEST_FULL'] === '1' ? 1000 : 100 },
    );
    countCases('replies', { cases });
    expect(await client.call('daemon/status')).toMatchObject({ storage: { status: 'ready' } });
  }, 600_000);
});
