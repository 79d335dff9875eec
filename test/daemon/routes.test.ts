import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContention } from '#daemon/contention.ts';
import { createRoutes } from '#daemon/routes.ts';
import { sweepUploads } from '#daemon/uploads.ts';
import { openTestDoor, raw, statusOf } from './door-harness.ts';
import type { TestDoor } from './door-harness.ts';

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(5000, 7)]);
const quiet = { info: () => undefined, warn: () => undefined };
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const openDoor = (cap = 1_000_000, stall = 5000) =>
  openTestDoor({
    routes: ({ dir, store }) =>
      createRoutes({
        assetDir: join(dir, 'assets'),
        store,
        contention: createContention(quiet),
        storage: () => ({ status: 'ready' }),
        cap,
        stall,
      }),
  });

interface Ask {
  readonly method?: string;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly scope?: 'read' | 'run' | 'admin';
}

function ask(door: TestDoor, path: string, init: Ask = {}): Promise<Response> {
  const key = door.auth.keyOf(init.scope ?? 'admin');
  return fetch(`http://${door.host}${path}`, { ...init, headers: { Authorization: `Bearer ${key}`, ...init.headers } });
}

function upload(
  door: TestDoor,
  body: Buffer,
  headers: Record<string, string> = {},
  scope: 'read' | 'run' | 'admin' = 'run',
): Promise<Response> {
  return ask(door, '/uploads', {
    method: 'POST',
    scope,
    body: new Uint8Array(body),
    headers: { 'Content-Type': 'application/octet-stream', ...headers },
  });
}

const filesOf = (door: TestDoor): string[] => {
  try {
    return readdirSync(join(door.dir, 'assets'));
  } catch {
    return [];
  }
};

