import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import type { Handlers } from '#daemon/methods.ts';
import { openTestDoor } from './door-harness.ts';

const subscribe: Handlers['event/subscribe'] = (params, { subscriber, afterAnswer }) => {
  const { result, deliver } = subscriber.subscribe(params);
  afterAnswer(deliver);
  return result;
};

describe('a client that is coming back', () => {
  it('leaves no connection behind when it is closed in the middle of the handshake', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const where = { url: door.url, key: door.key };
    const got: RunEvent[] = [];
    const closing = Promise.withResolvers<void>();
    const client = await connect({
      ...where,
      reconnectFor: 10_000,
      relocate: () => {
        // By then the new connection is dialled, and not yet proven.
        void nextTurn()
          .then(() => client.close())
          .then(closing.resolve);
        return Promise.resolve(where);
      },
    });
    await client.subscribe({ runId: 'a' }, { onEvent: (event) => void got.push(event) });
    door.cutAll();
    await closing.promise;
    // Dialled later: once it is in, the other one has been let in too.
    const witness = await connect(where);
    await expect.poll(() => door.door.connections).toBe(1);
    expect(door.hub.subscriptions).toBe(0);
    door.runs.emit('a', { type: 'run.note', code: 'X', message: 'x' });
    await witness.call('ping');
    expect(got).toEqual([]);
    await witness.close();
  });

  it.for(['STORAGE_BUSY', 'STORAGE_FAILED'] as const)('keeps its subscriptions when the daemon answers %s for a while', async (code) => {
    let refuse = 0;
    await using door = await openTestDoor({
      handlers: {
        'event/subscribe': (params, context) => {
          // The first of the two is resumed on a connection that is given up for the second.
          if (params.runId === 'b' && refuse > 0) {
            refuse -= 1;
            throw new CallsheetError(code, 'Not now.');
          }
          return subscribe(params, context);
        },
      },
    });
    door.runs.create('a');
    door.runs.create('b');
    const client = await connect({ url: door.url, key: door.key, reconnectFor: 30_000 });
    const told: string[] = [];
    const handlers = {
      onEvent: ({ runId, seq }: RunEvent) => void told.push(`${runId}${seq}`),
      onGap: (error: CallsheetError) => void told.push(error.code),
    };
    await client.subscribe({ runId: 'a' }, handlers);
    await client.subscribe({ runId: 'b' }, handlers);
    refuse = 2;
    door.cutAll();
    for (const runId of ['a', 'b', 'a', 'b']) door.runs.emit(runId, { type: 'run.note', code: 'X', message: 'x' });
    await expect.poll(() => told.toSorted()).toEqual(['a2', 'a3', 'b2', 'b3']);
    await expect.poll(() => [door.door.connections, door.hub.subscriptions]).toEqual([1, 2]);
    await client.close();
  });

  it('ends what is unsubscribed while it is being resumed', async () => {
    let resuming = false;
    const asked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    await using door = await openTestDoor({
      handlers: {
        async 'event/subscribe'(params, context) {
          if (resuming) {
            asked.resolve();
            await gate.promise;
          }
          return subscribe(params, context);
        },
      },
    });
    const client = await connect({ url: door.url, key: door.key, reconnectFor: 10_000 });
    const subscription = await client.subscribe({}, { onEvent: () => undefined });
    resuming = true;
    door.cutAll();
    await asked.promise;
    await subscription.unsubscribe();
    gate.resolve();
    // Waits until the client is back.
    await client.call('ping');
    await expect.poll(() => door.hub.subscriptions).toBe(0);
    await client.close();
  });

  it('takes for ended what is unsubscribed while there is no connection', async () => {
    await using door = await openTestDoor();
    const where = { url: door.url, key: door.key };
    const away = Promise.withResolvers<void>();
    const found = Promise.withResolvers<typeof where>();
    const client = await connect({
      ...where,
      reconnectFor: 10_000,
      relocate: () => {
        away.resolve();
        return found.promise;
      },
    });
    const subscription = await client.subscribe({}, { onEvent: () => undefined });
    door.cutAll();
    await away.promise;
    await expect(subscription.unsubscribe()).resolves.toBeUndefined();
    found.resolve(where);
    await client.call('ping');
    expect(door.hub.subscriptions).toBe(0);
    await client.close();
  });
});
