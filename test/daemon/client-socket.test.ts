import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '#protocol/client.ts';
import { openTestDoor } from './door-harness.ts';

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'callsheet-socket-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function listenAt(path: string, onConnection: (socket: Socket) => void) {
  const server = createServer(onConnection);
  server.listen(path);
  await once(server, 'listening');
  return server;
}

// Windows has no Unix sockets in folders.
describe.skipIf(process.platform === 'win32')('a Unix socket that nobody answers at', () => {
  it('is passed over for the port when its daemon was killed', async () => {
    const socket = join(freshFolder(), 's');
    const server = await listenAt(`${socket}-was`, () => undefined);
    // A server that closes takes its socket away, under the name that it knows.
    renameSync(`${socket}-was`, socket);
    server.close();
    await once(server, 'close');
    await using door = await openTestDoor();
    const client = await connect({ url: door.url, key: door.key, socket });
    expect(await client.call('ping')).toMatchObject({ ok: true });
    await client.close();
  });

  it('is passed over for the port when it hangs up before a word', async () => {
    const socket = join(freshFolder(), 's');
    let calls = 0;
    const server = await listenAt(socket, (connection) => {
      calls += 1;
      connection.destroy();
    });
    onTestFinished(() => void server.close());
    await using door = await openTestDoor();
    const client = await connect({ url: door.url, key: door.key, socket });
    expect(await client.call('ping')).toMatchObject({ ok: true });
    expect(calls).toBe(1);
    await client.close();
  });

  it('is passed over for the port when it can not even be looked at', async () => {
    const file = join(freshFolder(), 'file');
    writeFileSync(file, '');
    await using door = await openTestDoor();
    const client = await connect({ url: door.url, key: door.key, socket: join(file, 's') });
    expect(await client.call('ping')).toMatchObject({ ok: true });
    await client.close();
  });

  it('leaves the error about the address when the port does not answer either', async () => {
    const socket = join(freshFolder(), 's');
    const server = await listenAt(socket, (connection) => void connection.destroy());
    onTestFinished(() => void server.close());
    const door = await openTestDoor();
    await door[Symbol.asyncDispose]();
    await expect(connect({ url: door.url, key: door.key, socket })).rejects.toMatchObject({ code: 'DAEMON_NOT_RUNNING' });
  });
});
