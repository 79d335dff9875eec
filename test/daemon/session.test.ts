import { WebSocketServer } from 'ws';
import { describe, expect, it } from 'vitest';
import { connect } from '#protocol/client.ts';
import { textOf } from '#protocol/frame-text.ts';
import { clientProof, createNonce, serverProof } from '#protocol/handshake.ts';
import { SCOPES } from '#protocol/methods/define.ts';
import { METHODS } from '#protocol/methods/index.ts';
import { openSession, openTestDoor, raw, rawSocket, statusOf } from './door-harness.ts';
import type { TestDoor } from './door-harness.ts';

const CLIENT = { name: 'test', version: '1' };

async function nonceOf(socket: Awaited<ReturnType<typeof rawSocket>>): Promise<string> {
  const frame: { params: { nonce: string } } = JSON.parse(await socket.next());
  return frame.params.nonce;
}

function initialize(auth?: object): object {
  return { jsonrpc: '2.0', id: 1, method: 'initialize', params: { client: CLIENT, ...(auth === undefined ? {} : { auth }) } };
}

describe('the handshake', () => {
  it('lets in who proves the key, and proves the key in return', async () => {
    await using door = await openTestDoor();
    const socket = await rawSocket(door.url);
    const shared = { host: door.host, scope: 'run' as const, serverNonce: await nonceOf(socket), clientNonce: createNonce() };
    const key = door.auth.keyOf('run');
    socket.send(initialize({ scope: 'run', nonce: shared.clientNonce, proof: clientProof(key, shared) }));
    const answer: { result: unknown } = JSON.parse(await socket.next());
    expect(answer.result).toMatchObject({ scope: 'run', proof: serverProof(key, shared) });
  });

  it.each<[string, (door: TestDoor, nonce: string) => object]>([
    ['a proof with another key', (door, serverNonce) => proofWith('x'.repeat(43), { host: door.host, scope: 'admin', serverNonce })],
    [
      'the key of a lower scope',
      (door, serverNonce) => proofWith(door.auth.keyOf('read'), { host: door.host, scope: 'admin', serverNonce }),
    ],
    [
      'a proof that was made for another address (a relay)',
      (door, serverNonce) => proofWith(door.key, { host: '127.0.0.1:1', scope: 'admin', serverNonce }),
    ],
    [
      'a proof over a nonce of another connection',
      (door) => proofWith(door.key, { host: door.host, scope: 'admin', serverNonce: createNonce() }),
    ],
    [
      'the server side of the proof',
      (door, serverNonce) => {
        const clientNonce = createNonce();
        const proof = serverProof(door.key, { host: door.host, scope: 'admin', serverNonce, clientNonce });
        return { scope: 'admin', nonce: clientNonce, proof };
      },
    ],
    ['the key itself instead of a proof', (door) => ({ scope: 'admin', nonce: createNonce(), proof: door.key })],
  ])('refuses %s and closes', async (_name, make) => {
    await using door = await openTestDoor();
    const socket = await rawSocket(door.url);
    socket.send(initialize(make(door, await nonceOf(socket))));
    expect(await socket.next()).toContain('UNAUTHORIZED');
    expect(await socket.closed).toMatchObject({ code: 4401 });
    expect(door.refusals.counts()).toEqual({ token: 1 });
  });

  it.each<[string, string, number]>([
    ['no proof at all', JSON.stringify(initialize()), 4401],
    ['another method', '{"jsonrpc":"2.0","id":1,"method":"ping"}', 4401],
    ['a batch', `[${JSON.stringify(initialize())}]`, 4401],
    ['rubbish', '{{{', 4401],
    ['a notification', '{"jsonrpc":"2.0","method":"ping"}', 4401],
    ['more than 4 KiB', JSON.stringify(initialize({ pad: 'x'.repeat(5000) })), 1009],
  ])('closes on a first message with %s', async (_name, text, code) => {
    await using door = await openTestDoor();
    const socket = await rawSocket(door.url);
    await nonceOf(socket);
    socket.send(text);
    expect(await socket.closed).toMatchObject({ code });
    expect(door.runs.started).toEqual([]);
  });

  it('closes who stays silent', async () => {
    await using door = await openTestDoor({ limits: { authDeadline: 20 } });
    const socket = await rawSocket(door.url);
    expect(await socket.closed).toMatchObject({ code: 4408 });
  });

  it('holds a limited number of strangers, and keys still come in', async () => {
    await using door = await openTestDoor({ limits: { unauthenticated: 2 } });
    const strangers = [await rawSocket(door.url), await rawSocket(door.url)];
    await expect(rawSocket(door.url)).rejects.toThrow('503');
    const known = await openSession(door);
    expect(known.socket.readyState).toBe(known.socket.OPEN);
    for (const { socket } of strangers) socket.terminate();
  });

  it.each(['Bearer wrong', 'Bearer ', 'bearer KEY', 'Basic KEY', 'KEY', 'Bearer KEY KEY', 'Bearer KEYx'])(
    'answers 401 to the header "%s", on requests and upgrades',
    async (header) => {
      await using door = await openTestDoor();
      const value = header.replaceAll('KEY', door.key);
      await expect(rawSocket(door.url, { Authorization: value })).rejects.toThrow('401');
      const answer = await raw(door.port, `GET /healthz HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: ${value}\r\n\r\n`);
      expect(statusOf(answer)).toBe(401);
      expect(answer).not.toContain(door.key);
    },
  );

  it('answers 401 to two Authorization headers, though both are right', async () => {
    await using door = await openTestDoor();
    const line = `Authorization: Bearer ${door.key}\r\n`;
    expect(statusOf(await raw(door.port, `GET /healthz HTTP/1.1\r\nHost: ${door.host}\r\n${line}${line}\r\n`))).toBe(401);
  });
});

