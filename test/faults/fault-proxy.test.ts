// The proxy that the fault tests stand on does what they believe of it.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type FaultProxy, startFaultProxy } from '../fakes/fault-proxy.ts';

interface Echo {
  readonly proxy: FaultProxy;
  readonly seen: string[];
}

/** A server that answers with 1,000 letters and sends ten frames of three lengths to each socket that greets it. */
async function echo(): Promise<Echo> {
  const seen: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
    request.resume();
    response.end('x'.repeat(1000));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', () => {
      for (let frame = 1; frame <= 10; frame += 1) socket.send(`${String(frame)}:${'y'.repeat([1, 300, 70_000][frame % 3] ?? 0)}`);
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const proxy = await startFaultProxy(`http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}`);
  onTestFinished(async () => {
    await proxy.close();
    sockets.close();
    server.close();
    server.closeAllConnections();
  });
  return { proxy, seen };
}

const get = async (url: string, init?: RequestInit) => (await fetch(url, init)).text();

describe('the fault proxy', () => {
  it('passes everything on as it is, also in slices and slowly', async () => {
    const { proxy, seen } = await echo();
    expect(await get(`${proxy.url}/a`)).toHaveLength(1000);
    Object.assign(proxy.faults, { sliceBytes: 7, latencyMs: 1, bytesPerSecond: 1_000_000 });
    expect(await get(`${proxy.url}/b`)).toHaveLength(1000);
    expect(seen).toEqual(['GET /a', 'GET /b']);
  });

  it('resets a connection before or after its request came, so many times', async () => {
    const { proxy, seen } = await echo();
    Object.assign(proxy.faults, { resetOnConnect: 1, resetOnRequest: 1 });
    await expect(get(`${proxy.url}/a`)).rejects.toThrow('fetch failed');
    await expect(get(`${proxy.url}/b`)).rejects.toThrow('fetch failed');
    expect(seen).toEqual([]);
    expect(await get(`${proxy.url}/c`)).toHaveLength(1000);
  });

  it('loses the answer to a prompt that the server has, and to nothing else', async () => {
    const { proxy, seen } = await echo();
    proxy.faults.losePromptReplies = 1;
    expect(await get(`${proxy.url}/queue`)).toHaveLength(1000);
    await expect(get(`${proxy.url}/api/prompt`, { method: 'POST', body: '{}' })).rejects.toThrow('fetch failed');
    expect(seen).toEqual(['GET /queue', 'POST /api/prompt']);
    expect(await get(`${proxy.url}/prompt`, { method: 'POST', body: '{}' })).toHaveLength(1000);
  });

  it('cuts an answer in its middle', async () => {
    const { proxy } = await echo();
    Object.assign(proxy.faults, { truncations: 1, truncateAfterBytes: 400 });
    await expect(get(`${proxy.url}/a`)).rejects.toThrow('terminated');
    expect(await get(`${proxy.url}/a`)).toHaveLength(1000);
  });

  it.each([1, 4, 10])('cuts a socket instead of passing frame %i, however it is sliced', async (frame) => {
    const { proxy } = await echo();
    Object.assign(proxy.faults, { cutAtFrame: frame, sliceBytes: 1000 });
    const frames: string[] = [];
    const socket = new WebSocket(proxy.url.replace('http', 'ws'));
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => frames.push(data.toString().split(':')[0] ?? ''));
    await once(socket, 'open');
    socket.send('go');
    await once(socket, 'close');
    expect(frames).toEqual(Array.from({ length: frame - 1 }, (_, index) => String(index + 1)));
    expect(proxy.faults.cutAtFrame).toBeUndefined();
  });

  it('swallows everything while it is a black hole and goes on afterwards', async () => {
    const { proxy, seen } = await echo();
    proxy.faults.blackhole = true;
    const answer = get(`${proxy.url}/a`);
    await expect.poll(() => proxy.connections()).toBe(1);
    expect(seen).toEqual([]);
    proxy.faults.blackhole = false;
    expect(await answer).toHaveLength(1000);
  });

  it('refuses connections until it listens again, at the same address', async () => {
    const { proxy } = await echo();
    await proxy.refuse();
    await expect(get(`${proxy.url}/a`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await proxy.listen();
    expect(await get(`${proxy.url}/a`)).toHaveLength(1000);
  });
});
