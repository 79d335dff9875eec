import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import type { EventSnapshot } from '#protocol/methods/event.ts';
import { waitForRun } from '../../src/client.ts';
import { openTestDoor } from './door-harness.ts';

function follower() {
  const got: RunEvent[] = [];
  const snapshots: { readonly gap: boolean; readonly snapshot: EventSnapshot }[] = [];
  const handlers = {
    onEvent: (event: RunEvent) => void got.push(event),
    onSnapshot: (snapshot: EventSnapshot, { gap }: { readonly gap: boolean }) => void snapshots.push({ gap, snapshot }),
  };
  return { got, snapshots, handlers };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('event/subscribe with a snapshot', () => {
  it('begins with the state, and brings what follows it and nothing else', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const client = await connect({ url: door.url, key: door.key });
    const { got, snapshots, handlers } = follower();
    await client.subscribe({}, handlers);
    door.runs.create('b');
    await expect.poll(() => got.map(({ runId }) => runId)).toEqual(['b']);
    expect(snapshots).toEqual([
      {
        gap: false,
        snapshot: { runs: [expect.objectContaining({ runId: 'a' })], more: false, backends: expect.any(Array), queue: expect.any(Object) },
      },
    ]);
    await client.close();
  });

  it('of one run is that run', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const client = await connect({ url: door.url, key: door.key });
    expect(await client.call('event/subscribe', { runId: 'a', snapshot: true })).toMatchObject({
      seq: 1,
      snapshot: { run: { runId: 'a', status: 'running' } },
    });
    await client.close();
  });

  it('is not sent where the log can be resumed', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const client = await connect({ url: door.url, key: door.key });
    const since = { epoch: client.server.epoch, seq: 0 };
    expect(await client.call('event/subscribe', { since, snapshot: true })).toEqual({
      subscription: expect.any(String),
      epoch: since.epoch,
      seq: 0,
    });
    await client.close();
  });

  it.each([
    ['of another log', 'other', 0],
    ['beyond the end of the log', '', 99],
  ])('answers a place %s with what the events go on from', async (_what, epoch, seq) => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const client = await connect({ url: door.url, key: door.key });
    const since = { epoch: epoch === '' ? client.server.epoch : epoch, seq };
    const answer = await client.call('event/subscribe', { since, snapshot: true });
    expect(answer).toMatchObject({ epoch: client.server.epoch, seq: 1, gap: true, snapshot: { runs: [{ runId: 'a' }] } });
    await client.close();
  });

  it('has the 500 newest runs and says that there are more', async () => {
    await using door = await openTestDoor();
    for (let at = 0; at < 501; at += 1) door.runs.create(`run-${String(at).padStart(3, '0')}`);
    const client = await connect({ url: door.url, key: door.key });
    const { snapshot } = await client.call('event/subscribe', { snapshot: true });
    expect([snapshot?.runs?.length, snapshot?.runs?.[0]?.runId, snapshot?.more]).toEqual([500, 'run-500', true]);
    await client.close();
  });

  it('of a run that is gone is an error, and leaves no subscription behind', async () => {
    await using door = await openTestDoor();
    const client = await connect({ url: door.url, key: door.key });
    await expect(client.call('event/subscribe', { runId: 'nope', snapshot: true })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    expect(door.hub.subscriptions).toBe(0);
    await client.close();
  });

  it('that can not be made leaves no subscription behind', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    Object.assign(door.runs.service, {
      get: () => {
        throw new CallsheetError('SNAPSHOT_REFUSED', 'The run no longer fits.');
      },
    });
    const client = await connect({ url: door.url, key: door.key });
    await expect(client.call('event/subscribe', { runId: 'a', snapshot: true })).rejects.toMatchObject({ code: 'SNAPSHOT_REFUSED' });
    expect(door.hub.subscriptions).toBe(0);
    await client.close();
  });

  it('is what a client that asked for one gets when the daemon comes back with another log; it goes on over the gap', async () => {
    await using first = await openTestDoor();
    let where = { url: first.url, key: first.key };
    const client = await connect({ ...where, reconnectFor: 10_000, relocate: () => Promise.resolve(where) });
    const { got, snapshots, handlers } = follower();
    await client.subscribe({}, handlers);
    first.runs.create('old');
    await expect.poll(() => got.length).toBe(1);
    await using second = await openTestDoor();
    second.runs.create('new');
    where = { url: second.url, key: second.key };
    await first.door.close();
    await expect.poll(() => snapshots.length).toBe(2);
    expect(snapshots[1]).toMatchObject({ gap: true, snapshot: { runs: [{ runId: 'new' }] } });
    second.runs.emit('new', { type: 'run.note', code: 'X', message: 'x' });
    await expect
      .poll(() => got.map(({ runId, seq }) => [runId, seq]))
      .toEqual([
        ['old', 1],
        ['new', 2],
      ]);
    await client.close();
  });
});

