// `callsheet inspect` with a whole daemon behind it, and with Stately's own relay and receiver.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWebSocketReceiver } from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { runCli } from '#cli/cli.ts';
import { COMMANDS } from '#cli/commands.ts';
import { textOf } from '#protocol/frame-text.ts';
import type { InspectMessage } from '#protocol/inspect.ts';
import { openWaitingRun, type WaitingRun } from '../../daemon/inspect/waiting-run.ts';
import { createFakeIo, type FakeIo } from '../fake-io.ts';

let place: WaitingRun;
let io: FakeIo;

beforeEach(async () => {
  place = await openWaitingRun();
  io = createFakeIo({ env: { HOME: place.dir, CALLSHEET_DATA: place.data, CALLSHEET_RUNTIME_DIR: `${place.dir}/rt` }, cwd: place.dir });
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

const inspect = (...argv: string[]) => runCli(COMMANDS, ['inspect', ...argv], io);

/** A port that nobody has, for a relay that takes its number. */
async function freePort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('callsheet inspect', () => {
  it('says where the machines of a run are and where they go, and ends with the run', async () => {
    const ended = inspect(place.runId);
    await expect.poll(() => io.stdout()).toMatch(/run {2}is executing\n.*choice:best {2}is waiting\.open\n/);
    await place.choose();
    expect(await ended).toBe(0);
    const text = io.stdout();
    expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}choice:best {2}waiting\.open → made \(done\) {2}by choice\.make$/m);
    expect(text).toMatch(/step:again:0 {2}preparing → executing\.submitting {2}by xstate\.done\.actor\.prepare$/m);
    expect(text).toMatch(/run {2}collecting → succeeded \(done\) {2}by xstate\.done\.actor\.collect\n$/);
    expect(io.stderr()).toBe('');
  });

  it('prints each message as it is with --json, of every run without RUN, until Ctrl-C', async () => {
    const ended = inspect('--json');
    await expect.poll(() => io.stdout().split('\n').length).toBeGreaterThan(2);
    io.interrupt();
    expect(await ended).toBe(130);
    const [first] = io
      .stdout()
      .split('\n')
      .map((text) => (text === '' ? undefined : (JSON.parse(text) as InspectMessage)));
    expect(first).toMatchObject({ type: '@xstate.actor', runId: place.runId, name: place.runId });
  });

  it('says of a run that has ended long ago where its machines are', async () => {
    await place.choose();
    await place.ended(place.runId);
    await place.restart();
    expect(await inspect(place.runId)).toBe(0);
    expect(io.stderr()).toContain('callsheet open');
    expect(await inspect('nobody')).toBe(1);
    expect(io.stderr()).toContain('RUN_NOT_FOUND');
  });

  it('ends with an error when the daemon goes', async () => {
    const ended = inspect();
    await expect.poll(() => io.stdout()).toContain('is executing');
    await place.daemon.close();
    expect(await ended).toBe(1);
    expect(io.stderr()).toContain('CONNECTION_LOST');
    await place.restart();
  });

  it('prints an address with --url that opens once', async () => {
    expect(await inspect(place.runId, '--url')).toBe(0);
    const url = io.stdout().trim();
    expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/inspect\/[\w-]{43}$/);
    const first = new WebSocket(url);
    const message = await new Promise<string>((resolve) => first.once('message', (data) => resolve(textOf(data))));
    expect(JSON.parse(message)).toMatchObject({ type: '@xstate.actor' });
    const second = new WebSocket(url);
    expect(await new Promise((resolve) => second.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode)))).toBe(401);
    first.terminate();
  });

  it("sends everything to Stately's own relay with --forward, whose receiver gets the live tree and what happens", async () => {
    const port = await freePort();
    const relay = createInspectorServer({ port, autoOpen: false });
    try {
      const server = `ws://localhost:${String(port)}`;
      const seen: InspectMessage[] = [];
      createWebSocketReceiver({ server }).subscribe((event) => seen.push(event as unknown as InspectMessage));
      const ended = inspect(place.runId, '--forward', server);
      const names = () => seen.flatMap((message) => (message.type === '@xstate.actor' ? [message.name] : []));
      await expect.poll(names).toEqual(expect.arrayContaining([place.runId, 'choice:best']));
      await place.choose();
      await expect.poll(names).toContain('step:again:0');
      io.interrupt();
      expect(await ended).toBe(130);
    } finally {
      relay.stop();
    }
  });

  it('forwards to this machine alone, and says so when nobody is there or the relay goes', async () => {
    for (const address of [
      'ws://example.com:8080',
      'wss://localhost:8080',
      'ws://me:secret@localhost:8080',
      'ws://127.0.0.1.nip.io',
      'x',
    ]) {
      expect(await inspect('--forward', address)).toBe(2);
    }
    const port = await freePort();
    expect(await inspect('--forward', `ws://127.0.0.1:${String(port)}`)).toBe(1);
    expect(io.stderr()).toContain('CONNECTION_LOST');
    const relay = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => relay.once('listening', resolve));
    const ended = inspect('--forward', `ws://127.0.0.1:${String((relay.address() as AddressInfo).port)}`);
    await new Promise((resolve) => relay.once('connection', (socket) => socket.once('message', resolve)));
    for (const client of relay.clients) client.terminate();
    expect(await ended).toBe(1);
    expect(io.stderr()).toContain('has gone');
    relay.close();
    expect(await inspect('--forward', 'ws://localhost:1', '--url')).toBe(2);
  });
});
