import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect } from '#protocol/client.ts';
import type { RunEvent } from '#protocol/events.ts';
import { openTestDoor } from './door-harness.ts';

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
});
