// Host, Origin and key, each wrong in every way that is known, before every kind of way in. What is refused changes nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countCases } from '../count-cases.ts';
import { statusOf } from '../daemon/door-harness.ts';
import type { TestDoor } from '../daemon/door-harness.ts';
import { pageLines, openFullDoor, shoot, UPGRADE } from './support.ts';
import type { Shot } from './support.ts';
import { HOSTS, KEYS, ORIGINS } from './vectors.ts';

let door: TestDoor;
let pageHeaders: readonly string[] = [];
const tally = { tried: 0, refused: 0 };
beforeAll(async () => {
  door = await openFullDoor();
  pageHeaders = pageLines(door);
});
afterAll(async () => {
  countCases('gates', tally);
  await door[Symbol.asyncDispose]();
});

const filled = (text: string): string =>
  text.replaceAll('PORT', String(door.port)).replaceAll('OTHER', String(door.port === 8188 ? 8189 : 8188));

/** The status, and whether the answer repeats what came or lets another site read it. */
async function outcomeOf(shot: Shot): Promise<{ readonly status: number; readonly tells: boolean }> {
  tally.tried += 1;
  const answer = await shoot(door, shot);
  const status = statusOf(answer);
  const tells = /access-control-|set-cookie|evil/i.test(answer);
  if (REFUSED.includes(status) && !tells) tally.refused += 1;
  return { status, tells };
}

const REFUSED: readonly number[] = [400, 401, 403];
const oneOf = (...statuses: readonly number[]) => ({
  status: expect.toSatisfy((status: number) => statuses.includes(status)),
  tells: false,
});

const WAYS: readonly (readonly [name: string, shot: () => Shot])[] = [
  ['a request with a key', () => ({ path: '/healthz', headers: [`Authorization: Bearer ${door.key}`] })],
  ['an upgrade with a key', () => ({ path: '/rpc', headers: [`Authorization: Bearer ${door.key}`, ...UPGRADE] })],
  ['an upgrade without one', () => ({ path: '/rpc', headers: UPGRADE })],
  ['the page that lets browsers in', () => ({ path: '/open' })],
  ['a code', () => ({ method: 'POST', path: '/session', headers: ['Content-Type: application/json'], body: '{"code":"x"}' })],
  [
    'a ticket',
    () => ({ method: 'POST', path: '/session/ticket', headers: [...pageHeaders, 'Content-Type: application/json'], body: '{}' }),
  ],
  ['the dashboard', () => ({ path: '/', headers: pageHeaders })],
  [
    'an upload',
    () => ({ method: 'POST', path: '/uploads', headers: [...pageHeaders, 'Content-Type: application/octet-stream'], body: 'x' }),
  ],
];

describe.each(WAYS)('[S1] [S2] before %s', (_name, shotOf) => {
  it.each(HOSTS)('the Host "%s" is refused', async (host) => {
    const shot = shotOf();
    expect(
      await outcomeOf({ ...shot, headers: [`Host: ${filled(host)}`, ...(shot.headers ?? []), `Origin: http://${door.host}`] }),
    ).toEqual(oneOf(400, 403));
  });

  it.each(ORIGINS)('the Origin "%s" is refused', async (origin) => {
    const shot = shotOf();
    expect(await outcomeOf({ ...shot, headers: [...(shot.headers ?? []), `Origin: ${filled(origin)}`] })).toEqual(oneOf(403));
  });
});

describe.each([
  ['a request', '/healthz', []],
  ['an upgrade', '/rpc', UPGRADE],
] as const)('[S1] before %s', (_name, path, extra) => {
  it.each(KEYS)('the header "%s" is no key', async (value) => {
    const { key } = door;
    const swapped = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
    const given = value
      .replaceAll('KEY', key)
      .replaceAll('SWAPPED', swapped)
      .replaceAll('CUT', key.slice(0, -1))
      .replaceAll('REVERSED', key.split('').toReversed().join(''));
    expect(await outcomeOf({ path, headers: [`Authorization: ${given}`, ...extra] })).toEqual(oneOf(400, 401));
  });
});

describe('what was refused', () => {
  it('[S2] changed nothing, and is counted by its reason', () => {
    expect([door.store.lastPosition(), door.hub.subscriptions, door.runs.started, door.store.asset('x')]).toEqual([0, 0, [], undefined]);
    const counts = door.refusals.counts();
    expect(counts['host']).toBeGreaterThanOrEqual(WAYS.length * HOSTS.length - 10);
    expect(counts['origin']).toBeGreaterThanOrEqual(WAYS.length * ORIGINS.length);
    expect(counts['token']).toBeGreaterThanOrEqual(KEYS.length);
  });

  it('[S1] was refused for what was wrong: the same with nothing wrong comes in', async () => {
    const outcomes = await Promise.all(
      WAYS.map(async ([name, shotOf]) => {
        const shot = shotOf();
        return [name, statusOf(await shootUntilHead(shot))] as const;
      }),
    );
    expect(Object.fromEntries(outcomes)).toEqual({
      'a request with a key': 200,
      'an upgrade with a key': 101,
      'an upgrade without one': 101,
      'the page that lets browsers in': 200,
      'a code': 401,
      'a ticket': 200,
      'the dashboard': 200,
      'an upload': 201,
    });
  });
});

/** An upgrade stays open: its head is enough. */
async function shootUntilHead(shot: Shot): Promise<string> {
  const { raw } = await import('../daemon/door-harness.ts');
  const { method = 'GET', path, headers = [], body = '' } = shot;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${door.host}`,
    ...headers,
    `Origin: http://${door.host}`,
    `Content-Length: ${body.length}`,
  ];
  return raw(door.port, `${lines.join('\r\n')}\r\n\r\n${body}`, (text) => text.includes('\r\n\r\n'));
}
