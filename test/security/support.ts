/** A door with every route that a daemon has, and what a browser would send it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContention } from '#daemon/contention.ts';
import { createRoutes } from '#daemon/routes.ts';
import { openTestDoor, raw } from '../daemon/door-harness.ts';
import type { DoorOptions, TestDoor } from '../daemon/door-harness.ts';

const quiet = { info: () => undefined, warn: () => undefined };

export async function openFullDoor(options: DoorOptions = {}): Promise<TestDoor> {
  return openTestDoor({
    ...options,
    routes: ({ dir, store }) => {
      mkdirSync(join(dir, 'www'), { recursive: true });
      writeFileSync(join(dir, 'www', 'index.html'), '<!doctype html><title>App</title>');
      writeFileSync(join(dir, 'www', 'app.js'), 'export {};');
      return createRoutes({
        assetDir: join(dir, 'assets'),
        store,
        contention: createContention(quiet),
        storage: () => ({ status: 'ready' }),
        cap: 1_000_000,
        stall: 5000,
      });
    },
  });
}

export interface Shot {
  readonly method?: string;
  readonly path: string;
  /** Lines without line ends; `Host` is ours unless one is given. */
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** Sends a request by hand, every header as it stands, and gives back the whole answer. */
export function shoot(door: Pick<TestDoor, 'port' | 'host'>, { method = 'GET', path, headers = [], body }: Shot): Promise<string> {
  const host = headers.some((line) => /^host:/i.test(line)) ? [] : [`Host: ${door.host}`];
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [`${method} ${path} HTTP/1.1`, ...host, ...headers, ...length, 'Connection: close', '', body ?? ''];
  return raw(door.port, lines.join('\r\n'));
}

/** What a page of a new session sends: its cookie, and its own secret. */
export function pageLines(door: TestDoor): readonly [cookie: string, page: string] {
  const redeemed = door.sessions.redeem(door.sessions.issueCode());
  if (typeof redeemed !== 'object' || !('secret' in redeemed)) throw new Error('no session');
  return [`Cookie: ${door.sessions.cookieName}=${redeemed.secret}`, `Callsheet-Page: ${redeemed.page}`];
}

export const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
] as const;
