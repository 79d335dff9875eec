// Too much of everything: connections, wrong keys, calls, and a reader that does not read. Those who are let in are served meanwhile.
import { readdirSync } from 'node:fs';
import { connect as dial } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { findRuntime } from '#daemon/runtime-file.ts';
import { connect } from '#protocol/client.ts';
import { countCases } from '../count-cases.ts';
import { openSession, openTestDoor, raw, statusOf } from '../daemon/door-harness.ts';
import { freshPlace, startCli } from '../e2e/run-cli.ts';
import { inLanes } from '../kept.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function liveBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A daemon in a process of its own, as people start it. */
async function startDaemonProcess() {
  const { env } = freshPlace();
  const daemon = startCli(['daemon', '--backend', 'sandbox', '--json'], env);
  await daemon.line((text) => text.includes('"ready"'));
  const found = findRuntime({ dataDir: env['CALLSHEET_DATA'] ?? '', env });
  if (found === undefined) throw new Error('no runtime file');
  const { pid, port, url, key } = found;
  return {
    pid,
    port,
    client: await connect({ url, key }),
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    async [Symbol.asyncDispose]() {
      daemon.kill('SIGTERM');
      await daemon.ended;
    },
  };
}

function openIdle(port: number, first: string): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1');
    socket.on('error', () => resolve(socket));
    socket.on('close', () => resolve(socket));
    socket.on('connect', () => {
      if (first !== '') socket.write(first);
      resolve(socket);
    });
  });
}

const percentile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;

