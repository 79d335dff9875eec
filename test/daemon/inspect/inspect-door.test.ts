// The WebSocket /inspect: who gets in and how, and what Stately's own receiver makes of it.
import { createWebSocketReceiver } from '@statelyai/inspect';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { textOf } from '#protocol/frame-text.ts';
import type { InspectMessage } from '#protocol/inspect.ts';
import { openTestDoor, raw, statusOf, type TestDoor } from '../door-harness.ts';
import { startInspected, toBackend, toEnd } from './inspected.ts';
import { openWaitingRun } from './waiting-run.ts';
import { connect } from '#protocol/client.ts';

function upgrade({ host, port }: TestDoor, path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const lines = Object.entries({
    Host: host,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return raw(port, `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, (received) => received.includes('\r\n\r\n'));
}

async function ticketOf(door: TestDoor, params: { readonly runId?: string } = {}) {
  const client = await connect({ url: door.url, key: door.key });
  try {
    return await client.call('inspect/ticket', params);
  } finally {
    await client.close();
  }
}

const bearer = (door: TestDoor, scope: 'read' | 'run' | 'admin') => ({ Authorization: `Bearer ${door.auth.keyOf(scope)}` });

describe('the door of /inspect', () => {
  it('opens to a key of scope run or admin in a header, and to nobody with less', async () => {
    await using door = await openTestDoor();
    expect(statusOf(await upgrade(door, '/inspect', bearer(door, 'run')))).toBe(101);
    expect(statusOf(await upgrade(door, '/inspect/run/r', bearer(door, 'admin')))).toBe(101);
    expect(statusOf(await upgrade(door, '/inspect', bearer(door, 'read')))).toBe(403);
    expect(statusOf(await upgrade(door, '/inspect'))).toBe(401);
    expect(statusOf(await upgrade(door, '/inspect', { Authorization: `Bearer ${'x'.repeat(43)}` }))).toBe(401);
  });

  it('has the same gates as everything else', async () => {
    await using door = await openTestDoor();
    const key = bearer(door, 'admin');
    expect(statusOf(await upgrade(door, '/inspect', { ...key, Origin: 'https://stately.ai' }))).toBe(403);
    expect(statusOf(await upgrade(door, '/inspect', { ...key, Host: `evil.test:${String(door.port)}` }))).toBe(403);
    expect(statusOf(await upgrade(door, `/inspect?key=${door.key}`, key))).toBe(400);
    expect(statusOf(await upgrade(door, `/inspect/${door.key}`))).toBe(401);
    expect(statusOf(await upgrade(door, '/inspect/elsewhere', key))).toBe(404);
    expect(statusOf(await upgrade(door, '/inspect', { ...key, Upgrade: 'h2c' }))).toBe(400);
  });

  it('opens once to a ticket in the path, which is worth nothing afterwards', async () => {
    await using door = await openTestDoor();
    const { path } = await ticketOf(door);
    expect(statusOf(await upgrade(door, path))).toBe(101);
    expect(statusOf(await upgrade(door, path))).toBe(401);
  });

  it('opens once to a ticket among the subprotocols, and never says it back', async () => {
    await using door = await openTestDoor();
    const { protocols } = await ticketOf(door);
    const offer = { 'Sec-WebSocket-Protocol': protocols.join(', ') };
    const answer = await upgrade(door, '/inspect', offer);
    expect(statusOf(answer)).toBe(101);
    expect(answer).toContain('Sec-WebSocket-Protocol: callsheet.inspect\r\n');
    expect(answer).not.toContain('callsheet.ticket');
    expect(statusOf(await upgrade(door, '/inspect', offer))).toBe(401);
  });

  it('shows the holder of a ticket for one run no other run', async () => {
    await using door = await openTestDoor();
    door.runs.create('r');
    const { protocols } = await ticketOf(door, { runId: 'r' });
    startInspected(door.inspectHub, 'r');
    startInspected(door.inspectHub, 's');
    const socket = new WebSocket(`ws://${door.host}/inspect/run/s`, [...protocols]);
    const seen: InspectMessage[] = [];
    socket.on('message', (data) => seen.push(JSON.parse(textOf(data)) as InspectMessage));
    await expect.poll(() => seen.length).toBe(2);
    expect(new Set(seen.map((message) => 'runId' in message && message.runId))).toEqual(new Set(['r']));
    socket.terminate();
  });

  it('gives no ticket for a run that is not there, nor to a key that may only read', async () => {
    await using door = await openTestDoor();
    await expect(ticketOf(door, { runId: 'nobody' })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    const reader = await connect({ url: door.url, key: door.auth.keyOf('read'), scope: 'read' });
    for (const method of ['inspect/ticket', 'inspect/subscribe'] as const) {
      await expect(reader.call(method, {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    await reader.close();
  });

  it('takes nothing in: small frames are dropped, a large one ends the connection', async () => {
    await using door = await openTestDoor();
    const socket = new WebSocket(`ws://${door.host}/inspect`, { headers: bearer(door, 'run') });
    const closed = new Promise<number>((resolve) => socket.on('close', resolve));
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send('{"type":"@xstate.event"}');
    socket.send('x'.repeat(5000));
    expect(await closed).toBe(1009);
    await expect.poll(() => door.inspectHub.viewers).toBe(0);
  });

  it('lets in sixteen and says so to the next', async () => {
    await using door = await openTestDoor();
    const sockets = Array.from({ length: 16 }, () => new WebSocket(`ws://${door.host}/inspect`, { headers: bearer(door, 'run') }));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on('open', resolve))));
    expect(statusOf(await upgrade(door, '/inspect', bearer(door, 'run')))).toBe(503);
    for (const socket of sockets) socket.terminate();
  });
});

describe('inspect/subscribe', () => {
  it('sends the live tree and what happens, until it is ended', async () => {
    await using door = await openTestDoor();
    const run = startInspected(door.inspectHub, 'r');
    await toBackend(run);
    const seen: { subscription: string; message: InspectMessage }[] = [];
    const client = await connect({
      url: door.url,
      key: door.key,
      onNotification: (name, params) => {
        if (name === 'inspect') seen.push(params as (typeof seen)[number]);
      },
    });
    const { subscription } = await client.call('inspect/subscribe', {});
    await expect.poll(() => seen.length).toBeGreaterThan(2);
    expect(seen[0]).toMatchObject({ subscription, message: { type: '@xstate.actor', name: 'r' } });
    await run.fakes.report('a/0', { type: 'backend.queued' });
    await expect.poll(() => seen.some(({ message }) => message.type === '@xstate.microstep')).toBe(true);
    expect(await client.call('inspect/unsubscribe', { subscription })).toEqual({ removed: true });
    expect(await client.call('inspect/unsubscribe', { subscription })).toEqual({ removed: false });
    const before = seen.length;
    await toEnd(run);
    await client.call('ping', {});
    expect(seen).toHaveLength(before);
    await client.close();
  });

  it('ends with its connection, refuses runs that are not there, and more than eight at once', async () => {
    await using door = await openTestDoor();
    const client = await connect({ url: door.url, key: door.key });
    await expect(client.call('inspect/subscribe', { runId: 'nobody' })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    for (let count = 0; count < 8; count += 1) await client.call('inspect/subscribe', {});
    await expect(client.call('inspect/subscribe', {})).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(door.inspectHub.viewers).toBe(8);
    await client.close();
    await expect.poll(() => door.inspectHub.viewers).toBe(0);
  });
});

describe('event/list', () => {
  it('gives the log of a run page by page', async () => {
    await using door = await openTestDoor();
    door.runs.create('r');
    door.runs.create('s');
    for (const status of ['running', 'waiting', 'running'] as const) door.runs.emit('r', { type: 'run.status', status });
    const client = await connect({ url: door.url, key: door.auth.keyOf('read'), scope: 'read' });
    const first = await client.call('event/list', { runId: 'r', limit: 3 });
    expect(first).toMatchObject({ epoch: door.store.epoch, more: true });
    expect(first.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const second = await client.call('event/list', { runId: 'r', after: 3, limit: 3 });
    expect(second).toMatchObject({ more: false, events: [{ runId: 'r', seq: 4, event: { type: 'run.status', status: 'running' } }] });
    await expect(client.call('event/list', { runId: 'nobody' })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await client.close();
  });
});

describe('the receiver of @statelyai/inspect, attached late to a running daemon', () => {
  it('gets definitions, the live tree, and then events, and no secret', async () => {
    await using place = await openWaitingRun({ api_key: 'tell-nobody-of-me' });
    const { path } = await place.client.call('inspect/ticket', { runId: place.runId });
    const receiver = createWebSocketReceiver({ server: `ws://127.0.0.1:${String(place.daemon.port)}${path}` });
    const seen: InspectMessage[] = [];
    receiver.subscribe((event) => seen.push(event as unknown as InspectMessage));
    const actors = () => seen.flatMap((message) => (message.type === '@xstate.actor' ? [message] : []));
    await expect.poll(() => actors().filter(({ closedAt }) => closedAt === undefined).length).toBe(2);
    const [run, choice] = actors();
    expect(run).toMatchObject({ name: place.runId, snapshot: { status: 'active', value: 'executing' } });
    expect(choice).toMatchObject({ name: 'choice:best', parentId: run?.sessionId, snapshot: { value: { waiting: 'open' } } });
    expect([run, choice].map((actor) => Object.keys((JSON.parse(actor?.definition ?? '') as { states: object }).states).length)).toEqual([
      10, 5,
    ]);
    const before = seen.length;
    await place.choose();
    await place.ended(place.runId);
    await expect
      .poll(() => seen.findLast((message) => message.type === '@xstate.snapshot' && message.sessionId === run?.sessionId))
      .toMatchObject({ snapshot: { status: 'done', value: 'succeeded' } });
    const later = seen.slice(before);
    expect(new Set(later.map(({ type }) => type))).toEqual(new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']));
    expect(later.some((message) => message.type === '@xstate.actor' && message.name === 'step:again:0')).toBe(true);
    expect(JSON.stringify(seen)).not.toContain('tell-nobody-of-me');
  });
});
