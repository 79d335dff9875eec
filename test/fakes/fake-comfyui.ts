/**
 * A ComfyUI to test against: a real HTTP and WebSocket peer on loopback that can be told to misbehave per request and per event.
 * It executes nothing but plans; its ledger of executed prompts is the judge of "never twice". The contract suite runs on it too,
 * beside the sandbox and a real server, so that it stays honest.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { createEngine } from './fake-comfyui-engine.ts';
import type { Engine, Message } from './fake-comfyui-engine.ts';
import { answerRoute, CLASSES } from './fake-comfyui-routes.ts';
import type { Reply } from './fake-comfyui-routes.ts';
import { pythonJson } from './python-json.ts';

export type { Plan, QueueItem, Message } from './fake-comfyui-engine.ts';

/** What happens instead of, or after, the right answer. */
export type Mode =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly type?: string;
      readonly body?: string | Buffer;
      readonly headers?: Record<string, string>;
    }
  /** Never answers. */
  | { readonly kind: 'hang' }
  /** The connection is reset before the request is looked at. */
  | { readonly kind: 'reset' }
  /** The request is carried out, then the connection is reset: the answer is lost. */
  | { readonly kind: 'lose-reply' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Carried out at once, answered later: events overtake the answer. */
  | { readonly kind: 'late-reply'; readonly ms: number }
  /** The head and half of the body, then a reset. */
  | { readonly kind: 'cut' };

export interface Rule {
  readonly method?: string;
  /** Tested against the path without `/api` and without its query. */
  readonly path: RegExp;
  /** How many requests it is for; every one when absent. */
  readonly times?: number;
  /** Holds only while this says so. */
  readonly when?: () => boolean;
  readonly mode: Mode;
}

export interface FakeOptions {
  /** /api/jobs (0.6.0) and its cancel route (0.26.0). */
  readonly jobs?: boolean;
  readonly cancelRoute?: boolean;
  readonly version?: string;
  /** Graphics cards, as `/system_stats` lists them. */
  readonly devices?: readonly object[];
  /** False: the server makes up prompt ids (before 0.3.45). */
  readonly clientPromptIds?: boolean;
  /** False: only the bare routes, as behind some proxies. */
  readonly apiPrefix?: boolean;
  /** False: no WebSocket, as behind some proxies. */
  readonly socket?: boolean;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** It was asked for under `/api`. */
  readonly prefixed: boolean;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface FakeComfyUI {
  readonly url: string;
  readonly engine: Engine;
  readonly options: FakeOptions;
  readonly requests: Request[];
  readonly classes: Set<string>;
  /** Bytes of uploaded and produced files, by `type/subfolder/filename`. */
  /** What `/internal/logs/raw` gives, print by print; one with a time of its own is `TIME|PRINT`. */
  readonly log: string[];
  readonly files: Map<string, Buffer>;
  /** Query and headers of every WebSocket handshake. */
  readonly handshakes: { readonly query: string; readonly headers: Request['headers'] }[];
  /** Text frames received from clients, in order. */
  readonly received: string[];
  /** Newest rule first. */
  misbehave(rule: Rule): void;
  /** Forgets every rule. */
  behave(): void;
  /** What becomes of one event on its way to a client: drop it, double it, hold it back. */
  transform: (message: Message) => readonly Message[];
  /** Sends one event to every socket. */
  send(message: Message | string | Buffer): void;
  sockets(): number;
  dropSockets(): void;
  /** A socket that is open and silent. */
  mute: boolean;
  /** Answers nothing, not even pings, until `thaw`: a process that is stopped, or a Python that holds its lock. */
  freeze(): void;
  thaw(): void;
  /** Refuses connections until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Resolves at the next moment the condition holds; looked at after every request and event. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeComfyUI(options: FakeOptions = {}): Promise<FakeComfyUI> {
  const rules: { rule: Rule; left: number }[] = [];
  const sockets = new Map<WebSocket, string>();
  // As the real server: one socket per client id, and the end of an old one unregisters the new (ComfyUI#16010).
  const registered = new Map<string, WebSocket>();
  const connections = new Set<Socket>();
  const watchers = new Set<() => void>();
  let port = 0;
  let frozen: PromiseWithResolvers<void> | undefined;
  let server: Server | undefined;
  let sockServer: WebSocketServer | undefined;

  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const write = (socket: WebSocket, message: Message | Buffer | string): void => {
    if (fake.mute || socket.readyState !== socket.OPEN) return;
    if (typeof message === 'string' || Buffer.isBuffer(message)) socket.send(message);
    else for (const one of fake.transform(message)) socket.send(pythonJson(one));
  };

  const engine = createEngine({
    broadcast(message) {
      for (const socket of sockets.keys()) write(socket, message);
      changed();
    },
    toClient(clientId, message) {
      const socket = clientId === undefined ? undefined : registered.get(clientId);
      if (socket !== undefined) write(socket, message);
      changed();
    },
  });

  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://fake');
    const prefixed = url.pathname.startsWith('/api/');
    const path = prefixed ? url.pathname.slice(4) : url.pathname;
    const body = await readBody(request);
    const seen: Request = { method: request.method ?? 'GET', path, prefixed, query: url.search, headers: request.headers, body };
    fake.requests.push(seen);
    await frozen?.promise;
    const mode = takeRule(seen);
    if (mode?.kind === 'hang') return changed();
    if (mode?.kind === 'reset') return void request.socket.resetAndDestroy();
    if (mode?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, mode.ms));
    if (mode?.kind === 'reply')
      return finish(response, { status: mode.status, type: mode.type ?? 'text/plain', body: mode.body ?? '', headers: mode.headers ?? {} });
    const missing: Reply = { status: 404, type: 'text/plain; charset=utf-8', body: '404: Not Found' };
    const reply = prefixed && options.apiPrefix === false ? missing : await answerRoute(fake, seen, url);
    if (mode?.kind === 'late-reply') await new Promise((resolve) => setTimeout(resolve, mode.ms));
    if (mode?.kind === 'lose-reply') request.socket.resetAndDestroy();
    else if (mode?.kind === 'cut') {
      const bytes = Buffer.from(reply.body);
      response.writeHead(reply.status, { 'Content-Type': reply.type, 'Content-Length': bytes.length });
      response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => request.socket.resetAndDestroy());
    } else finish(response, reply);
    changed();
  };

  const finish = (response: ServerResponse, reply: Reply): void => {
    response.writeHead(reply.status, { 'Content-Type': reply.type, ...reply.headers });
    response.end(reply.body);
    changed();
  };

  const takeRule = (request: Request): Mode | undefined => {
    const index = rules.findLastIndex(
      ({ rule, left }) =>
        left > 0 && rule.path.test(request.path) && (rule.method ?? request.method) === request.method && (rule.when?.() ?? true),
    );
    const found = rules[index];
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.rule.mode;
  };

  const onSocket = (socket: WebSocket, request: IncomingMessage): void => {
    const url = new URL(request.url ?? '/', 'http://fake');
    const sid = url.searchParams.get('clientId') ?? 'minted';
    fake.handshakes.push({ query: url.search, headers: request.headers });
    sockets.set(socket, sid);
    registered.set(sid, socket);
    socket.on('message', (data: Buffer) => {
      fake.received.push(data.toString('utf8'));
      changed();
    });
    socket.on('ping', (data: Buffer) => {
      if (frozen === undefined) socket.pong(data);
    });
    socket.on('close', () => {
      sockets.delete(socket);
      registered.delete(sid);
      changed();
    });
    write(socket, { type: 'status', data: { status: { exec_info: { queue_remaining: engine.remaining() } }, sid } });
    if (engine.running()?.clientId === sid)
      write(socket, { type: 'executing', data: { node: Object.keys(engine.running()?.prompt ?? {})[0] ?? null } });
    changed();
  };

  const fake: FakeComfyUI = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    engine,
    options,
    requests: [],
    classes: new Set(CLASSES),
    files: new Map(),
    log: [],
    handshakes: [],
    received: [],
    mute: false,
    transform: (message) => [message],
    freeze() {
      frozen ??= Promise.withResolvers<void>();
    },
    thaw() {
      frozen?.resolve();
      frozen = undefined;
    },
    misbehave(rule) {
      rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
    },
    behave: () => void rules.splice(0),
    send(message) {
      for (const socket of sockets.keys()) write(socket, message);
    },
    sockets: () => sockets.size,
    dropSockets() {
      for (const socket of sockets.keys()) socket.terminate();
    },
    start: () =>
      new Promise((resolve, reject) => {
        const listening = createServer((request, response) => {
          onRequest(request, response).catch((error: unknown) =>
            finish(response, { status: 500, type: 'text/plain', body: String(error) }),
          );
        });
        const upgrading = new WebSocketServer({ noServer: true, autoPong: false });
        listening.on('connection', (connection) => {
          connections.add(connection);
          connection.on('close', () => connections.delete(connection));
        });
        listening.on('upgrade', (request, connection: Socket, head) => {
          if (options.socket === false) connection.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
          else upgrading.handleUpgrade(request, connection, head, (socket) => onSocket(socket, request));
        });
        listening.once('error', reject);
        listening.listen(port, '127.0.0.1', () => {
          const address = listening.address();
          port = typeof address === 'object' && address !== null ? address.port : port;
          server = listening;
          sockServer = upgrading;
          resolve();
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        sockServer?.close();
        for (const connection of connections) connection.destroy();
        if (server === undefined) resolve();
        else server.close(() => resolve());
        server = undefined;
      }),
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return;
          watchers.delete(check);
          resolve();
        };
        watchers.add(check);
        check();
      }),
    async close() {
      fake.thaw();
      engine.wipe();
      await fake.stop();
    },
  };
  await fake.start();
  return fake;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
