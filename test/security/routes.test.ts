// What each route answers to whom: nobody without a key, no simple request of a foreign page, and the same strict headers everywhere.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBrowserRoutes } from '#daemon/browser/routes.ts';
import { createRoutes } from '#daemon/routes.ts';
import { countCases } from '../count-cases.ts';
import { statusOf } from '../daemon/door-harness.ts';
import type { TestDoor } from '../daemon/door-harness.ts';
import { pageLines, openFullDoor, shoot } from './support.ts';

let door: TestDoor;
beforeAll(async () => {
  door = await openFullDoor();
});
afterAll(() => door[Symbol.asyncDispose]());

/** Every route that the daemon serves, with an address that it takes. Who adds one adds it here, or the first test fails. */
const ROUTES: readonly (readonly [method: 'GET' | 'POST' | 'DELETE', path: string])[] = [
  ['GET', '/healthz'],
  ['POST', '/uploads'],
  ['GET', '/artifacts/art-1'],
  ['GET', `/assets/${'a'.repeat(64)}`],
  ['GET', '/open'],
  ['GET', '/open.js'],
  ['POST', '/session'],
  ['DELETE', '/session'],
  ['POST', '/session/ticket'],
  ['GET', '/'],
  ['GET', '/dashboard/app.js'],
];
const OPEN: readonly string[] = ['GET /open', 'GET /open.js', 'POST /session'];

describe('[S33] the routes of the daemon', () => {
  it('are these and no others', () => {
    const parts = { store: door.store, assetDir: '', contention: { write: () => Promise.resolve() }, cap: 0, stall: 0 };
    const made = [
      ...createRoutes({ ...(parts as unknown as Parameters<typeof createRoutes>[0]), storage: () => ({ status: 'ready' }) }),
      ...createBrowserRoutes({ sessions: door.sessions }),
    ];
    const known = ROUTES.map(([method, path]) => made.findIndex((route) => route.method === method && route.path.test(path)));
    expect(known.toSorted((a, b) => a - b)).toEqual(made.map((_, index) => index));
    expect(made.filter(({ scope }) => scope === 'open')).toHaveLength(OPEN.length);
  });

  it('answer 401 without a key, all but the way in for browsers', async () => {
    const tally = { tried: 0, refused: 0 };
    for (const [method, path] of ROUTES) {
      if (OPEN.includes(`${method} ${path}`)) continue;
      tally.tried += 1;
      const status = statusOf(await shoot(door, { method, path }));
      expect([method, path, status]).toEqual([method, path, 401]);
      tally.refused += 1;
    }
    countCases('routes', tally);
  });

  it.each([
    '/debug',
    '/debug/pprof',
    '/metrics',
    '/json',
    '/json/version',
    '/status',
    '/admin',
    '/.env',
    '/.git/config',
    '/runtime.json',
    '/data',
  ])('have nothing at %s for strangers', async (path) => {
    expect(statusOf(await shoot(door, { path }))).toBe(401);
  });

  it.each(['TRACE', 'OPTIONS', 'PUT', 'PATCH', 'PROPFIND', 'LINK'])('take no %s, with a key or without', async (method) => {
    for (const path of ['/', '/uploads', '/open', '/session']) {
      expect([401, 405]).toContain(statusOf(await shoot(door, { method, path })));
      expect(statusOf(await shoot(door, { method, path, headers: [`Authorization: Bearer ${door.key}`] }))).toBe(405);
    }
  });
});

describe('[S4] the headers of every route', () => {
  const policies: Readonly<Record<string, RegExp>> = {
    '/open':
      /^default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'$/,
    '/': /^default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; connect-src 'self' ws:\/\/127\.0\.0\.1:\d+; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'none'$/,
    other: /^default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox$/,
  };

  it.each([...ROUTES, ['GET', '/nowhere'], ['PUT', '/uploads']] as const)(
    '%s %s are strict, with a key and without',
    async (method, path) => {
      const own = path.startsWith('/open')
        ? policies['/open']
        : path === '/' || path.startsWith('/dashboard/')
          ? policies['/']
          : policies['other'];
      for (const headers of [[], [`Authorization: Bearer ${door.key}`]]) {
        const head = (await shoot(door, { method, path, headers })).split('\r\n\r\n')[0]?.split('\r\n') ?? [];
        const told = new Map(
          head.slice(1).map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
        );
        expect(Object.fromEntries(told)).toMatchObject({
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cross-origin-resource-policy': 'same-origin',
          'cross-origin-opener-policy': 'same-origin',
          'x-frame-options': 'DENY',
          'cache-control': expect.stringMatching(/^no-store$|^private, no-cache$/),
        });
        // What is refused carries the strictest, wherever it was asked for.
        const policy = told.get('content-security-policy') ?? '';
        expect([own, policies['other']].some((pattern) => pattern?.test(policy))).toBe(true);
        expect(
          [...told.keys()].filter((name) => name.startsWith('access-control') || name === 'server' || name === 'x-powered-by'),
        ).toEqual([]);
      }
    },
  );
});

describe('[S3] a request that any page can send', () => {
  const SIMPLE = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain; charset=utf-8', ''];
  const OVERRIDES = ['X-HTTP-Method-Override: DELETE', 'X-HTTP-Method: DELETE', 'X-Method-Override: POST'];

  it.each(SIMPLE)('of type "%s" is refused, and changes nothing', async (type) => {
    const header = type === '' ? [] : [`Content-Type: ${type}`];
    const asOurs = [...pageLines(door), `Origin: http://${door.host}`];
    for (const path of ['/session', '/session/ticket', '/uploads']) {
      const answer = await shoot(door, { method: 'POST', path, headers: [...asOurs, ...header], body: '{"code":"x"}' });
      expect([path, statusOf(answer)]).toEqual([path, 415]);
      const asTool = await shoot(door, { method: 'POST', path, headers: [`Authorization: Bearer ${door.key}`, ...header], body: '{}' });
      expect([401, 403, 415]).toContain(statusOf(asTool));
    }
    expect(door.store.lastPosition()).toBe(0);
  });

  it.each(OVERRIDES)('does not turn into another by "%s"', async (header) => {
    const lines = pageLines(door);
    await shoot(door, { path: '/', headers: [...lines, header] });
    await shoot(door, { path: '/healthz', headers: [...lines, header] });
    expect(statusOf(await shoot(door, { path: '/healthz', headers: lines }))).toBe(200);
  });

  it.each(['POST', 'DELETE'] as const)('%s with our cookie and without our Origin is refused at every route', async (method) => {
    const lines = pageLines(door);
    for (const path of ['/session', '/session/ticket', '/uploads']) {
      for (const origin of [[], ['Origin: null'], ['Origin: http://127.0.0.1:8188'], ['Origin: http://evil.test']]) {
        const headers = [...lines, ...origin, 'Content-Type: application/json'];
        expect([403, 405]).toContain(statusOf(await shoot(door, { method, path, headers, body: '{}' })));
      }
    }
    expect(statusOf(await shoot(door, { path: '/healthz', headers: lines }))).toBe(200);
  });
});
