/** The link by itself: a real client at a real door, where sessions and answers are as the test wants them. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** Answers what is asked for with this key. */
async function filesThat(answer: (key: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => answer(request.headers.authorization?.replace('Bearer ', '') ?? '', response));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/rpc`;
}

describe('the bytes of an artifact', () => {
  it('are asked for once more with the new key when another daemon has come to the same port', async () => {
    let key = 'of before';
    const door = await doorWith({
      ping() {
        key = 'of now';
        return { ok: true };
      },
    });
    const url = await filesThat((given, response) => void response.writeHead(given === 'of now' ? 200 : 401).end('bytes'));
    const link = linkTo(door, () => ({ url, key }));
    expect(String(await link.artifactBytes('a', 100))).toBe('bytes');
  });

  it.for([
    [404, 'FILE_NOT_FOUND'],
    [401, 'DAEMON_NOT_RUNNING'],
    [500, 'DAEMON_NOT_RUNNING'],
    [503, 'DAEMON_NOT_RUNNING'],
  ] as const)('that are answered with HTTP %i: %s', async ([status, code]) => {
    const door = await doorWith({});
    const url = await filesThat((_key, response) => void response.writeHead(status).end());
    await expect(linkTo(door, () => ({ url, key: 'k' })).artifactBytes('a', 100)).rejects.toMatchObject({ code });
  });

  it('that break off are told as a daemon that is away', async () => {
    const door = await doorWith({});
    const url = await filesThat((_key, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half', () => response.destroy());
    });
    await expect(linkTo(door, () => ({ url, key: 'k' })).artifactBytes('a', 100)).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' });
  });
});
