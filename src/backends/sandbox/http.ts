/** Requests and answers in the few forms the sandbox needs, and a table of routes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { printJson, readJson, type Json, type PrintOptions } from './json.ts';

/** ComfyUI's default for all bodies: 100 MiB. */
export const MAX_BODY_BYTES = 104_857_600;

/** Ends a handler with an answer other than 200. */
export class HttpFailure extends Error {
  readonly status: number;
  readonly body: unknown;
  constructor(status: number, body?: unknown) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Named parts of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly maxBody: number;
}

export type Handler = (call: Call) => Promise<void> | void;

export interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly handler: Handler;
}

export interface Found {
  readonly handler: Handler;
  readonly params: Record<string, string>;
}

/** `{name}` matches one part, `{name*}` the rest. HEAD is served as GET. Answers 405 for a known path with another method. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found | 404 | 405 {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const parts = path.split('/').filter((part) => part !== '');
  let known = false;
  for (const route of routes) {
    const params = match(route.pattern, parts);
    if (params === undefined) continue;
    if (route.method === wanted) return { handler: route.handler, params };
    known = true;
  }
  return known ? 405 : 404;
}

function match(pattern: string, parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  const wanted = pattern.split('/').filter((part) => part !== '');
  for (const [index, want] of wanted.entries()) {
    const name = /^\{(\w+)(\*?)\}$/.exec(want);
    const part = parts[index];
    if (part === undefined) return undefined;
    if (name?.[2] === '*') {
      params[name[1] ?? ''] = decode(parts.slice(index).join('/'));
      return params;
    }
    if (name !== null) params[name[1] ?? ''] = decode(part);
    else if (want !== part) return undefined;
  }
  return wanted.length === parts.length ? params : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpFailure(400, { error: 'The address holds a malformed escape.' });
  }
}

export function sendJson(response: ServerResponse, value: unknown, status = 200, options: PrintOptions = {}): void {
  const body = printJson(value, options);
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) }).end(body);
}

export function sendEmpty(response: ServerResponse, status = 200): void {
  response.writeHead(status, { 'Content-Length': 0 }).end();
}

/** Throws HttpFailure 413 beyond the limit, with ComfyUI's words. */
export async function readBody({ request, maxBody }: Pick<Call, 'request' | 'maxBody'>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) throw tooLarge(maxBody);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function tooLarge(maxBody: number): HttpFailure {
  return new HttpFailure(413, { error: `Maximum request body size ${maxBody} exceeded.` });
}

/** Parses whatever the Content-Type says. Throws HttpFailure 500 for malformed JSON: ComfyUI answers so. */
export async function readJsonBody(call: Pick<Call, 'request' | 'maxBody'>): Promise<Json> {
  const value = readJson((await readBody(call)).toString('utf8'));
  if (value === undefined) throw new HttpFailure(500, { error: 'The request body is not JSON.' });
  return value;
}

/** An absent or malformed body counts as `{}` where ComfyUI is that lenient. */
export async function readLenientBody(call: Pick<Call, 'request' | 'maxBody'>): Promise<Json> {
  return readJson((await readBody(call)).toString('utf8')) ?? {};
}
