/** The one listener: gates first, then the key, then the few routes and the upgrade. Bound to 127.0.0.1 and nothing else. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CallsheetError } from '#protocol/errors.ts';
import type { MethodScope } from '#protocol/methods/define.ts';
import { allows } from './auth.ts';
import { CLOSE, createConnection } from './connection.ts';
import type { Connection, ConnectionParts } from './connection.ts';
import { checkGates } from './gates.ts';
import type { Refusal } from './gates.ts';
import type { InspectDoor } from './inspect/inspect-door.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly scope: MethodScope;
  /** Matches the whole path. */
  readonly path: RegExp;
  handle(request: IncomingMessage, response: ServerResponse, match: RegExpExecArray): Promise<void>;
}

export interface DoorOptions extends ConnectionParts {
  /** 0 takes any free port. */
  readonly port: number;
  readonly routes: readonly Route[];
  readonly inspectDoor: InspectDoor;
}

export interface Door {
  readonly port: number;
  readonly connections: number;
  /** Cuts every WebSocket without a word. */
  cutAll(): void;
  /** Says goodbye to every client, then closes the listener. */
  close(): Promise<void>;
}

/** No CORS header is ever sent: no other site has business here. */
const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

const UNAUTHORIZED: Refusal = { status: 401, reason: 'token', message: 'A key is needed: Authorization: Bearer KEY.' };
const GOODBYE_MS = 1000;

/** Throws PORT_UNAVAILABLE. */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { routes, auth, refusals, limits, log, inspectDoor } = options;
  const connections = new Set<Connection>();
  let port = 0;

  // Missing and double Host headers reach our gate, which counts them, instead of Node's own refusal.
  const server = createServer({ requireHostHeader: false, maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 2000 });
  server.maxConnections = limits.connections;
  server.headersTimeout = 10_000;
  // Only uploads have long bodies; they have their own clock for silence.
  server.requestTimeout = 30 * 60_000;
  const socketOptions = {
    noServer: true,
    maxPayload: limits.frame,
    maxFragments: 64,
    maxBufferedChunks: 1024,
    perMessageDeflate: false,
    skipUTF8Validation: false,
  };
  const sockets = new WebSocketServer(socketOptions);

  function refusalOf(request: IncomingMessage): Refusal | undefined {
    const refusal = checkGates(request, port);
    if (refusal !== undefined) return refusal;
    return auth.fromHeaders(request.rawHeaders) === 'wrong' ? { ...UNAUTHORIZED, message: 'The key is wrong.' } : undefined;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
    const scope = auth.fromHeaders(request.rawHeaders);
    const refusal = refusalOf(request);
    if (refusal !== undefined) return refuse(response, refusal);
    if (scope === 'absent' || scope === 'wrong') return refuse(response, UNAUTHORIZED);
    const target = request.url ?? '';
    const found = routes.filter(({ path }) => path.test(target));
    const wanted = request.method === 'HEAD' ? 'GET' : request.method;
    const route = found.find(({ method }) => method === wanted);
    if (found.length === 0) return refuse(response, { status: 404, reason: 'path', message: 'There is nothing here.' });
    if (route === undefined) {
      response.setHeader('Allow', found.map(({ method }) => method).join(', '));
      return refuse(response, { status: 405, reason: 'method', message: 'This method is not taken here.' });
    }
    if (!allows(scope, route.scope)) {
      return refuse(response, { status: 403, reason: 'token', message: `A key of scope ${route.scope} is needed.` });
    }
    const match = route.path.exec(target);
    if (match !== null) await route.handle(request, response, match);
  }

  function refuse(response: ServerResponse, { status, reason, message }: Refusal): void {
    refusals.count(reason);
    if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    endWithText(response, status, message);
  }

  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'a request failed');
      if (response.headersSent) response.destroy();
      else endWithText(response, 500, 'A defect in Callsheet; the log has the details.');
    });
  });

  server.on('upgrade', (request, socket, head) => {
    const inspects = inspectDoor.serves(request);
    const refusal = refusalOf(request) ?? (inspects ? inspectDoor.refusalOf(request) : upgradeRefusal(request));
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
      connections.add(connection);
      webSocket.on('close', () => connections.delete(connection));
    });
  });

  function upgradeRefusal(request: IncomingMessage): Refusal | undefined {
    if (request.url !== '/rpc' && request.url !== '/') return { status: 404, reason: 'path', message: 'WebSockets are served at /rpc.' };
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      return { status: 400, reason: 'protocol', message: 'Only an upgrade to websocket is taken.' };
    }
    const strangers = [...connections].filter(({ authenticated }) => !authenticated).length;
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
  server.on('connect', (_request, socket: Duplex) => {
    refusals.count('method');
    endSocket(socket, { status: 405, reason: 'method', message: 'This is no proxy.' });
  });
  server.on('clientError', (_error, socket) => {
    refusals.count('malformed');
    endSocket(socket, { status: 400, reason: 'malformed', message: 'The request is malformed.' });
  });
  server.on('drop', () => refusals.count('connections'));

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

  return {
    port,
    get connections() {
      return connections.size;
    },
    cutAll,
    async close() {
      for (const connection of connections) connection.close(CLOSE.goingAway, 'the daemon stops');
      inspectDoor.close();
      const force = setTimeout(() => {
        cutAll();
        server.closeAllConnections();
      }, GOODBYE_MS);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
      clearTimeout(force);
    },
  };
}

/** Ends the connection too: what is left of a refused body is not read. */
export function endWithText(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(`${message}\n`);
}

// --- helpers ---

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