describe('[S10] a thousand connections without a key', () => {
  it('that say nothing, half a head, or a byte a second, hold up nobody who is in, and are let go', async () => {
    await using daemon = await startDaemonProcess();
    const before = daemon.openFiles();
    const half = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nX: `;
    const upgrade = `GET /rpc HTTP/1.1\r\nHost: 127.0.0.1:${daemon.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    const sockets: Socket[] = [];
    await inLanes(
      50,
      Array.from({ length: 1000 }, (_, at) => at),
      async (at) => {
        sockets.push(await openIdle(daemon.port, ['', half, upgrade, 'G'][at % 4] ?? ''));
      },
    );
    const slow = setInterval(() => {
      for (const socket of sockets) if (!socket.destroyed) socket.write('x');
    }, 1000);
    const waited: number[] = [];
    for (let call = 0; call < 300; call += 1) {
      const at = performance.now();
      await daemon.client.call('ping');
      waited.push(performance.now() - at);
      await pause(5);
    }
    clearInterval(slow);
    countCases('hostile connections', { connections: 1000, p99: percentile(waited, 0.99) });
    for (const socket of sockets) socket.destroy();
    // The one client, and what the daemon had open anyhow.
    await expect.poll(() => daemon.openFiles()).toBeLessThanOrEqual(before + 3);
    const { refused } = await daemon.client.call('daemon/status');
    expect(refused['connections']).toBeGreaterThan(500);
    await daemon.client.close();
  }, 120_000);

  it('are let go by themselves when they go on saying nothing', async () => {
    await using door = await openTestDoor({ limits: { authDeadline: 100, unauthenticated: 4 } });
    const upgrade = `GET /rpc HTTP/1.1\r\nHost: ${door.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => raw(door.port, upgrade)));
    const statuses = answers.map(statusOf);
    expect([statuses.filter((status) => status === 101).length, statuses.filter((status) => status === 503).length]).toEqual([4, 16]);
    expect(door.refusals.counts()).toMatchObject({ connections: 16, 'auth-timeout': 4 });
    await expect.poll(() => door.door.connections).toBe(0);
  });
});

describe('[S9] keys that are guessed', () => {
  it('are all refused, counted, and told of once a minute', async () => {
    await using door = await openTestDoor();
    const tries = isFull ? 10_000 : 1000;
    const tally = { tried: 0, refused: 0 };
    const before = liveBytes();
    await inLanes(
      32,
      Array.from({ length: tries }, (_, at) => at),
      async (at) => {
        tally.tried += 1;
        const guess = Buffer.from(String(at).padStart(32, 'x')).toString('base64url');
        const answer = await raw(door.port, `GET /healthz HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer ${guess}\r\n\r\n`);
        if (statusOf(answer) === 401) tally.refused += 1;
      },
    );
    countCases('guesses', tally);
    expect(tally).toEqual({ tried: tries, refused: tries });
    expect(door.refusals.counts()['token']).toBe(tries);
    expect(door.logged.filter((line) => line.includes('refused a request'))).toHaveLength(1);
    expect(liveBytes() - before).toBeLessThan(20 * 1024 ** 2);
  }, 120_000);
});

describe('[S13] calls without end', () => {
  it('are answered or refused each by its id, and leave others their turn', async () => {
    await using door = await openTestDoor();
    const calls = isFull ? 100_000 : 20_000;
    const greedy = await openSession(door);
    const modest = await openSession(door);
    greedy.socket.removeAllListeners('message');
    let answered = 0;
    let refused = 0;
    greedy.socket.on('message', (data: Buffer) => {
      answered += 1;
      if (data.includes('-32005')) refused += 1;
    });
    const before = liveBytes();
    for (let id = 0; id < calls; id += 1) {
      greedy.socket.send(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
      if (id % 1000 !== 999) continue;
      modest.send({ jsonrpc: '2.0', id: `m${id}`, method: 'ping' });
      expect(await modest.next((text) => text.includes(`"m${id}"`))).toContain('"ok":true');
    }
    await expect.poll(() => answered).toBe(calls);
    countCases('calls', { calls, refused });
    expect(refused).toBeGreaterThan(calls / 2);
    expect(liveBytes() - before).toBeLessThan(50 * 1024 ** 2);
  }, 120_000);

  it.each([
    ['51 calls in a batch', `[${Array.from({ length: 51 }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`).join(',')}]`],
    ['10,000 numbers in a batch', `[${'1,'.repeat(9999)}1]`],
    ['10,000 batches within one another', `${'['.repeat(60)}1${']'.repeat(60)}`],
  ])('of which none is executed: %s', async (_name, text) => {
    await using door = await openTestDoor();
    const session = await openSession(door);
    session.send(text);
    expect(await session.next()).toContain('-32600');
    session.send({ jsonrpc: '2.0', id: 'after', method: 'ping' });
    expect(await session.next((frame) => frame.includes('"after"'))).toContain('"ok":true');
  });
});

describe('[S12] a reader that stands still while 100,000 events come', () => {
  it('costs a bounded memory, holds up nobody, and catches up by number', async () => {
    const events = isFull ? 100_000 : 20_000;
    await using door = await openTestDoor();
    door.runs.create('r');
    const { epoch } = door.store;
    const subscribe = { jsonrpc: '2.0', id: 1, method: 'event/subscribe', params: { since: { epoch, seq: 0 } } };
    const still = await openSession(door);
    still.send(subscribe);
    await still.next((frame) => frame.includes('"id":1'));
    still.socket.pause();
    const reading = await openSession(door);
    let seen = 0;
    reading.socket.removeAllListeners('message');
    reading.socket.on('message', (data: Buffer) => {
      if (data.includes('"method":"event"')) seen += 1;
    });
    reading.send(subscribe);
    const before = liveBytes();
    let most = 0;
    const note = 'n'.repeat(500);
    for (let at = 0; at < events; at += 500) {
      door.runs.emit('r', ...Array.from({ length: 500 }, () => ({ type: 'run.note', code: 'X', message: note }) as const));
      await new Promise((resolve) => setImmediate(resolve));
      if (at % 5000 === 0) most = Math.max(most, liveBytes() - before);
    }
    // The event of the run's creation is one more.
    await expect.poll(() => seen).toBe(events + 1);
    countCases('slow reader', { events, bytes: Math.max(0, most) });
    // All of them would be some 60 MB for 100,000.
    expect(most).toBeLessThan(30 * 1024 ** 2);
    still.socket.resume();
    const positions = new Set<number>();
    for (let at = 0; at < 2000; at += 1)
      positions.add(
        (JSON.parse(await still.next((frame) => frame.includes('"event"'))) as { params: { position: number } }).params.position,
      );
    expect(positions.size).toBe(2000);
    still.socket.terminate();
    reading.socket.terminate();
  }, 180_000);
});