describe('a call of the client', () => {
  it('is taken back with its signal, and stops at the daemon', async () => {
    const stopped = Promise.withResolvers<string>();
    await using door = await openTestDoor({
      handlers: {
        async 'template/render'(_params, { signal }) {
          await untilAborted(signal);
          stopped.resolve('stopped');
          throw new Error('the question was cut off');
        },
      },
    });
    const client = await connect({ url: door.url, key: door.key });
    const wish = new AbortController();
    const call = client.call('template/render', { id: 'hero' }, { signal: wish.signal });
    await client.call('ping');
    wish.abort();
    await expect(call).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    expect(await stopped.promise).toBe('stopped');
    await expect(client.call('ping', {}, { signal: wish.signal })).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    await client.close();
  });

  it('that changes nothing stops when its connection ends; one that changes something goes on', async () => {
    const ended: string[] = [];
    const gate = Promise.withResolvers<void>();
    await using door = await openTestDoor({
      handlers: {
        async 'template/render'(_params, { signal }) {
          await untilAborted(signal);
          ended.push('render');
          throw signal.reason;
        },
        async 'run/clean'(_params, { signal }) {
          await Promise.race([untilAborted(signal), gate.promise]);
          ended.push(`clean ${signal.aborted ? 'stopped' : 'done'}`);
          return { dryRun: false, runs: [], bytes: 0, kept: [], more: false };
        },
      },
    });
    const client = await connect({ url: door.url, key: door.key });
    const calls = [client.call('template/render', { id: 'hero' }), client.call('run/clean')].map((call) => call.catch(() => undefined));
    await client.call('ping');
    door.cutAll();
    await Promise.all(calls);
    await expect.poll(() => ended).toEqual(['render']);
    gate.resolve();
    await expect.poll(() => ended).toEqual(['render', 'clean done']);
  });

  it('tells how far it is, at most ten times a second, and nothing after its answer', async () => {
    await using door = await openTestDoor({
      handlers: {
        async 'template/check'(_params, { report }) {
          for (let done = 0; done < 100; done += 1) {
            report({ done, total: 100 });
            await sleep(3);
          }
          return { files: [] };
        },
      },
    });
    const client = await connect({ url: door.url, key: door.key });
    const told: number[] = [];
    const begun = performance.now();
    await client.call('template/check', { id: 'hero' }, { onProgress: ({ done }) => void told.push(done) });
    const seconds = (performance.now() - begun) / 1000;
    expect(told[0]).toBe(0);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.length).toBeGreaterThan(1);
    expect(told.length).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 1);
    await client.close();
  });

  it.each([
    ['that changes nothing', 'run/list', {}],
    ['with a requestKey', 'run/pin', { runId: 'a', requestKey: 'k' }],
  ] as const)('%s is repeated when its answer was lost with the connection', async (_what, method, params) => {
    let calls = 0;
    await using door = await openTestDoor({
      handlers: {
        [method]: () => {
          calls += 1;
          return calls === 1 ? new Promise(() => undefined) : method === 'run/list' ? { runs: [] } : { runId: 'a', pinned: true };
        },
      },
    });
    const client = await connect({ url: door.url, key: door.key, reconnectFor: 10_000 });
    const call = client.call(method, params);
    await expect.poll(() => calls).toBe(1);
    door.cutAll();
    expect(await call).toBeTypeOf('object');
    expect(calls).toBe(2);
    await client.close();
  });

  it('that changes something and has no requestKey is not', async () => {
    let calls = 0;
    await using door = await openTestDoor({
      handlers: {
        'run/pin': () => {
          calls += 1;
          return new Promise(() => undefined);
        },
      },
    });
    const client = await connect({ url: door.url, key: door.key, reconnectFor: 10_000 });
    const call = client.call('run/pin', { runId: 'a' });
    await expect.poll(() => calls).toBe(1);
    door.cutAll();
    await expect(call).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await client.call('ping');
    expect(calls).toBe(1);
    await client.close();
  });
});

describe('waiting for a run', () => {
  const end = (door: Awaited<ReturnType<typeof openTestDoor>>): void => {
    const ended = { status: 'succeeded', progress: 1, endedAt: 1 } as const;
    const state = { runId: 'a', draft: false, machine: 'run', machineVersion: 1, snapshot: '{}', timers: null, error: null, ...ended };
    door.store.commit({ states: [state] });
    door.runs.emit('a', { type: 'run.status', status: 'succeeded' });
  };

  it('that has ended already brings it', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    end(door);
    const client = await connect({ url: door.url, key: door.key });
    expect(await waitForRun(client, 'a')).toMatchObject({ runId: 'a', status: 'succeeded' });
    await client.close();
  });

  it('that ends while the connection is lost brings it all the same', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const client = await connect({ url: door.url, key: door.key, reconnectFor: 10_000 });
    const run = waitForRun(client, 'a');
    await expect.poll(() => door.hub.subscriptions).toBe(1);
    door.cutAll();
    end(door);
    expect(await run).toMatchObject({ runId: 'a', status: 'succeeded' });
    await client.close();
  });

  it('ends with the reason of its signal, with the client, and with a run that does not exist', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const client = await connect({ url: door.url, key: door.key });
    await expect(waitForRun(client, 'nope')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    const wish = new AbortController();
    const first = waitForRun(client, 'a', { signal: wish.signal });
    wish.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    const second = waitForRun(client, 'a').catch((error: unknown) => error);
    await client.close();
    expect(await second).toMatchObject({ code: 'CONNECTION_LOST' });
  });
});
