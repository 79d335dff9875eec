// The whole way in, in a real browser: address, code, cookie, ticket, challenge.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { CHROMIUM, launchChromium } from '../chromium.ts';
import { openTestDoor } from '../daemon/door-harness.ts';
import { openFullDoor } from './support.ts';
import type { TestDoor } from '../daemon/door-harness.ts';

/** What a page does to open its WebSocket; resolves with the scope that it got. As text: it runs there, not here. */
const PROVE = `(async () => {
  const headers = { 'Content-Type': 'application/json', 'Callsheet-Page': localStorage.getItem('callsheet-page') };
  const asked = await fetch('/session/ticket', { method: 'POST', headers, body: '{}' });
  const { ticket } = await asked.json();
  const bytes = (text) => new TextEncoder().encode(text);
  const base64url = (array) => btoa(String.fromCharCode(...array)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const key = await crypto.subtle.importKey('raw', bytes(ticket), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const nonce = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const socket = new WebSocket('ws://' + location.host + '/rpc');
  return new Promise((resolve, reject) => {
    socket.onerror = () => reject(new Error('no WebSocket'));
    socket.onclose = ({ code }) => { document.title = 'closed ' + code; };
    socket.onmessage = async ({ data }) => {
      const message = JSON.parse(data);
      if (message.method !== 'challenge') return resolve(message.result.scope);
      const text = ['callsheet-client-1', location.host, 'run', message.params.nonce, nonce].join('\\n');
      const proof = base64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes(text))));
      const params = { client: { name: 'page', version: '1' }, auth: { scope: 'run', nonce, proof } };
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));
    };
  });
})()`;

describe.skipIf(CHROMIUM === undefined)('the address of callsheet open, in Chromium', () => {
  let door: TestDoor;
  let files: TestDoor;
  let browser: Browser;
  beforeAll(async () => {
    files = await openTestDoor();
    const dashboardDir = join(files.dir, 'www');
    mkdirSync(dashboardDir);
    writeFileSync(
      join(dashboardDir, 'index.html'),
      '<!doctype html><title>App</title><script type="module" src="/dashboard/app.js"></script>',
    );
    writeFileSync(join(dashboardDir, 'app.js'), "document.title = 'App runs';");
    door = await openFullDoor({ dashboardDir });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await door?.[Symbol.asyncDispose]();
    await files?.[Symbol.asyncDispose]();
  });

  const address = (): string => `http://${door.host}/open#${door.sessions.issueCode()}`;

  it('leads to the dashboard, out of the history, with a cookie that no script reads', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const url = address();
    await page.goto(url);
    await page.waitForURL(`http://${door.host}/`);
    await page.waitForFunction("document.title === 'App runs'");
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(await context.cookies()).toEqual([expect.objectContaining({ name: 'callsheet-0123abcd', httpOnly: true, sameSite: 'Strict' })]);
    const again = await context.newPage();
    await again.goto(url);
    await again.getByText('This address was used already').waitFor();
    expect(again.url()).toBe(`http://${door.host}/open`);
    await context.close();
  });

  it('opens through a page on disk, as callsheet open does it', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const file = join(files.dir, 'redirect.html');
    writeFileSync(file, `<meta http-equiv="refresh" content="0; url=${address()}">`);
    await page.goto(`file://${file}`);
    await page.waitForURL(`http://${door.host}/`);
    expect(await page.title()).toMatch(/^App/);
    await context.close();
  });

  it('says what to do when there is no code or a wrong one', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://${door.host}/open`);
    expect(await page.getByRole('status').textContent()).toBe('This page opens by a command. Run: callsheet open');
    const other = await context.newPage();
    await other.goto(`http://${door.host}/open#${'x'.repeat(43)}`);
    await other.getByText('Run again: callsheet open').waitFor();
    expect(other.url()).toBe(`http://${door.host}/open`);
    await context.close();
  });

  it('lets the page answer the challenge with a ticket, and the session ends with its WebSockets', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address());
    await page.waitForURL(`http://${door.host}/`);
    const told = await page.evaluate(PROVE);
    expect(told).toBe('run');
    expect(
      await page.evaluate(
        "fetch('/session', { method: 'DELETE', headers: { 'Callsheet-Page': localStorage.getItem('callsheet-page') } }).then(({ status }) => status)",
      ),
    ).toBe(204);
    await page.waitForFunction("document.title === 'closed 4401'");
    expect((await page.reload())?.status()).toBe(401);
    await context.close();
  });

  it('[S2] changes nothing for a server at another port of this machine, to which browsers send the cookie too', async () => {
    const sent: string[] = [];
    const stranger = createServer((request, response) => {
      sent.push(request.headers.cookie ?? '');
      response.setHeader('Content-Type', 'text/html');
      response.end('<script>document.title = String(localStorage.getItem("callsheet-page"))</script>');
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address());
    await page.waitForURL(`http://${door.host}/`);
    await page.goto(`http://127.0.0.1:${String((stranger.address() as AddressInfo).port)}/`);
    // It can read the cookie, and not what the page keeps for its own port.
    expect(sent[0]).toMatch(/^callsheet-0123abcd=[\w-]{43}$/);
    expect(await page.title()).toBe('null');
    const stolen = { Cookie: sent[0] ?? '', Origin: `http://${door.host}`, 'Content-Type': 'application/json' };
    const answer = await fetch(`http://${door.host}/session/ticket`, { method: 'POST', headers: stolen, body: '{}' });
    expect(answer.status).toBe(403);
    await context.close();
    stranger.close();
  });

  it.each(['image/svg+xml', 'text/html', 'application/xhtml+xml', 'text/xml'])(
    '[S4] offers an artifact of type %s for saving, and runs nothing of it',
    async (mediaType) => {
      const name = `evil-${mediaType.replaceAll(/\W/g, '-')}`;
      const path = join(door.dir, `${name}.svg`);
      const script = "document.title = 'ran'; fetch('/session', { method: 'DELETE' })";
      writeFileSync(path, `<svg xmlns="http://www.w3.org/2000/svg" onload="${script}"><script>${script}</script></svg>`);
      door.runs.create(name);
      const row = { artifactId: name, runId: name, step: 's', item: 0, output: 'o', node: '9', index: 0, path, mediaType, bytes: 1 };
      door.store.commit({ artifacts: [{ ...row, sha256: 'abc', kind: 'image', createdAt: 1, draft: false }] });
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(address());
      await page.waitForURL(`http://${door.host}/`);
      const download = page.waitForEvent('download');
      await page.goto(`http://${door.host}/artifacts/${name}`).catch(() => undefined);
      expect((await download).suggestedFilename()).toBe(`${name}.svg`);
      expect(page.url()).toBe(`http://${door.host}/`);
      expect(await page.evaluate("fetch('/healthz').then(({ status }) => status)")).toBe(200);
      // In a frame or a picture of our own page it runs nothing either.
      const title = await page.evaluate(`new Promise((done) => {
        const picture = new Image();
        picture.onload = picture.onerror = () => setTimeout(() => done(document.title), 100);
        picture.src = '/artifacts/${name}';
      })`);
      expect(title).toMatch(/^App/);
      await context.close();
    },
  );
});