describe('POST /uploads', () => {
  it('keeps the bytes under their hash and answers the asset id', async () => {
    await using door = await openDoor();
    const answer = await upload(door, PNG, { 'Callsheet-Name': encodeURIComponent('Käse & Brot.png') });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({ assetId: sha256(PNG) });
    expect(door.store.asset(sha256(PNG))).toMatchObject({
      name: 'Käse & Brot.png',
      mediaType: 'image/png',
      bytes: PNG.length,
      sha256: sha256(PNG),
    });
    expect(filesOf(door)).toEqual([`${sha256(PNG)}.png`]);
  });

  it('takes the same bytes twice as one', async () => {
    await using door = await openDoor();
    await upload(door, PNG, { 'Callsheet-Name': 'a.png' });
    expect((await upload(door, PNG, { 'Callsheet-Name': 'b.png' })).status).toBe(201);
    expect(door.store.asset(sha256(PNG))?.name).toBe('a.png');
    expect(filesOf(door)).toHaveLength(1);
  });

  it.each([
    ['text/plain', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json', 415],
    ['application/octet-stream; charset=utf-8', 415],
  ])('refuses the content type %s', async (type, status) => {
    await using door = await openDoor();
    expect((await upload(door, PNG, { 'Content-Type': type })).status).toBe(status);
    expect(filesOf(door)).toEqual([]);
  });

  it('refuses what is announced as too large, what turns out too large, and what is empty', async () => {
    await using door = await openDoor(1000);
    expect((await upload(door, PNG)).status).toBe(413);
    const chunked = `${(2000).toString(16)}\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`;
    const answer = await raw(
      door.port,
      `POST /uploads HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer ${door.key}\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
    );
    expect(statusOf(answer)).toBe(413);
    const unfinished = await raw(
      door.port,
      `POST /uploads HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer ${door.key}\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n${(2000).toString(16)}\r\n${'x'.repeat(2000)}\r\n`,
    );
    expect(statusOf(unfinished)).toBe(413);
    expect((await upload(door, Buffer.alloc(0))).status).toBe(400);
    expect(filesOf(door)).toEqual([]);
  });

  it.each(['%', 'x'.repeat(256), '%00', '%0a', 'dir%2F', '..%2F..%2F'])('refuses the name "%s"', async (name) => {
    await using door = await openDoor();
    expect((await upload(door, PNG, { 'Callsheet-Name': name })).status).toBe(400);
  });

  it.each([
    ['..%2F..%2Fetc%2Fpasswd', 'passwd'],
    ['C%3A%5Cx%5Cy.png', 'y.png'],
  ])('keeps only the last part of the name "%s"', async (name, kept) => {
    await using door = await openDoor();
    await upload(door, PNG, { 'Callsheet-Name': name });
    expect(door.store.asset(sha256(PNG))?.name).toBe(kept);
  });

  it('leaves nothing of an upload that broke off or stood still', async () => {
    await using door = await openDoor(1_000_000, 50);
    const head = `POST /uploads HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer ${door.key}\r\nContent-Type: application/octet-stream\r\nContent-Length: 5000\r\n\r\nabc`;
    await raw(door.port, head);
    await expect.poll(() => filesOf(door)).toEqual([]);
    expect(door.store.asset(sha256(Buffer.from('abc')))).toBeUndefined();
  });

  it('needs the scope run', async () => {
    await using door = await openDoor();
    expect((await upload(door, PNG, {}, 'read')).status).toBe(403);
    expect(filesOf(door)).toEqual([]);
  });

  it('is swept of what a killed daemon left half received, and of nothing else', async () => {
    await using door = await openDoor();
    await upload(door, PNG);
    const half = '.callsheet-00000000-0000-0000-0000-000000000000.partial';
    writeFileSync(join(door.dir, 'assets', half), 'x');
    await sweepUploads(join(door.dir, 'assets'));
    await sweepUploads(join(door.dir, 'nowhere'));
    expect(filesOf(door)).toEqual([`${sha256(PNG)}.png`]);
  });
});

describe('GET /artifacts/{id}', () => {
  async function withArtifact(mediaType: string, name: string, make: (path: string) => void) {
    const door = await openDoor();
    mkdirSync(join(door.dir, 'out'));
    const path = join(door.dir, 'out', name);
    make(path);
    door.runs.create('r');
    door.store.commit({
      artifacts: [
        {
          artifactId: 'art-1',
          runId: 'r',
          step: 's',
          item: 0,
          output: 'o',
          node: '9',
          index: 0,
          path,
          mediaType,
          bytes: PNG.length,
          sha256: 'abc',
          kind: 'image',
          createdAt: 1,
          draft: false,
        },
      ],
    });
    return door;
  }

  it('sends a picture to be shown, with its length and no way to run scripts', async () => {
    await using door = await withArtifact('image/png', 'a "b"\u202e.png', (path) => writeFileSync(path, PNG));
    const answer = await ask(door, '/artifacts/art-1', { scope: 'read' });
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(PNG)).toBe(true);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(PNG.length),
      'content-disposition': "inline; filename*=UTF-8''a%20%22b%22%E2%80%AE.png",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-frame-options': 'DENY',
    });
    const head = await ask(door, '/artifacts/art-1', { method: 'HEAD' });
    expect([head.headers.get('content-length'), (await head.arrayBuffer()).byteLength]).toEqual([String(PNG.length), 0]);
  });

  it('sends the part of a film that is asked for, and says so when there is none', async () => {
    await using door = await withArtifact('video/mp4', 'a.mp4', (path) => writeFileSync(path, PNG));
    const part = await ask(door, '/artifacts/art-1', { headers: { Range: 'bytes=2-5' } });
    expect([part.status, part.headers.get('content-range'), part.headers.get('content-length')]).toEqual([
      206,
      `bytes 2-5/${PNG.length}`,
      '4',
    ]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(PNG.subarray(2, 6));
    const beyond = await ask(door, '/artifacts/art-1', { headers: { Range: `bytes=${PNG.length}-` } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${PNG.length}`]);
    await beyond.arrayBuffer();
  });

  it.each([
    ['"abc"', 206],
    ['"abd"', 200],
    ['W/"abc"', 200],
    ['Wed, 21 Oct 2026 07:28:00 GMT', 200],
  ])('sends a part only of the file that the client has the rest of: If-Range %s answers %i', async (validator, status) => {
    await using door = await withArtifact('video/mp4', 'a.mp4', (path) => writeFileSync(path, PNG));
    const answer = await ask(door, '/artifacts/art-1', { headers: { Range: 'bytes=2-5', 'If-Range': validator } });
    expect(answer.status).toBe(status);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(status === 206 ? PNG.subarray(2, 6) : PNG);
  });

  it.skipIf(!existsSync('/proc/self/fd'))('keeps no file open for readers that left before it was sent', async () => {
    let file = '';
    // What is forgotten is closed by the garbage collection, which says so; one day it will be an error.
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    onTestFinished(() => void process.off('warning', listen));
    await using door = await withArtifact('video/mp4', 'a.mp4', (path) => writeFileSync((file = path), Buffer.alloc(4_000_000)));
    const request = `GET /artifacts/art-1 HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer ${door.key}\r\n\r\n`;
    for (let reader = 0; reader < 20; reader += 1) {
      const socket = dial(door.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(request, () => (reader % 2 === 0 ? socket.resetAndDestroy() : socket.destroy()));
    }
    const isOpen = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === file;
        } catch {
          return false;
        }
      }).length;
    await expect.poll(async () => (await ask(door, '/healthz')).status).toBe(200);
    await expect.poll(isOpen).toBe(0);
    expect(warnings).toEqual([]);
  });

  it.each(['image/svg+xml', 'text/html', 'application/json', 'model/gltf-binary'])('offers %s for saving only', async (type) => {
    await using door = await withArtifact(type, 'x.svg', (path) => writeFileSync(path, '<svg onload="alert(1)"/>'));
    const answer = await ask(door, '/artifacts/art-1');
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment;/);
    await answer.body?.cancel();
  });

  it('follows no link and says when the file is gone', async () => {
    await using linked = await withArtifact('image/png', 'x.png', (path) => symlinkSync('/etc/passwd', path));
    expect((await ask(linked, '/artifacts/art-1')).status).toBe(404);
    await using gone = await withArtifact('image/png', 'x.png', () => {});
    expect(await (await ask(gone, '/artifacts/art-1')).json()).toMatchObject({ error: { code: 'FILE_NOT_FOUND' } });
  });

  it.each(['nope', '..%2f..%2fcallsheet.db', '../callsheet.db', 'art-1/', 'art-1/x', ''])('knows no artifact "%s"', async (id) => {
    await using door = await withArtifact('image/png', 'x.png', (path) => writeFileSync(path, PNG));
    const answer = await raw(
      door.port,
      `GET /artifacts/${id} HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer ${door.key}\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(404);
  });
});

describe('every route', () => {
  const routes = [
    ['GET', '/healthz'],
    ['POST', '/uploads'],
    ['GET', '/artifacts/art-1'],
    ['GET', '/'],
    ['GET', '/rpc'],
    ['GET', '/metrics'],
    ['OPTIONS', '/uploads'],
  ] as const;

  it.each(routes)('%s %s answers 401 without a key and carries no CORS header', async (method, path) => {
    await using door = await openDoor();
    const answer = await fetch(`http://${door.host}${path}`, { method });
    expect(answer.status).toBe(401);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    ['DELETE', '/healthz', 405],
    ['POST', '/healthz', 405],
    ['GET', '/uploads', 405],
    ['PUT', '/uploads', 405],
    ['OPTIONS', '/uploads', 405],
    ['GET', '/nowhere', 404],
    ['GET', '/healthz/', 404],
    ['GET', '/%68ealthz', 404],
  ])('%s %s with a key answers %i', async (method, path, status) => {
    await using door = await openDoor();
    const answer = await ask(door, path, { method, headers: { 'X-HTTP-Method-Override': 'POST' } });
    expect(answer.status).toBe(status);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('says that it lives to who may know', async () => {
    await using door = await openDoor();
    expect(await (await ask(door, '/healthz', { scope: 'read' })).json()).toEqual({ ok: true, storage: { status: 'ready' } });
  });
});
