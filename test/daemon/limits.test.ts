import { describe, expect, it } from 'vitest';
import { createTokenBucket } from '#daemon/token-bucket.ts';
import { openSession, openTestDoor, raw, statusOf } from './door-harness.ts';

describe('limits of a connection', () => {
  it.each([
    ['a frame beyond the limit', (send: (data: string | Buffer) => void) => send(`"${'x'.repeat(1024 * 1024)}"`), 1009],
    ['a binary frame', (send: (data: string | Buffer) => void) => send(Buffer.from('{}')), 1003],
  ])('[S11] close it on %s', async (_name, act, code) => {
    await using door = await openTestDoor();
    const session = await openSession(door);
    act((data) => session.socket.send(data));
    expect(await session.closed).toMatchObject({ code });
  });

  it('[S13] answer calls beyond the rate with retryAfterMs and serve others meanwhile', async () => {
    await using door = await openTestDoor({ limits: { callsPerSecond: 1, callBurst: 3 } });
    const greedy = await openSession(door);
    for (let id = 0; id < 10; id += 1) greedy.send({ jsonrpc: '2.0', id, method: 'ping' });
    const answer: { error: unknown } = JSON.parse(await greedy.next((frame) => frame.includes('"id":9')));
    expect(answer.error).toMatchObject({ code: -32005, data: { retryable: true, details: { retryAfterMs: expect.any(Number) } } });
    const modest = await openSession(door);
    modest.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
    expect(await modest.next()).toContain('"ok":true');
  });

  it('[S13] refuse calls beyond those at work, by id', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = async () => {
      await gate.promise;
      return { ok: true };
    };
    await using door = await openTestDoor({ limits: { inFlight: 2 }, handlers: { ping: slow } });
    const session = await openSession(door);
    for (const id of [1, 2, 3]) session.send({ jsonrpc: '2.0', id, method: 'ping' });
    expect(await session.next()).toContain('"id":3,"error":{"code":-32005');
    session.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
    expect(await session.next()).toContain('"id":1,"error":{"code":-32600');
    gate.resolve();
    expect(await session.next((frame) => frame.includes('"id":1'))).toContain('"ok":true');
  });

  it.each<[string, string]>([
    ['65 levels', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`],
    ['100 000 levels', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['too many values', `{"a":[${'1,'.repeat(50_001)}1]}`],
    ['a string that is too long', `{"a":"${'x'.repeat(256 * 1024 + 1)}"}`],
  ])('[S14] refuse params with %s and go on', async (_name, params) => {
    await using door = await openTestDoor();
    const session = await openSession(door);
    session.send(`{"jsonrpc":"2.0","id":5,"method":"run/start","params":${params}}`);
    expect(await session.next()).toContain('"id":5,"error":{"code":-32600');
    session.send({ jsonrpc: '2.0', id: 6, method: 'ping' });
    expect(await session.next()).toContain('"id":6,"result"');
    expect(door.runs.started).toEqual([]);
  });

  it('cut a peer that answers no ping', async () => {
    await using door = await openTestDoor({ limits: { pingEvery: 20, deadAfter: 60 } });
    const session = await openSession(door);
    session.socket.pause();
    // The server sees it go; the paused client would not.
    await expect.poll(() => door.door.connections).toBe(0);
    session.socket.terminate();
  });

  it('[S12] close a reader that stands still, and it catches up by number afterwards', async () => {
    await using door = await openTestDoor({ limits: { watermarks: { low: 1000, soft: 2000, hard: 16 * 1024 * 1024, stall: 200 } } });
    const epoch = door.store.epoch;
    door.runs.create('r');
    const session = await openSession(door);
    session.send({ jsonrpc: '2.0', id: 1, method: 'event/subscribe', params: { since: { epoch, seq: 0 } } });
    await session.next((frame) => frame.includes('"id":1'));
    session.socket.pause();
    const note = 'n'.repeat(4000);
    for (let at = 0; at < 3000; at += 1) door.runs.emit('r', { type: 'run.note', code: 'X', message: note });
    await expect.poll(() => door.refusals.counts()['slow-reader'], { timeout: 10_000 }).toBe(1);
    session.socket.terminate();
    const again = await openSession(door);
    again.send({ jsonrpc: '2.0', id: 1, method: 'event/subscribe', params: { since: { epoch, seq: 2990 } } });
    const positions: number[] = [];
    while (positions.length < 11) positions.push(JSON.parse(await again.next((frame) => frame.includes('"event"'))).params.position);
    expect(positions).toEqual(Array.from({ length: 11 }, (_, at) => 2991 + at));
  });
});

describe('limits of the listener', () => {
  it.each([
    ['GET / HTTP/1.1\r\nHost: HOST\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n', 400],
    ['GARBAGE\r\n\r\n', 400],
    ['GET /rpc HTTP/1.1\r\nHost: HOST\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: HOST\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 400],
  ])('answer %j and close', async (request, status) => {
    await using door = await openTestDoor();
    expect(statusOf(await raw(door.port, request.replaceAll('HOST', door.host)))).toBe(status);
  });
});

describe('a token bucket', () => {
  it('gives its burst, then one at a time, and says how long to wait', () => {
    let now = 0;
    const bucket = createTokenBucket(10, 2, () => now);
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 100]);
    now = 99;
    expect(bucket.take()).toBe(1);
    now = 100;
    expect(bucket.take()).toBe(0);
    now = 10_000;
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 100]);
  });
});
