/** The one listener: gates first, then the key, then the few routes and the upgrade. Bound to 127.0.0.1 and nothing else. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CallsheetError } from '#protocol/errors.ts';
import type { MethodScope } from '#protocol/methods/define.ts';
import { allows } from './auth.ts';
import type { BrowserSessions } from './browser/sessions.ts';
import { identify } from './callers.ts';
import type { Caller } from './callers.ts';
import { CLOSE, createConnection } from './connection.ts';
import type { Connection, ConnectionParts } from './connection.ts';
import { checkGates } from './gates.ts';
import type { Refusal } from './gates.ts';
import type { InspectDoor } from './inspect/inspect-door.ts';
import { SAFE_HEADERS, endWithText } from './http-answers.ts';
import { listenAt } from './local-socket.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `session`: only for a page of ours, whatever key there is. `open`: for everybody who passes the gates; nothing of the artist's is behind it. */
  readonly scope: MethodScope | 'session' | 'open';
  /** Matches the whole path. */
  readonly path: RegExp;
  /** Resolves with what is to be refused and counted. */
  handle(request: IncomingMessage, response: ServerResponse, match: RegExpExecArray, caller?: Caller): Promise<Refusal | void>;
}

export interface DoorOptions extends ConnectionParts {
  /** 0 takes any free port. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly inspectDoor: InspectDoor;
  readonly sessions: BrowserSessions;
  /** Where the Unix socket lies, which serves the same; none when absent. */
  readonly socket?: string | undefined;
}

export interface Door {
  readonly port: number;
  /** The Unix socket; undefined where there is none. */
  readonly socket: string | undefined;
  readonly connections: number;
  /** Cuts every WebSocket without a word. */
  cutAll(): void;
  /** Says goodbye to every client, then closes the listener. */
  close(): Promise<void>;
}

const UNAUTHORIZED: Refusal = {
  status: 401,
  reason: 'token',
  message: 'A key is needed: Authorization: Bearer KEY. In a browser: run `callsheet open`.',
};
const NO_SESSION: Refusal = { status: 401, reason: 'session', message: 'This page opens by a command: run `callsheet open`.' };
const GOODBYE_MS = 1000;

