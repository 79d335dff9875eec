import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNonce, clientProof, serverProof } from '#protocol/handshake.ts';
import { SESSION_LIFE, createBrowserSessions } from '#daemon/browser/sessions.ts';
import { openSession, openTestDoor, raw, rawSocket, statusOf } from './door-harness.ts';
import type { TestDoor } from './door-harness.ts';

interface Ask {
  readonly method?: string;
  readonly cookie?: string | undefined;
  /** The secret of the page; that of the cookie when absent, and with false none is sent. */
  readonly page?: false | string;
  /** False: none is sent. */
  readonly origin?: false | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** By the cookie that came with it. */
const pages = new Map<string, string>();

function ask(door: TestDoor, path: string, { method = 'GET', cookie, page, origin, headers = {}, body }: Ask = {}): Promise<Response> {
  const secret = page ?? pages.get(cookie ?? '') ?? false;
  return fetch(`http://${door.host}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(cookie === undefined ? {} : { Cookie: cookie }),
      ...(secret === false ? {} : { 'Callsheet-Page': secret }),
      ...(origin === false || method === 'GET' ? {} : { Origin: origin ?? `http://${door.host}` }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
}

const enter = (door: TestDoor, code: string): Promise<Response> =>
  ask(door, '/session', { method: 'POST', body: JSON.stringify({ code }) });

/** The cookie of a new session, as a browser would send it. */
async function comeIn(door: TestDoor): Promise<string> {
  const answer = await enter(door, door.sessions.issueCode());
  expect(answer.status).toBe(200);
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  pages.set(cookie, ((await answer.json()) as { readonly page: string }).page);
  return cookie;
}

async function ticketOf(door: TestDoor, cookie: string): Promise<string> {
  const answer = await ask(door, '/session/ticket', { method: 'POST', cookie, body: '{}' });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { readonly ticket: string }).ticket;
}

/** Opens a WebSocket as a page does and answers the challenge with `key`. */
async function prove(door: TestDoor, key: string, scope: 'read' | 'run' | 'admin' = 'run') {
  const socket = await rawSocket(door.url, { Origin: `http://${door.host}` });
  const challenge = JSON.parse(await socket.next()) as { readonly params: { readonly nonce: string } };
  const handshake = { host: door.host, scope, serverNonce: challenge.params.nonce, clientNonce: createNonce() };
  const auth = { scope, nonce: handshake.clientNonce, proof: clientProof(key, handshake) };
  socket.send({ jsonrpc: '2.0', id: 'init', method: 'initialize', params: { client: { name: 'page', version: '1' }, auth } });
  return { socket, expected: serverProof(key, handshake) };
}

afterEach(() => vi.useRealTimers());

describe('the page /open', () => {
  it.each([
    ['/open', 'text/html; charset=utf-8'],
    ['/open.js', 'text/javascript; charset=utf-8'],
  ])('serves %s to everybody who passes the gates, and lets nothing of others into it', async (path, type) => {
    await using door = await openTestDoor();
    const answer = await ask(door, path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('is behind Host and Origin like everything else', async () => {
    await using door = await openTestDoor();
    expect(statusOf(await raw(door.port, `GET /open HTTP/1.1\r\nHost: evil.test:${door.port}\r\n\r\n`))).toBe(403);
    expect(statusOf(await raw(door.port, `GET /open HTTP/1.1\r\nHost: ${door.host}\r\nOrigin: null\r\n\r\n`))).toBe(403);
    expect(statusOf(await raw(door.port, `GET /open?code=x HTTP/1.1\r\nHost: ${door.host}\r\n\r\n`))).toBe(400);
  });
});

describe('POST /session', () => {
  it('trades a code for a cookie and the secret of the page, once', async () => {
    await using door = await openTestDoor();
    const code = door.sessions.issueCode();
    const answer = await enter(door, code);
    expect([answer.status, await answer.json()]).toEqual([200, { page: expect.stringMatching(/^[\w-]{43}$/) as unknown }]);
    expect(answer.headers.get('set-cookie')).toMatch(/^callsheet-0123abcd=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
    const again = await enter(door, code);
    expect([again.status, again.headers.get('set-cookie')]).toEqual([401, null]);
    expect(await again.text()).toBe('The code is wrong, used or too old: run `callsheet open`.\n');
    expect(door.refusals.counts()['code']).toBe(1);
  });

  it.each([
    ['no type', undefined],
    ['a form', 'application/x-www-form-urlencoded'],
    ['a form with parts', 'multipart/form-data; boundary=x'],
    ['plain text', 'text/plain'],
    ['JSON with a charset', 'application/json; charset=utf-8'],
    ['JSON in capitals', 'APPLICATION/JSON'],
  ])('refuses a body with %s and leaves the code good', async (_name, type) => {
    await using door = await openTestDoor();
    const code = door.sessions.issueCode();
    const body = JSON.stringify({ code });
    for (const path of ['/session', '/session/ticket']) {
      const known = path === '/session' ? '' : await comeIn(door);
      const cookie = known === '' ? '' : `Cookie: ${known}\r\nCallsheet-Page: ${pages.get(known) ?? ''}\r\n`;
      const head = `POST ${path} HTTP/1.1\r\nHost: ${door.host}\r\nOrigin: http://${door.host}\r\n${cookie}Content-Length: ${body.length}\r\n`;
      const answer = await raw(door.port, `${head}${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n${body}`);
      expect([path, statusOf(answer)]).toEqual([path, 415]);
    }
    expect((await enter(door, code)).status).toBe(200);
  });

  it.each<[string, string, number]>([
    ['no JSON', '{', 400],
    ['a list', '[]', 400],
    ['nothing', '', 400],
    ['no code', '{}', 400],
    ['a code that is a number', '{"code":1}', 400],
    ['what looks like an answer of ours', '{"status":204,"reason":"token","refusal":{"status":204},"message":"x"}', 400],
    ['too many bytes', `{"code":"${'x'.repeat(1024)}"}`, 413],
  ])('refuses %s', async (_name, body, status) => {
    await using door = await openTestDoor();
    const answer = await ask(door, '/session', { method: 'POST', body: body === '' ? ' ' : body });
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([status, null]);
  });

  it('refuses a body that is announced small and turns out large', async () => {
    await using door = await openTestDoor();
    const chunk = `${(2000).toString(16)}\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`;
    const head = `POST /session HTTP/1.1\r\nHost: ${door.host}\r\nOrigin: http://${door.host}\r\nContent-Type: application/json\r\n`;
    expect(statusOf(await raw(door.port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`))).toBe(413);
  });

  it('needs an Origin of ours', async () => {
    await using door = await openTestDoor();
    const code = door.sessions.issueCode();
    const body = JSON.stringify({ code });
    expect((await ask(door, '/session', { method: 'POST', origin: false, body })).status).toBe(403);
    expect((await ask(door, '/session', { method: 'POST', origin: 'http://evil.test', body })).status).toBe(403);
    expect((await enter(door, code)).status).toBe(200);
  });

  it('refuses wrong codes for a while after ten of them, and lets a right one in all the same', () => {
    let now = 0;
    const sessions = createBrowserSessions('0123abcd', () => now);
    for (let nth = 0; nth < 10; nth += 1) expect(sessions.redeem('x'.repeat(43))).toBe('wrong');
    const code = sessions.issueCode();
    expect(sessions.redeem('x'.repeat(43))).toEqual({ later: 6000 });
    expect(sessions.redeem(code)).toEqual({ secret: expect.stringMatching(/^[\w-]{43}$/), page: expect.stringMatching(/^[\w-]{43}$/) });
    expect(sessions.redeem(code)).toEqual({ later: 6000 });
    now = 6000;
    expect([sessions.redeem(code), sessions.redeem(code)]).toEqual(['wrong', { later: 6000 }]);
    sessions.close();
  });

  it('says when to try again after too many wrong codes', async () => {
    await using door = await openTestDoor();
    for (let nth = 0; nth < 10; nth += 1) expect((await enter(door, 'wrong')).status).toBe(401);
    const answer = await enter(door, 'wrong');
    expect((await enter(door, door.sessions.issueCode())).status).toBe(200);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^[1-6]$/)]);
    expect(door.refusals.counts()).toMatchObject({ code: 10, rate: 1 });
  });

  it('knows a code for 60 seconds, and the newest sixteen of them', () => {
    let now = 0;
    const sessions = createBrowserSessions('0123abcd', () => now);
    const early = sessions.issueCode();
    const codes = Array.from({ length: 16 }, () => sessions.issueCode());
    expect(sessions.redeem(early)).toBe('wrong');
    now = 59_999;
    expect(sessions.redeem(codes[0] ?? '')).toHaveProperty('secret');
    now = 60_000;
    expect(sessions.redeem(codes[1] ?? '')).toBe('wrong');
    sessions.close();
  });
});

describe('a session', () => {
  it.each([
    ['GET', '/', 404],
    ['GET', '/dashboard/app.js', 404],
    ['GET', '/nowhere', 404],
  ])('opens %s %s: without its cookie 401, with it an answer', async (method, path, status) => {
    await using door = await openTestDoor();
    const cookie = await comeIn(door);
    expect((await ask(door, path, { method })).status).toBe(401);
    expect((await ask(door, path, { method, cookie: cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) })).status).toBe(401);
    expect((await ask(door, path, { method, cookie: cookie.replace('0123abcd', '0123abce') })).status).toBe(401);
    expect((await ask(door, path, { method, cookie })).status).toBe(status);
    // Another server on this machine may have set one of the same name.
    expect((await ask(door, path, { method, cookie: `callsheet-0123abcd=other; a=b; ${cookie}` })).status).toBe(status);
  });

  it('tells a person without a cookie what to do', async () => {
    await using door = await openTestDoor();
    expect(await (await ask(door, '/')).text()).toBe('This page opens by a command: run `callsheet open`.\n');
    expect(door.refusals.counts()['session']).toBe(1);
  });

  it('changes nothing without an Origin of ours', async () => {
    await using door = await openTestDoor();
    const cookie = await comeIn(door);
    for (const [method, path] of [
      ['POST', '/session/ticket'],
      ['DELETE', '/session'],
    ] as const) {
      expect((await ask(door, path, { method, cookie, origin: false, ...(method === 'POST' ? { body: '{}' } : {}) })).status).toBe(403);
      expect(
        (await ask(door, path, { method, cookie, origin: 'http://127.0.0.1:1', ...(method === 'POST' ? { body: '{}' } : {}) })).status,
      ).toBe(403);
    }
    expect((await ask(door, '/nowhere', { cookie })).status).toBe(404);
  });

  it('changes nothing by its cookie alone, which browsers send to every port of the machine', async () => {
    await using door = await openTestDoor();
    const cookie = await comeIn(door);
    const others = pages.get(await comeIn(door)) ?? '';
    for (const page of [false, others, 'x', ''] as const) {
      const answers = [
        await ask(door, '/session/ticket', { method: 'POST', cookie, page, body: '{}' }),
        await ask(door, '/session', { method: 'DELETE', cookie, page }),
        await ask(door, '/uploads', { method: 'POST', cookie, page, headers: { 'Content-Type': 'application/octet-stream' }, body: 'x' }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
      expect(await answers[0]?.text()).toBe('The cookie alone changes nothing. Open the page again: callsheet open\n');
    }
    expect(await ticketOf(door, cookie)).toMatch(/^[\w-]{43}$/);
  });

  it.each([
    [{ 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }, 404],
    [{ 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }, 404],
    [{ 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }, 404],
    [{ 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }, 403],
    [{ 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script' }, 403],
  ])('answers what a page asks for with %j by %i', async (headers, status) => {
    await using door = await openTestDoor();
    // By hand: the fetch of Node sets these headers itself.
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const cookie = await comeIn(door);
    const head = `GET /artifacts/none HTTP/1.1\r\nHost: ${door.host}\r\nCookie: ${cookie}\r\nConnection: close\r\n`;
    expect(statusOf(await raw(door.port, `${head}${lines.join('')}\r\n`))).toBe(status);
  });

  it('ends by DELETE /session: the cookie, its tickets and its WebSockets', async () => {
    await using door = await openTestDoor();
    const cookie = await comeIn(door);
    const { socket } = await prove(door, await ticketOf(door, cookie));
    await socket.next((frame) => frame.includes('"init"'));
    const unused = await ticketOf(door, cookie);
    const answer = await ask(door, '/session', { method: 'DELETE', cookie });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('set-cookie')).toBe('callsheet-0123abcd=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0');
    expect(await socket.closed).toEqual({ code: 4401, reason: 'the session has ended' });
    expect((await ask(door, '/', { cookie })).status).toBe(401);
    expect(await (await prove(door, unused)).socket.closed).toMatchObject({ code: 4401 });
  });

  it('takes the inspectors with it that its pages opened, and the tickets for others', async () => {
    await using door = await openTestDoor();
    const cookie = await comeIn(door);
    const { socket } = await prove(door, await ticketOf(door, cookie));
    await socket.next((frame) => frame.includes('"init"'));
    const pathOf = async (id: number): Promise<string> => {
      socket.send({ jsonrpc: '2.0', id, method: 'inspect/ticket', params: {} });
      const answer = JSON.parse(await socket.next((frame) => frame.includes(`"id":${String(id)}`))) as { result: { path: string } };
      return answer.result.path;
    };
    const used = await rawSocket(`ws://${door.host}${await pathOf(1)}`, {});
    const unused = await pathOf(2);
    await ask(door, '/session', { method: 'DELETE', cookie });
    expect(await used.closed).toEqual({ code: 4401, reason: 'the session has ended' });
    await expect(rawSocket(`ws://${door.host}${unused}`, {})).rejects.toThrow('401');
  });

  it('leaves the WebSockets of others alone when it ends', async () => {
    await using door = await openTestDoor();
    const cookie = await comeIn(door);
    const other = await prove(door, await ticketOf(door, await comeIn(door)));
    const tool = await openSession(door, 'admin');
    await ask(door, '/session', { method: 'DELETE', cookie });
    for (const socket of [other.socket, tool]) {
      socket.send({ jsonrpc: '2.0', id: 7, method: 'ping' });
      expect(await socket.next((frame) => frame.includes('"id":7'))).toContain('"ok":true');
    }
  });

  it('ends after twelve hours', () => {
    vi.useFakeTimers();
    const sessions = createBrowserSessions('0123abcd', () => Date.now());
    const redeemed = sessions.redeem(sessions.issueCode());
    const headers = ['Cookie', `${sessions.cookieName}=${typeof redeemed === 'object' && 'secret' in redeemed ? redeemed.secret : ''}`];
    const session = sessions.of(headers);
    expect(session?.ended.aborted).toBe(false);
    vi.advanceTimersByTime(SESSION_LIFE - 1);
    expect(sessions.of(headers)).toBe(session);
    vi.advanceTimersByTime(1);
    expect([sessions.of(headers), session?.ended.aborted]).toEqual([undefined, true]);
  });

  it('keeps at most 32 of its kind: the oldest ends', () => {
    const sessions = createBrowserSessions('0123abcd', () => 0);
    const secrets = Array.from({ length: 33 }, () => sessions.redeem(sessions.issueCode())).map((one) =>
      typeof one === 'object' && 'secret' in one ? one.secret : '',
    );
    const known = secrets.map((secret) => sessions.of(['Cookie', `${sessions.cookieName}=${secret}`]) !== undefined);
    expect(known).toEqual([false, ...Array.from({ length: 32 }, () => true)]);
    sessions.close();
  });
});

describe('a ticket', () => {
  it('opens one WebSocket with the scope run, and both sides prove it', async () => {
    await using door = await openTestDoor();
    const ticket = await ticketOf(door, await comeIn(door));
    expect(ticket).toMatch(/^[\w-]{43}$/);
    const { socket, expected } = await prove(door, ticket);
    const { result } = JSON.parse(await socket.next((frame) => frame.includes('"init"')));
    expect(result).toMatchObject({ scope: 'run', proof: expected });
    socket.send({ jsonrpc: '2.0', id: 1, method: 'session/open', params: {} });
    expect(await socket.next((frame) => frame.includes('"id":1'))).toContain('"FORBIDDEN"');
    expect(await (await prove(door, ticket)).socket.closed).toMatchObject({ code: 4401 });
  });

  it.each(['read', 'admin'] as const)('proves no scope %s', async (scope) => {
    await using door = await openTestDoor();
    const ticket = await ticketOf(door, await comeIn(door));
    expect(await (await prove(door, ticket, scope)).socket.closed).toMatchObject({ code: 4401 });
  });

  it('is no key for requests, and neither key nor cookie gives one without the other page', async () => {
    await using door = await openTestDoor();
    const ticket = await ticketOf(door, await comeIn(door));
    expect((await ask(door, '/', { headers: { Authorization: `Bearer ${ticket}` } })).status).toBe(401);
    const byKey = { Authorization: `Bearer ${door.key}` };
    expect((await ask(door, '/session/ticket', { method: 'POST', body: '{}', headers: byKey })).status).toBe(401);
    expect((await ask(door, '/session/ticket', { method: 'POST', body: '{}' })).status).toBe(401);
  });

  it('is not needed where nobody knows it: the cookie alone opens no WebSocket', async () => {
    await using door = await openTestDoor();
    const cookie = await comeIn(door);
    const socket = await rawSocket(door.url, { Origin: `http://${door.host}`, Cookie: cookie });
    socket.send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { client: { name: 'x', version: '1' } } });
    expect(await socket.closed).toMatchObject({ code: 4401 });
  });

  it('lives for 30 seconds', () => {
    let now = 0;
    const sessions = createBrowserSessions('0123abcd', () => now);
    const redeemed = sessions.redeem(sessions.issueCode());
    const session = sessions.of([
      'Cookie',
      `${sessions.cookieName}=${typeof redeemed === 'object' && 'secret' in redeemed ? redeemed.secret : ''}`,
    ]);
    const auth = sessions.withTickets({ keyOf: () => '', fromHeaders: () => 'absent', answer: () => undefined });
    const handshake = { host: 'h', scope: 'run', serverNonce: 's', clientNonce: 'c' } as const;
    const tickets = session === undefined ? [] : [sessions.issueTicket(session), sessions.issueTicket(session)];
    now = 29_999;
    expect(auth.answer(handshake, clientProof(tickets[0] ?? '', handshake))?.ended).toBe(session?.ended);
    now = 30_000;
    expect(auth.answer(handshake, clientProof(tickets[1] ?? '', handshake))).toBeUndefined();
    sessions.close();
  });
});

describe('session/open', () => {
  it('gives an address with a code in its fragment, to admins only', async () => {
    await using door = await openTestDoor();
    const admin = await openSession(door, 'admin');
    admin.send({ jsonrpc: '2.0', id: 1, method: 'session/open', params: {} });
    const { url } = JSON.parse(await admin.next((frame) => frame.includes('"id":1'))).result;
    expect(url).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${door.port}/open#[\\w-]{43}$`));
    expect((await enter(door, url.split('#')[1])).status).toBe(200);
    const runner = await openSession(door, 'run');
    runner.send({ jsonrpc: '2.0', id: 1, method: 'session/open', params: {} });
    expect(await runner.next((frame) => frame.includes('"id":1'))).toContain('"FORBIDDEN"');
  });
});

describe('the files of the dashboard', () => {
  async function withFiles() {
    const door = await openTestDoor();
    const dir = join(door.dir, 'www');
    mkdirSync(join(dir, 'inspector'), { recursive: true });
    writeFileSync(join(door.dir, 'secret.js'), 'SECRET');
    writeFileSync(join(dir, 'index.html'), '<!doctype html>');
    writeFileSync(join(dir, 'app.js'), 'export {};');
    writeFileSync(join(dir, 'inspector', 'view.css'), 'a{}');
    writeFileSync(join(dir, '.hidden.js'), 'SECRET');
    writeFileSync(join(dir, 'noted'), 'SECRET');
    symlinkSync('../secret.js', join(dir, 'link.js'));
    symlinkSync('..', join(dir, 'up'));
    mkdirSync(join(dir, 'folder.js'));
    return { door, dir };
  }

  it.each([
    ['/', 'text/html; charset=utf-8'],
    ['/dashboard/index.html', 'text/html; charset=utf-8'],
    ['/dashboard/app.js', 'text/javascript; charset=utf-8'],
    ['/dashboard/inspector/view.css', 'text/css; charset=utf-8'],
  ])('are served at %s with their type, policy and tag', async (path, type) => {
    const { door: parts, dir } = await withFiles();
    await using _parts = parts;
    await using door = await openTestDoor({ dashboardDir: dir });
    const cookie = await comeIn(door);
    const answer = await ask(door, path, { cookie });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': type,
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy':
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; " +
        `connect-src 'self' ws://${door.host}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'none'`,
    });
    const etag = answer.headers.get('etag') ?? '';
    const again = await ask(door, path, { cookie, headers: { 'If-None-Match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const other = await ask(door, path, { cookie, headers: { 'If-None-Match': '"other"' } });
    expect(other.status).toBe(200);
  });

  it.each([
    '../secret.js',
    '..%2fsecret.js',
    '%2e%2e/secret.js',
    'inspector/../../secret.js',
    '/etc/passwd',
    '..\\secret.js',
    'link.js',
    'up/secret.js',
    '.hidden.js',
    'inspector/.js',
    'noted',
    'folder.js',
    'app.js/',
    'app.js%00',
    'nowhere.js',
    'a/b/c/d/e/f.js',
    `${'x'.repeat(200)}.js`,
    '',
  ])('and nothing else: %j is 404', async (name) => {
    const { door: parts, dir } = await withFiles();
    await using _parts = parts;
    await using door = await openTestDoor({ dashboardDir: dir });
    const cookie = await comeIn(door);
    const answer = await raw(
      door.port,
      `GET /dashboard/${name} HTTP/1.1\r\nHost: ${door.host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
    );
    expect(statusOf(answer)).toBe(404);
    expect(answer).not.toContain('SECRET');
  });

  it('say in one line how to build them when they were not', async () => {
    await using door = await openTestDoor();
    const answer = await ask(door, '/', { cookie: await comeIn(door) });
    expect([answer.status, await answer.text()]).toEqual([
      404,
      'The dashboard was not built. In a checkout, run: npm run build:dashboard\n',
    ]);
  });

  it('follow a second name of the same file, which is no way out', async () => {
    const { door: parts, dir } = await withFiles();
    await using _parts = parts;
    linkSync(join(dir, 'app.js'), join(dir, 'twin.js'));
    await using door = await openTestDoor({ dashboardDir: dir });
    expect((await ask(door, '/dashboard/twin.js', { cookie: await comeIn(door) })).status).toBe(200);
  });
});
