/** The browser's routes: in by a code, tickets for WebSockets, out again, and the files of the dashboard. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ORIGIN_MISSING, hasOrigin } from '../callers.ts';
import type { Refusal } from '../gates.ts';
import type { Route } from '../http-server.ts';
import { readJson } from './read-json.ts';
import { SESSION_LIFE } from './sessions.ts';
import type { BrowserSessions } from './sessions.ts';
import { DASHBOARD_DIR, FILE_PATH, readInside, sendStatic } from './static-files.ts';

export interface BrowserRouteOptions {
  readonly sessions: BrowserSessions;
  /** Where the built dashboard lies; its own place when absent. */
  readonly dashboardDir?: string;
}

const OPEN_POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; object-src 'none'; form-action 'none'; frame-ancestors 'none'";

/** `host`: as dialled; the gate has compared it. */
const appPolicy = (host: string): string =>
  "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; " +
  `connect-src 'self' ws://${host}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'none'`;

export function createBrowserRoutes({ sessions, dashboardDir = DASHBOARD_DIR }: BrowserRouteOptions): readonly Route[] {
  const cookie = (value: string, seconds: number): string =>
    `${sessions.cookieName}=${value}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`;

  return [
    { method: 'GET', path: /^\/open$/, scope: 'open', handle: (request, response) => sendOwn(request, response, 'open.html', 'text/html') },
    {
      method: 'GET',
      path: /^\/open\.js$/,
      scope: 'open',
      handle: (request, response) => sendOwn(request, response, 'open-page.js', 'text/javascript'),
    },
    {
      method: 'POST',
      path: /^\/session$/,
      scope: 'open',
      async handle(request, response) {
        if (!hasOrigin(request.rawHeaders)) return ORIGIN_MISSING;
        const body = await readJson(request);
        if ('refusal' in body) return body.refusal;
        const { code } = body.value;
        if (typeof code !== 'string') return { status: 400, reason: 'malformed', message: 'The body must be {"code": …}.' };
        const redeemed = sessions.redeem(code);
        if (redeemed === 'wrong')
          return { status: 401, reason: 'code', message: 'The code is wrong, used or too old: run `callsheet open`.' };
        if ('later' in redeemed) {
          response.setHeader('Retry-After', Math.ceil(redeemed.later / 1000));
          return { status: 429, reason: 'rate', message: 'Too many wrong codes. Try again in some seconds.' };
        }
        response.setHeader('Set-Cookie', cookie(redeemed.secret, SESSION_LIFE / 1000));
        sendJson(response, { page: redeemed.page });
        return undefined;
      },
    },
    {
      method: 'DELETE',
      path: /^\/session$/,
      scope: 'session',
      async handle(_request, response, _match, caller) {
        if (caller?.session !== undefined) sessions.end(caller.session);
        response.setHeader('Set-Cookie', cookie('', 0));
        response.writeHead(204).end();
      },
    },
    {
      method: 'POST',
      path: /^\/session\/ticket$/,
      scope: 'session',
      async handle(request, response, _match, caller) {
        const body = await readJson(request);
        if ('refusal' in body) return body.refusal;
        if (caller?.session === undefined) return undefined;
        sendJson(response, { ticket: sessions.issueTicket(caller.session) });
        return undefined;
      },
    },
    {
      method: 'GET',
      path: /^\/$/,
      scope: 'read',
      async handle(request, response) {
        if ((await readInside(dashboardDir, 'index.html')) === undefined) return NOT_BUILT;
        return sendApp(request, response, 'index.html');
      },
    },
    {
      method: 'GET',
      path: FILE_PATH,
      scope: 'read',
      handle: (request, response, match) => sendApp(request, response, match[1] ?? ''),
    },
  ];

  function sendApp(request: IncomingMessage, response: ServerResponse, name: string): Promise<Refusal | void> {
    response.setHeader('Content-Security-Policy', appPolicy(request.headers.host ?? ''));
    return sendStatic(request, response, dashboardDir, name);
  }
}

const NOT_BUILT: Refusal = {
  status: 404,
  reason: 'path',
  message: 'The dashboard was not built. In a checkout, run: npm run build:dashboard',
};

// --- helpers ---

function sendJson(response: ServerResponse, value: Readonly<Record<string, string>>): void {
  const text = JSON.stringify(value);
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': text.length });
  response.end(text);
}

async function sendOwn(request: IncomingMessage, response: ServerResponse, file: string, type: string): Promise<void> {
  const bytes = await readFile(new URL(`./${file}`, import.meta.url));
  response.setHeader('Content-Security-Policy', OPEN_POLICY);
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8`, 'Content-Length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