/** Throws PORT_UNAVAILABLE. */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { routes, auth, refusals, limits, log, sessions, inspectDoor } = options;
  /** Each with the listener that it came by. */
  const connections = new Map<Connection, Server>();
  let port = 0;

  // Missing and double Host headers reach our gate, which counts them, instead of Node's own refusal.
  const createListener = (): Server => {
    const listener = createServer({ requireHostHeader: false, maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 2000 });
    listener.maxConnections = limits.connections;
    listener.headersTimeout = 10_000;
    // Only uploads have long bodies; they have their own clock for silence.
    listener.requestTimeout = 30 * 60_000;
    listener.on('request', onRequest);
    listener.on('upgrade', (request, socket, head) => onUpgrade(listener, request, socket, head));
    listener.on('connect', onConnect);
    listener.on('clientError', onClientError);
    listener.on('drop', () => refusals.count('connections'));
    return listener;
  };
  const socketOptions = {
    noServer: true,
    maxPayload: limits.frame,
    maxFragments: 64,
    maxBufferedChunks: 1024,
    perMessageDeflate: false,
    skipUTF8Validation: false,
    // Whoever was told to go and does not is cut, and gives its place to others.
    closeTimeout: GOODBYE_MS,
  };
  const sockets = new WebSocketServer(socketOptions);

  function refusalOf(request: IncomingMessage): Refusal | undefined {
    const refusal = checkGates(request, port);
    if (refusal !== undefined) return refusal;
    return auth.fromHeaders(request.rawHeaders) === 'wrong' ? { ...UNAUTHORIZED, message: 'The key is wrong.' } : undefined;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
    const outside = checkGates(request, port);
    if (outside !== undefined) return refuse(response, outside);
    const target = request.url ?? '';
    const found = routes.filter(({ path }) => path.test(target));
    const wanted = request.method === 'HEAD' ? 'GET' : request.method;
    const route = found.find(({ method }) => method === wanted);
    const caller = identify(request, auth, sessions);
    if (route?.scope !== 'open') {
      if (caller === undefined) return refuse(response, isPage(target) ? NO_SESSION : UNAUTHORIZED);
      if ('status' in caller) return refuse(response, caller);
    }
    if (found.length === 0) return refuse(response, { status: 404, reason: 'path', message: 'There is nothing here.' });
    if (route === undefined) {
      response.setHeader('Allow', found.map(({ method }) => method).join(', '));
      return refuse(response, { status: 405, reason: 'method', message: 'This method is not taken here.' });
    }
    const known = caller === undefined || 'status' in caller ? undefined : caller;
    const lacking = lackOf(route, known);
    if (lacking !== undefined) return refuse(response, lacking);
    const match = route.path.exec(target);
    const refusal = match === null ? undefined : await route.handle(request, response, match, known);
    if (refusal !== undefined) refuse(response, refusal);
  }

  function refuse(response: ServerResponse, { status, reason, message }: Refusal): void {
    refusals.count(reason);
    if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    endWithText(response, status, message);
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'a request failed');
      if (response.headersSent) response.destroy();
      else endWithText(response, 500, 'A defect in Callsheet; the log has the details.');
    });
  }

  function onUpgrade(listener: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const inspects = inspectDoor.serves(request);
    const refusal = refusalOf(request) ?? (inspects ? inspectDoor.refusalOf(request) : upgradeRefusal(listener, request));
    if (refusal !== undefined) {
      refusals.count(refusal.reason);
      endSocket(socket, refusal);
      return;
    }
    if (inspects) {
      inspectDoor.accept(request, socket, head);
      return;
    }
    const scope = auth.fromHeaders(request.rawHeaders);
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const known = scope === 'absent' || scope === 'wrong' ? undefined : scope;
      const upgraded = { scope: known, host: request.headers.host ?? '', stream: socket };
      const connection = createConnection(webSocket, upgraded, options);
      connections.set(connection, listener);
      webSocket.on('close', () => connections.delete(connection));
    });
  }

  function upgradeRefusal(listener: Server, request: IncomingMessage): Refusal | undefined {
    if (request.url !== '/rpc' && request.url !== '/') return { status: 404, reason: 'path', message: 'WebSockets are served at /rpc.' };
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      return { status: 400, reason: 'protocol', message: 'Only an upgrade to websocket is taken.' };
    }
    // Of this listener alone: a flood at the port leaves the Unix socket to its owner.
    const strangers = [...connections].filter(([{ authenticated }, by]) => by === listener && !authenticated).length;
    if (strangers >= limits.unauthenticated && auth.fromHeaders(request.rawHeaders) === 'absent') {
      return { status: 503, reason: 'connections', message: 'Too many connections without a proven key. Try again in some seconds.' };
    }
    return undefined;
  }

  function cutAll(): void {
    for (const client of sockets.clients) client.terminate();
  }

  sockets.on('wsClientError', (_error, socket) => {
    refusals.count('protocol');
    endSocket(socket, { status: 400, reason: 'protocol', message: 'The WebSocket handshake is wrong.' });
  });
  function onConnect(_request: IncomingMessage, socket: Duplex): void {
    refusals.count('method');
    endSocket(socket, { status: 405, reason: 'method', message: 'This is no proxy.' });
  }

  function onClientError(_error: Error, socket: Duplex): void {
    refusals.count('malformed');
    endSocket(socket, { status: 400, reason: 'malformed', message: 'The request is malformed.' });
  }

  const server = createListener();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const hint = 'Stop the program that has it, or leave --port out: clients find the daemon by its runtime file.';
      reject(
        new CallsheetError('PORT_UNAVAILABLE', `Port ${options.port} on 127.0.0.1 can not be listened on: ${error.message}.`, {
          hint,
          cause: error,
        }),
      );
    });
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address !== null) ({ port } = address);
  const listeners = [server];
  let { socket } = options;
  if (socket !== undefined) {
    // With a place of its own for connections: a flood at the port leaves room for the tools of its owner.
    const local = createListener();
    try {
      await listenAt(local, socket);
      listeners.push(local);
    } catch (error) {
      log.warn({ err: error, socket }, 'no Unix socket; clients use the port');
      socket = undefined;
    }
  }

  return {
    port,
    socket,
    get connections() {
      return connections.size;
    },
    cutAll,
    async close() {
      for (const connection of connections.keys()) connection.close(CLOSE.goingAway, 'the daemon stops');
      inspectDoor.close();
      const force = setTimeout(() => {
        cutAll();
        for (const listener of listeners) listener.closeAllConnections();
      }, GOODBYE_MS);
      const closed = listeners.map((listener) => new Promise<void>((resolve) => listener.close(() => resolve())));
      for (const listener of listeners) listener.closeIdleConnections();
      await Promise.all(closed);
      clearTimeout(force);
    },
  };
}

// --- helpers ---

/** Where people come with a browser and no program does. */
function isPage(target: string): boolean {
  return target === '/' || target.startsWith('/dashboard/');
}

function lackOf({ scope }: Route, caller: Caller | undefined): Refusal | undefined {
  if (scope === 'open') return undefined;
  if (scope === 'session') return caller?.session === undefined ? NO_SESSION : undefined;
  if (caller !== undefined && allows(caller.scope, scope)) return undefined;
  return { status: 403, reason: 'token', message: `A key of scope ${scope} is needed.` };
}

const PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  503: 'Service Unavailable',
};

function endSocket(socket: Duplex, { status, message }: Refusal): void {
  // Whoever is refused may be gone already; that is no event.
  socket.on('error', () => {});
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${message}\n`;
  const headers = {
    ...SAFE_HEADERS,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${PHRASES[status] ?? 'Refused'}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}
