/** Serves the built files of the dashboard from one directory and from nowhere else. */
import { createHash } from 'node:crypto';
import { constants, open, realpath } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Refusal } from '../gates.ts';

/** Made by scripts/build-dashboard.ts; beside src/ in a checkout as beside dist/ in the package. */
export const DASHBOARD_DIR = fileURLToPath(new URL('../../../dashboard/dist/', import.meta.url));

/** Bytes of one file: they are read whole, for their hash. */
const MOST = 16 * 1024 ** 2;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/** The path of a file below /dashboard/: names that begin with a letter, digit or underscore, so that none is hidden and none leads up. */
export const FILE_PATH = /^\/dashboard\/((?:\w[\w.-]{0,127}\/){0,4}\w[\w.-]{0,127})$/;

/** Sends the file, or 304 when the browser has it. */
export async function sendStatic(request: IncomingMessage, response: ServerResponse, dir: string, name: string): Promise<Refusal | void> {
  const type = TYPES[extname(name)];
  const bytes = type === undefined ? undefined : await readInside(dir, name);
  if (bytes === undefined) return { status: 404, reason: 'path', message: 'The dashboard has no such file.' };
  const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
  response.setHeader('Cache-Control', 'private, no-cache');
  response.setHeader('ETag', etag);
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return undefined;
  }
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
  return undefined;
}

/** Undefined when it is no regular file of a fair size, or a link leads out. */
export async function readInside(dir: string, name: string): Promise<Buffer | undefined> {
  try {
    const [root, path] = await Promise.all([realpath(dir), realpath(join(dir, name))]);
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
    await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat();
    return stats.isFile() && stats.size <= MOST ? await handle.readFile() : undefined;
  } catch {
    return undefined;
  }
}
