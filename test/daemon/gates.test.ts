import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOSTS, ORIGINS } from '../security/vectors.ts';
import { openTestDoor, raw, rawSocket, statusOf } from './door-harness.ts';
import type { TestDoor } from './door-harness.ts';

let door: TestDoor;
beforeAll(async () => {
  door = await openTestDoor();
});
afterAll(() => door[Symbol.asyncDispose]());

const KEY_HANDSHAKE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';

/** Written with PORT for ours and OTHER for a neighbour's. */
const filled = (text: string): string =>
  text.replaceAll('PORT', String(door.port)).replaceAll('OTHER', String(door.port === 8188 ? 8189 : 8188));

describe.each([
  ['a request', 'GET /healthz HTTP/1.1\r\n', ''],
  ['a request for a path that does not exist', 'GET /nowhere HTTP/1.1\r\n', ''],
  ['an upgrade', 'GET /rpc HTTP/1.1\r\n', KEY_HANDSHAKE],
])('[S1] [S2] gates before %s', (_what, line, extra) => {
  it.each(HOSTS)('refuse the Host "%s"', async (host) => {
    const answer = await raw(door.port, `${line}Host: ${filled(host)}\r\nAuthorization: Bearer ${door.key}\r\n${extra}\r\n`);
    expect([400, 403]).toContain(statusOf(answer));
    expect(answer).not.toContain('evil');
    expect(answer.toLowerCase()).not.toContain('access-control');
  });

  it.each(ORIGINS)('refuse the Origin "%s"', async (origin) => {
    const answer = await raw(
      door.port,
      `${line}Host: ${door.host}\r\nOrigin: ${filled(origin)}\r\nAuthorization: Bearer ${door.key}\r\n${extra}\r\n`,
    );
    expect(statusOf(answer)).toBe(403);
    expect(answer).toContain('Origin');
    expect(answer).not.toContain('evil');
    expect(answer.toLowerCase()).not.toContain('access-control');
  });

  it.each([
    ['no Host at all', ''],
    ['two Hosts', 'Host: HOST\r\nHost: HOST\r\n'],
    ['a second Host that is wrong', 'Host: HOST\r\nHost: evil.com\r\n'],
    ['two Origins', 'Host: HOST\r\nOrigin: http://HOST\r\nOrigin: http://HOST\r\n'],
    ['a second Origin that is wrong', 'Host: HOST\r\nOrigin: http://HOST\r\nOrigin: http://evil.com\r\n'],
  ])('refuse %s', async (_name, headers) => {
    const answer = await raw(
      door.port,
      `${line}${headers.replaceAll('HOST', door.host)}Authorization: Bearer ${door.key}\r\nConnection: close\r\n${extra}\r\n`,
    );
    expect([400, 403]).toContain(statusOf(answer));
  });
});

describe('gates', () => {
  it.each(['http://127.0.0.1:PORT/healthz', 'http://evil.com/healthz', '//evil.com/healthz', '*'])(
    'refuse the target "%s"',
    async (target) => {
      const answer = await raw(
        door.port,
        `GET ${filled(target)} HTTP/1.1\r\nHost: ${door.host}\r\nAuthorization: Bearer ${door.key}\r\n\r\n`,
      );
      expect([400, 404]).toContain(statusOf(answer));
    },
  );

  it('refuse to be a proxy', async () => {
    const answer = await raw(door.port, `CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: ${door.host}\r\n\r\n`);
    expect(statusOf(answer)).toBe(405);
  });

  it.each(['/rpc?token=KEY', '/rpc?KEY', '/healthz?key=KEY', '/?x'])(
    'refuse a key in the query with 400 even if it is right: %s',
    async (path) => {
      const target = path.replace('KEY', door.key);
      const upgrade = await raw(door.port, `GET ${target} HTTP/1.1\r\nHost: ${door.host}\r\n${KEY_HANDSHAKE}\r\n`);
      expect(statusOf(upgrade)).toBe(400);
      expect(upgrade).not.toContain(door.key);
      const request = await raw(door.port, `GET ${target} HTTP/1.1\r\nHost: ${door.host}\r\n\r\n`);
      expect(statusOf(request)).toBe(400);
    },
  );

  it.each(['http://127.0.0.1:PORT', 'http://localhost:PORT'])('let our own Origin %s in', async (origin) => {
    const socket = await rawSocket(door.url, { Origin: filled(origin) });
    expect(await socket.next()).toContain('challenge');
    socket.socket.terminate();
  });

  it('let the Host localhost in', async () => {
    const answer = await raw(
      door.port,
      `GET /healthz HTTP/1.1\r\nHost: localhost:${door.port}\r\nAuthorization: Bearer ${door.key}\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(404);
  });

  it('count refusals by reason', () => {
    const counts = door.refusals.counts();
    expect(counts['host']).toBeGreaterThanOrEqual(3 * HOSTS.length);
    expect(counts['origin']).toBeGreaterThanOrEqual(3 * ORIGINS.length);
    expect(counts['query']).toBeGreaterThanOrEqual(8);
  });

  it('leave no trace of what was refused: no run, no subscription, no connection', () => {
    expect(door.store.lastPosition()).toBe(0);
    expect(door.hub.subscriptions).toBe(0);
    expect(door.runs.started).toEqual([]);
  });
});
