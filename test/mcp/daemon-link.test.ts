/** The link by itself: a real client at a real door, where sessions and answers are as the test wants them. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDaemonLink } from '#cli/mcp/daemon-link.ts';
import type { ConnectionOptions, Session } from '#cli/session.ts';
import type { Handlers } from '#daemon/methods.ts';
import { connect, type Endpoint } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { openTestDoor, type TestDoor } from '../daemon/door-harness.ts';

async function doorWith(handlers: Partial<Handlers>): Promise<TestDoor> {
  const door = await openTestDoor({ handlers });
  onTestFinished(() => door[Symbol.asyncDispose]());
  return door;
}

/** `files`: where artifacts are asked for. */
function linkTo(door: TestDoor, files: () => Endpoint = () => door) {
  const open = async ({ onNotification, reconnectFor }: ConnectionOptions): Promise<Session> => {
    const client = await connect({
      url: door.url,
      key: door.key,
      ...(onNotification === undefined ? {} : { onNotification }),
      ...(reconnectFor === undefined ? {} : { reconnectFor }),
    });
    return {
      client,
      own: false,
      lasting: true,
      closed: client.closed,
      get endpoint() {
        return files();
      },
      onProgress: () => () => undefined,
      close: () => client.close(),
    };
  };
  const link = createDaemonLink({ open, awayMs: 10_000, say: () => undefined });
  onTestFinished(() => link.close());
  return link;
}

describe('events that can not be followed any longer', () => {
  it('are asked for again until the daemon gives them', async () => {
    const answers = ['follow', 'gap', 'busy', 'busy'];
    const door = await doorWith({
      'event/subscribe': (params, { subscriber, afterAnswer }) => {
        const answer = answers.shift();
        if (answer === 'gap') throw new CallsheetError('EVENT_GAP', 'Another log.');
        if (answer === 'busy') throw new CallsheetError('STORAGE_BUSY', 'Not now.');
        const { result, deliver } = subscriber.subscribe(params);
        afterAnswer(deliver);
        return result;
      },
    });
    door.runs.create('a');
    const link = linkTo(door);
    await link.call('ping', {});
    const told: string[] = [];
    link.listen({ run: (runId, body) => void told.push(`${runId} ${body?.type}`) });
    door.cutAll();
    await expect.poll(() => [answers.length, door.hub.subscriptions]).toEqual([0, 1]);
    door.runs.emit('a', { type: 'run.note', code: 'X', message: 'x' });
    await expect.poll(() => told).toContain('a run.note');
  });
});
