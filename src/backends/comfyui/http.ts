/** HTTP to one ComfyUI server: keep-alive, no redirects, size caps, and errors that name the address and the cure. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { CallsheetError } from '#protocol/errors.ts';
import { guardedLookup } from './address.ts';
import type { Address } from './address.ts';
import { aborted } from './settings.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Without `/api`: `/prompt`, `/view?filename=…`. */
  readonly path: string;
  readonly body?: string | { readonly stream: Readable; readonly bytes: number };
  readonly contentType?: string;
  /** Until the reply's head, and between two pieces of its body. Milliseconds. */
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  /** Files go over connections of their own: a question must not wait behind downloads that take minutes. Uploads do so by themselves. */
  readonly isFile?: boolean;
  /** The path has no twin under `/api`: `/internal/…`. */
  readonly isBare?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What a request tells about the server being there at all. */
export interface HttpObserver {
  answered(): void;
  refused(): void;
  /** The connection broke or could not be made. */
  broken(): void;
  /** A GET has been without an answer for `slowMs`. A POST may take minutes: its validation hashes files. */
  slow(): void;
}

export interface Http {
  readonly address: Address;
  send(request: HttpRequest): Promise<HttpReply>;
  /** The reply's head and its body as a stream; the caller reads or destroys it. */
  open(request: HttpRequest): Promise<IncomingMessage>;
  close(): void;
}

export const MIB = 1024 * 1024;

