import { describe, expect, it } from 'vitest';
import { connect } from '#protocol/client.ts';
import type { RunEvent } from '#protocol/events.ts';
import { openTestDoor, rawSocket } from './door-harness.ts';

function collector() {
  const got: RunEvent[] = [];
  const gaps: string[] = [];
  return { got, gaps, onEvent: (event: RunEvent) => void got.push(event), onGap: (error: { code: string }) => void gaps.push(error.code) };
}

describe('[F25] a client that loses its connection', () => {
  it('comes back and has every event exactly once', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const { got, onEvent } = collector();
    const client = await connect({ url: door.url, key: door.key, reconnectFor: 10_000 });
    await client.subscribe({ runId: 'a' }, { onEvent });
    const note = () => door.runs.emit('a', { type: 'run.note', code: 'X', message: 'x' });
    for (let round = 0; round < 3; round += 1) {
      note();
      await expect.poll(() => got.length).toBe(round * 2 + 1);
      door.cutAll();
      note();
      await expect.poll(() => got.length).toBe(round * 2 + 2);
    }
    expect(got.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7]);
    await client.close();
  });

  it('follows a daemon that moved to another port and key', async () => {
    await using first = await openTestDoor();
    const { gaps, onEvent, onGap } = collector();
    let where = { url: first.url, key: first.key };
    const client = await connect({ ...where, reconnectFor: 10_000, relocate: () => Promise.resolve(where) });
    await client.subscribe({}, { onEvent, onGap });
    await using second = await openTestDoor();
    where = { url: second.url, key: second.key };
    await first.door.close();
    await expect.poll(() => client.server.epoch).toBe(second.store.epoch);
    // Another log: what was followed can not be resumed, and the client is told.
    await expect.poll(() => gaps).toEqual(['EVENT_GAP']);
    await client.close();
  });

  it('rejects calls that were at work and closes for good without reconnectFor', async () => {
    const gate = Promise.withResolvers<{ ok: boolean }>();
    await using door = await openTestDoor({ handlers: { ping: () => gate.promise } });
    const closed = Promise.withResolvers<string | undefined>();
    const client = await connect({ url: door.url, key: door.key, onClose: (error) => closed.resolve(error?.code) });
    const call = client.call('ping');
    const status = client.call('daemon/status');
    await status;
    door.cutAll();
    await expect(call).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(await closed.promise).toBe('CONNECTION_LOST');
    gate.resolve({ ok: true });
  });

  it('closes quietly when asked to', async () => {
    await using door = await openTestDoor();
    const closed = Promise.withResolvers<unknown>();
    const client = await connect({ url: door.url, key: door.key, reconnectFor: 10_000, onClose: closed.resolve });
    await client.close();
    expect(await closed.promise).toBeUndefined();
    await expect.poll(() => door.door.connections).toBe(0);
  });
});

describe('many clients that come at once', () => {
  it('all get in, though the door takes only so many at a time that have not proven a key', async () => {
    await using door = await openTestDoor({ limits: { unauthenticated: 2 } });
    const idle = [await rawSocket(door.url), await rawSocket(door.url)];
    const coming = Promise.all(Array.from({ length: 20 }, () => connect({ url: door.url, key: door.key, reconnectFor: 20_000 })));
    await expect.poll(() => door.refusals.counts()['connections'] ?? 0).toBeGreaterThanOrEqual(20);
    for (const { socket } of idle) socket.terminate();
    const clients = await coming;
    expect(door.door.connections).toBe(20);
    door.cutAll();
    await Promise.all(clients.map((client) => client.call('ping')));
    await Promise.all(clients.map((client) => client.close()));
  });

  it('are told when the door stays full', async () => {
    await using door = await openTestDoor({ limits: { unauthenticated: 0 } });
    await expect(connect({ url: door.url, key: door.key, timeout: 200 })).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      data: { retryable: true },
    });
  });
});
