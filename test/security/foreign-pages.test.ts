// Pages of others in a real Chromium: a rebound name, another port of this machine, a page of another site, a frame. None of them reads or changes anything.
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { CHROMIUM, launchChromium } from '../chromium.ts';
import { countCases } from '../count-cases.ts';
import type { TestDoor } from '../daemon/door-harness.ts';
import { openFullDoor } from './support.ts';

/** Tries everything that a page can, and tells what it got to read. As text: it runs there, not here. */
const ATTACK = `async (target) => {
  const read = [];
  // Under a rebound name the page is of our origin and hears our refusal, which tells nothing.
  const isRefusal = (what) => String(what).startsWith('This Host is not served here.');
  const note = (how, what) => { if (what && !isRefusal(what)) read.push(how + ': ' + String(what).slice(0, 80)); };
  const within = (begin) => Promise.race([new Promise(begin), new Promise((done) => setTimeout(done, 1000))]).catch(() => undefined);
  const paths = ['/', '/open', '/healthz', '/artifacts/art-1', '/dashboard/app.js', '/session'];
  for (const path of paths) {
    for (const init of [{}, { credentials: 'include' }, { mode: 'no-cors', credentials: 'include' }, { headers: { Authorization: 'Bearer x' } }]) {
      try { note('fetch ' + path, await (await fetch(target + path, init)).text()); } catch {}
    }
  }
  for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded', 'application/octet-stream']) {
    for (const path of ['/session', '/session/ticket', '/uploads']) {
      for (const mode of ['cors', 'no-cors']) {
        try {
          const init = { method: 'POST', mode, credentials: 'include', headers: { 'Content-Type': type }, body: '{"code":"x"}' };
          note('post ' + path, await (await fetch(target + path, init)).text());
        } catch {}
      }
    }
  }
  for (const path of ['/rpc', '/']) {
    await within((done) => {
      const socket = new WebSocket(target.replace('http', 'ws') + path);
      socket.onmessage = ({ data }) => { note('websocket', data); done(); };
      socket.onerror = () => done();
      socket.onclose = () => done();
    });
  }
  for (const [tag, attribute, path] of [['img', 'src', '/artifacts/art-1'], ['script', 'src', '/dashboard/app.js'], ['link', 'href', '/dashboard/style.css']]) {
    await within((done) => {
      const element = document.createElement(tag);
      if (tag === 'link') element.rel = 'stylesheet';
      element.onload = () => { note(tag, 'loaded ' + path); done(); };
      element.onerror = () => done();
      element[attribute] = target + path;
      document.head.append(element);
    });
  }
  await within((done) => {
    const frame = document.createElement('iframe');
    frame.onload = () => {
      try { note('frame', frame.contentDocument?.body?.textContent); } catch {}
      done();
    };
    frame.src = target + '/';
    document.body.append(frame);
  });
  try {
    const opened = window.open(target + '/');
    await new Promise((done) => setTimeout(done, 300));
    try { note('window', opened?.document?.body?.textContent); } catch {}
    opened?.close();
  } catch {}
  return read;
}`;

describe.skipIf(CHROMIUM === undefined)('[S1] [S2] [S3] [S4] a page of others', () => {
  let door: TestDoor;
  let neighbour: Server;
  let browser: Browser;
  const tally = { pages: 0, read: 0 };

  beforeAll(async () => {
    door = await openFullDoor();
    neighbour = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>Neighbour</title><body></body>');
    });
    await new Promise<void>((resolve) => neighbour.listen(0, '127.0.0.1', resolve));
    browser = await launchChromium('--host-resolver-rules=MAP evil.test 127.0.0.1,MAP *.evil.test 127.0.0.1', '--disable-popup-blocking');
  });
  afterAll(async () => {
    countCases('pages', tally);
    await browser?.close();
    neighbour?.close();
    await door?.[Symbol.asyncDispose]();
  });

  /** A browser whose person is signed in at the daemon. */
  async function signedIn(): Promise<BrowserContext> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://${door.host}/open#${door.sessions.issueCode()}`);
    await page.waitForURL(`http://${door.host}/`);
    await page.close();
    return context;
  }

  /** What it got to read, and whether anything changed. */
  async function attackFrom(page: Page, target: string): Promise<{ readonly read: readonly string[]; readonly changed: boolean }> {
    tally.pages += 1;
    const state = (): string => JSON.stringify([door.store.lastPosition(), door.runs.started, readdirSync(door.dir)]);
    const before = state();
    const read = (await page.evaluate(`(${ATTACK})(${JSON.stringify(target)})`)) as readonly string[];
    tally.read += read.length > 0 ? 1 : 0;
    return { read, changed: state() !== before };
  }
  const NOTHING = { read: [], changed: false };

  const other = (): number => (neighbour.address() as AddressInfo).port;

  it('under a rebound name reads nothing but that it is refused', async () => {
    const context = await signedIn();
    const page = await context.newPage();
    expect((await page.goto(`http://evil.test:${door.port}/`))?.status()).toBe(403);
    // Before the name leads to us it led to the attacker, whose page is still there.
    const attacker = `http://evil.test:${door.port}/attacker`;
    await page.route(attacker, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><body></body>' }));
    await page.goto(attacker);
    expect(await attackFrom(page, `http://evil.test:${door.port}`)).toEqual(NOTHING);
    await context.close();
  });

  it.each([
    ['of another site', () => `http://evil.test:${other()}/`, () => `http://127.0.0.1:${door.port}`],
    ['of a name below another site, at localhost', () => `http://x.evil.test:${other()}/`, () => `http://localhost:${door.port}`],
    ['of another port of this machine', () => `http://127.0.0.1:${other()}/`, () => `http://127.0.0.1:${door.port}`],
    ['of another port of localhost', () => `http://localhost:${other()}/`, () => `http://127.0.0.1:${door.port}`],
    ['without an origin', () => 'data:text/html,<!doctype html><body></body>', () => `http://127.0.0.1:${door.port}`],
  ])('%s reads nothing, though its reader is signed in', async (_name, from, target) => {
    const context = await signedIn();
    const page = await context.newPage();
    await page.goto(from());
    expect(await attackFrom(page, target())).toEqual(NOTHING);
    await context.close();
  });

  it('was shown to attack: the same from our own page reads', async () => {
    const context = await signedIn();
    const page = await context.newPage();
    await page.goto(`http://${door.host}/`);
    const read = (await page.evaluate(`(${ATTACK})(${JSON.stringify(`http://${door.host}`)})`)) as readonly string[];
    expect(read.join('\n')).toMatch(/fetch \/healthz: \{"ok":true/);
    expect(read.join('\n')).toMatch(/websocket: .*challenge/);
    await context.close();
  });
});