export function createHttp(address: Address, headers: Readonly<Record<string, string>>, observer: HttpObserver, slowMs: number): Http {
  // Below aiohttp's 75 s keep-alive, so that a POST is not sent into a socket that the server is closing.
  const newAgent = (maxSockets: number): HttpAgent | HttpsAgent => {
    const options = { keepAlive: true, timeout: 15_000, maxSockets };
    return address.secure ? new HttpsAgent(options) : new HttpAgent(options);
  };
  const agents = { questions: newAgent(16), files: newAgent(8) };
  const start = address.secure ? httpsRequest : httpRequest;
  // Some reverse proxies expose only the bare routes; found out by the first unknown route (comfyui.md 1.0).
  let prefix = '/api';

  const once = (request: HttpRequest, to: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      if (request.signal?.aborted === true) {
        reject(aborted());
        return;
      }
      const options: RequestOptions = {
        agent: request.isFile === true || typeof request.body === 'object' ? agents.files : agents.questions,
        method: request.method,
        hostname: address.hostname,
        port: address.port,
        path: `${address.base}${to}${request.path}`,
        lookup: guardedLookup,
        timeout: request.timeoutMs,
        headers: { ...headers, 'Accept-Encoding': 'identity', ...bodyHeaders(request) },
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      };
      const slow = request.method === 'GET' ? setTimeout(() => observer.slow(), slowMs) : undefined;
      const outgoing = start(options, (incoming) => {
        clearTimeout(slow);
        observer.answered();
        resolve(incoming);
      });
      outgoing.on('timeout', () => outgoing.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(slow);
        if (request.signal?.aborted === true) {
          reject(aborted());
          return;
        }
        if (error.code === 'ECONNREFUSED') observer.refused();
        else if (error.code === 'ETIMEDOUT') observer.slow();
        else observer.broken();
        reject(new StaleAwareError(unreachable(address, error, request.timeoutMs), outgoing.reusedSocket && error.code === 'ECONNRESET'));
      });
      if (typeof request.body === 'object') {
        pipeline(request.body.stream, outgoing, (error) => {
          if (error !== null && error !== undefined) outgoing.destroy(error);
        });
      } else outgoing.end(request.body);
    });

  const openAt = async (request: HttpRequest, to: string): Promise<IncomingMessage> => {
    let incoming: IncomingMessage;
    try {
      incoming = await once(request, to);
    } catch (error) {
      if (!(error instanceof StaleAwareError)) throw error;
      // A GET into a keep-alive socket that the server had just closed never reached it; a POST might have.
      if (!error.stale || request.method !== 'GET') throw error.told;
      incoming = await once(request, to).catch((again: unknown) => {
        throw again instanceof StaleAwareError ? again.told : again;
      });
    }
    const status = incoming.statusCode ?? 0;
    if (status >= 300 && status < 400) {
      incoming.destroy();
      throw new CallsheetError(
        'BACKEND_HTTP',
        `The backend at ${address.label} answered ${request.path} with a redirect (${status}), which is never followed.`,
        {
          hint: 'Configure the backend with the address the redirect leads to.',
          retryable: false,
        },
      );
    }
    return incoming;
  };

  const sendTo = async (request: HttpRequest, to: string): Promise<HttpReply> => {
    const incoming = await openAt(request, to);
    const text = await readText(incoming, request.maxBytes ?? 16 * MIB, address, request);
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, text };
  };

  const send = async (request: HttpRequest): Promise<HttpReply> => {
    const to = request.isBare === true ? '' : prefix;
    const reply = await sendTo(request, to);
    if (to === '' || !isUnknownRoute(reply) || typeof request.body === 'object' || request.path.startsWith('/jobs')) return reply;
    // Asking again is safe even for a POST: a server without the route has done nothing.
    const bare = await sendTo(request, '');
    if (bare.status !== 404) prefix = '';
    return bare;
  };

  const open = (request: HttpRequest): Promise<IncomingMessage> => openAt(request, prefix);

  return {
    address,
    send,
    open,
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** A path without a route: aiohttp says so in plain text, or with an empty body where the frontend's static files catch it. JSON comes from a handler. */
export function isUnknownRoute(reply: Pick<HttpReply, 'status' | 'headers'>): boolean {
  return reply.status === 404 && !/json/.test(reply.headers['content-type'] ?? '');
}

class StaleAwareError extends Error {
  readonly told: CallsheetError;
  readonly stale: boolean;
  constructor(told: CallsheetError, stale: boolean) {
    super(told.message);
    this.told = told;
    this.stale = stale;
  }
}

function bodyHeaders(request: HttpRequest): Record<string, string> {
  if (request.body === undefined) return request.method === 'POST' ? { 'Content-Length': '0' } : {};
  const bytes = typeof request.body === 'string' ? Buffer.byteLength(request.body) : request.body.bytes;
  return { 'Content-Type': request.contentType ?? 'application/json', 'Content-Length': String(bytes) };
}

function readText(incoming: IncomingMessage, maxBytes: number, address: Address, request: HttpRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        reject(
          new CallsheetError(
            'BACKEND_HTTP',
            `The backend at ${address.label} answered ${request.path} with more than ${Math.round(maxBytes / MIB)} MiB.`,
            {
              hint: 'Clear its history, or keep images out of the graph itself (upload them instead).',
              retryable: false,
            },
          ),
        );
        incoming.destroy();
      }
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks, size).toString('utf8')));
    incoming.on('error', (error: NodeJS.ErrnoException) => {
      reject(request.signal?.aborted === true ? aborted() : unreachable(address, error, request.timeoutMs));
    });
  });
}

function unreachable(address: Address, error: NodeJS.ErrnoException, timeoutMs: number): CallsheetError {
  const at = address.label;
  const told = (message: string, hint: string): CallsheetError =>
    new CallsheetError('BACKEND_UNREACHABLE', message, { hint, cause: error });
  switch (error.code) {
    case 'ECONNREFUSED':
      return told(
        `Nothing listens at ${at}.`,
        'Start ComfyUI, or correct the address of the backend (ComfyUI listens on 8188, its desktop app on 8000).',
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return told(`The host name of ${at} is unknown.`, 'Check the spelling of the backend address and the network.');
    case 'ELINKLOCAL':
      return told(`The backend address ${at} is refused: ${error.message}.`, 'Give the address of the machine that runs ComfyUI.');
    case 'ETIMEDOUT':
      return told(
        `The backend at ${at} gave no answer within ${Math.round(timeoutMs / 1000)} s.`,
        'It may be loading a model, which can take a minute. Look at its own window or log.',
      );
    default:
      return told(
        `The connection to ${at} broke (${error.code ?? error.message}).`,
        'See whether ComfyUI is still running, then try again.',
      );
  }
}