describe('[S7] a client that meets a stranger at the port', () => {
  async function fakeDaemon(answer: (frame: string, send: (text: string) => void) => void) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const heard: string[] = [];
    server.on('connection', (socket, request) => {
      heard.push(request.rawHeaders.join('\n'), request.url ?? '');
      socket.on('message', (data) => {
        heard.push(textOf(data));
        answer(textOf(data), (text) => socket.send(text));
      });
      socket.send('{"jsonrpc":"2.0","method":"challenge","params":{"nonce":"bm9uY2Utb2YtdGhlLWZha2Utc2VydmVy"}}');
    });
    await new Promise<void>((resolve) => server.once('listening', () => resolve()));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { url: `ws://127.0.0.1:${port}/rpc`, heard, close: () => server.close() };
  }

  it.each([
    ['says yes without proof', { server: { name: 'callsheet', version: '1' }, scope: 'admin' }],
    ['makes a proof up', { server: { name: 'callsheet', version: '1' }, scope: 'admin', proof: 'A'.repeat(43) }],
    ['says nothing of use', null],
  ])('refuses one that %s, and never shows it the key', async (_name, result) => {
    const fake = await fakeDaemon((frame, send) => send(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(frame).id, result })));
    const key = 'k'.repeat(43);
    await expect(connect({ url: fake.url, key })).rejects.toMatchObject({ code: 'DAEMON_UNTRUSTED' });
    expect(fake.heard.join('\n')).not.toContain(key);
    expect(fake.heard.join('\n')).toContain('initialize');
    fake.close();
  });

  it('refuses one that sends its own proof back', async () => {
    const fake = await fakeDaemon((frame, send) => {
      const { id, params } = JSON.parse(frame);
      send(JSON.stringify({ jsonrpc: '2.0', id, result: { scope: 'admin', proof: params.auth.proof } }));
    });
    await expect(connect({ url: fake.url, key: 'k'.repeat(43) })).rejects.toMatchObject({ code: 'DAEMON_UNTRUSTED' });
    fake.close();
  });

  it('says DAEMON_NOT_RUNNING when nobody listens', async () => {
    const door = await openTestDoor();
    await door[Symbol.asyncDispose]();
    await expect(connect({ url: door.url, key: door.key })).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' });
  });

  it('says UNAUTHORIZED when the key is of an earlier daemon', async () => {
    await using door = await openTestDoor();
    await expect(connect({ url: door.url, key: 'k'.repeat(43) })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});

describe('a session', () => {
  it('takes no call before initialize, and initialize only once', async () => {
    await using door = await openTestDoor();
    const socket = await rawSocket(door.url, { Authorization: `Bearer ${door.key}` });
    socket.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
    expect(await socket.next()).toContain('"code":-32002');
    socket.send(initialize());
    expect(await socket.next()).toContain('"scope":"admin"');
    socket.send(initialize());
    expect(await socket.next()).toContain('"code":-32600');
  });

  it('speaks protocol 1 and says what it speaks to others', async () => {
    await using door = await openTestDoor();
    const socket = await rawSocket(door.url, { Authorization: `Bearer ${door.key}` });
    socket.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { client: CLIENT, protocol: { min: 2, max: 3 } } });
    expect(await socket.next()).toContain('PROTOCOL_UNSUPPORTED');
  });

  it('keeps the session alive after rubbish', async () => {
    await using door = await openTestDoor();
    const socket = await openSession(door);
    socket.send('{{{');
    expect(await socket.next()).toContain('"id":null,"error":{"code":-32700');
    socket.send({ jsonrpc: '2.0', id: 2, method: 'ping' });
    expect(await socket.next()).toBe('{"jsonrpc":"2.0","id":2,"result":{"ok":true}}');
  });

  it('drops a mutation that was sent as a notification', async () => {
    await using door = await openTestDoor();
    const socket = await openSession(door);
    socket.send({ jsonrpc: '2.0', method: 'run/start', params: { template: 'hero' } });
    socket.send({ jsonrpc: '2.0', id: 2, method: 'ping' });
    await socket.next((frame) => frame.includes('"id":2'));
    expect(door.runs.started).toEqual([]);
  });

  const cells = SCOPES.flatMap((held) => Object.values(METHODS).map(({ name, scope }) => ({ held, name, scope })));
  it.each(cells.filter(({ name }) => name !== 'initialize'))(
    '[S31] with a key of scope $held and the method $name of scope $scope',
    async ({ held, name, scope }) => {
      await using door = await openTestDoor();
      const socket = await openSession(door, held);
      socket.send({ jsonrpc: '2.0', id: 2, method: name, params: { unknown: 1 } });
      const answer = await socket.next();
      // Whoever passes the scope meets the params next.
      expect(answer).toContain(SCOPES.indexOf(held) >= SCOPES.indexOf(scope) ? 'INVALID_PARAMS' : 'FORBIDDEN');
    },
  );

  it('shuts down for an admin, after the answer', async () => {
    await using door = await openTestDoor();
    const socket = await openSession(door);
    socket.send({ jsonrpc: '2.0', id: 2, method: 'daemon/shutdown' });
    expect(await socket.next()).toBe('{"jsonrpc":"2.0","id":2,"result":{"stopping":true}}');
    await door.stopped;
  });

  it('never writes a key into the log', async () => {
    await using door = await openTestDoor();
    const client = await connect({ url: door.url, key: door.key });
    await client.call('ping');
    await client.close();
    await openSession(door, 'run');
    await raw(door.port, `GET /?${door.key} HTTP/1.1\r\nHost: ${door.host}\r\nReferer: http://x/?token=${door.key}\r\n\r\n`);
    await raw(door.port, `GET /x HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer ${door.key}y\r\n\r\n`);
    for (const scope of SCOPES) expect(door.logged.join('')).not.toContain(door.auth.keyOf(scope));
    expect(door.logged.join('')).toContain('refused a request');
  });
});

function proofWith(key: string, shared: { host: string; scope: 'admin'; serverNonce: string }): object {
  const clientNonce = createNonce();
  return { scope: shared.scope, nonce: clientNonce, proof: clientProof(key, { ...shared, clientNonce }) };
}
