import { describe, expect, it } from 'vitest';
import type { RunEvent } from '#protocol/events.ts';
import { connect } from '#protocol/client.ts';
import { openTestDoor } from './door-harness.ts';

describe('client and door', () => {
  it('initializes, starts a run, and brings its events in order', async () => {
    await using door = await openTestDoor();
    const client = await connect({ url: door.url, key: door.key });
    expect(client.server).toMatchObject({ server: { name: 'callsheet' }, protocol: 1, scope: 'admin', epoch: door.store.epoch });
    const { runId } = await client.call('run/start', { template: 'hero', parameters: { prompt: 'dawn' } });
    const got: RunEvent[] = [];
    const three = Promise.withResolvers<void>();
    await client.subscribe(
      { runId, since: { epoch: door.store.epoch, seq: 0 } },
      {
        onEvent(event) {
          got.push(event);
          if (got.length === 3) three.resolve();
        },
      },
    );
    door.runs.emit(runId, { type: 'run.status', status: 'running' }, { type: 'run.status', status: 'succeeded' });
    await three.promise;
    expect(got.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(door.runs.started).toEqual([{ template: 'hero', parameters: { prompt: 'dawn' }, client: 'callsheet' }]);
    expect((await client.call('run/get', { runId })).run.runId).toBe(runId);
    await client.close();
  });

  it('answers unknown params with the path and a suggestion', async () => {
    await using door = await openTestDoor();
    const client = await connect({ url: door.url, key: door.key });
    const call = client.call('run/start', { template: 'hero', paramters: {} } as never);
    await expect(call).rejects.toMatchObject({
      code: 'INVALID_PARAMS',
      data: { problems: [{ pointer: '/paramters', hint: 'Did you mean "parameters"?' }] },
    });
    await client.close();
  });
});
