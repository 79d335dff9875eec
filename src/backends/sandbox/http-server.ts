/** The HTTP server: gates, faults, routes (each also under /api), and the upgrade to WebSocket. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Gate } from './gates.ts';
import { findRoute, HttpFailure, MAX_BODY_BYTES, type Route, sendJson, sendEmpty, tooLarge } from './http.ts';
import { fileRoutes } from './routes/files.ts';
import { infoRoutes, serverFlags } from './routes/info.ts';
import { jobRoutes } from './routes/jobs.ts';
import { promptRoutes } from './routes/prompt.ts';
import { queueRoutes } from './routes/queue.ts';
import { userdataRoutes } from './routes/userdata.ts';
import type { JsonRecord } from './json.ts';
import { execInfo, type ServerState } from './server-state.ts';

/** aiohttp closes a socket whose client sends more in one frame. */
const LARGEST_FRAME = 4 * 1024 * 1024;

interface Tables {
  readonly plain: readonly Route[];
  readonly api: readonly Route[];
}

/** `gate` is asked late because the port is known only once the server listens. */
export function createSandboxServer(currentState: () => ServerState, gate: () => Gate): Server {
  const tables = new WeakMap<ServerState, Tables>();
  const tablesOf = (state: ServerState): Tables => {
    const known = tables.get(state) ?? buildTables(state);
    tables.set(state, known);
    return known;
  };
  const server = createServer((request, response) => {
    void answer(request, response, currentState(), gate(), tablesOf(currentState()));
  });
  const upgrades = new WebSocketServer({ noServer: true, maxPayload: LARGEST_FRAME, perMessageDeflate: false });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = parse(request);
    if (!gate()(request.headers)) return refuseUpgrade(socket, '403 Forbidden');
    if (url?.pathname !== '/ws' && url?.pathname !== '/api/ws') return refuseUpgrade(socket, '404 Not Found');
    const state = currentState();
    if (state.faults.htmlStatus !== undefined) return refuseUpgrade(socket, '502 Bad Gateway');
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      state.sockets.accept(
        webSocket,
        url.searchParams.get('clientId'),
        (sid) => greet(state, sid),
        () => serverFlags(state),
      );
    });
  });
  return server;
}

function buildTables(state: ServerState): Tables {
  const plain = [...promptRoutes(state), ...queueRoutes(state), ...fileRoutes(state), ...infoRoutes(state), ...userdataRoutes(state)];
  return { plain, api: state.faults.oldServer === true ? plain : [...jobRoutes(state), ...plain] };
}

/** A client that comes back while its prompt runs hears which node is at work, as in ComfyUI without a prompt id. */
function greet(state: ServerState, sid: string): [string, JsonRecord][] {
  const running = state.queue.running();
  const greeting: [string, JsonRecord][] = [['status', { status: execInfo(state.queue), sid }]];
  if (running?.extraData['client_id'] === sid && state.currentNode !== undefined) greeting.push(['executing', { node: state.currentNode }]);
  return greeting;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  state: ServerState,
  gate: Gate,
  { plain, api }: Tables,
): Promise<void> {
  const { faults } = state;
  try {
    if (!gate(request.headers)) throw new HttpFailure(403);
    if (faults.htmlStatus !== undefined) return sendHtml(response, faults.htmlStatus);
    const url = parse(request);
    if (url === undefined) throw new HttpFailure(400);
    const underApi = url.pathname.startsWith('/api/');
    const found = findRoute(underApi ? api : plain, request.method ?? 'GET', underApi ? url.pathname.slice(4) : url.pathname);
    if (found === 404) throw new HttpFailure(404, { error: '404: Not Found' });
    if (found === 405) throw new HttpFailure(405, { error: '405: Method Not Allowed' });
    const maxBody = faults.maxBodyBytes ?? MAX_BODY_BYTES;
    if (Number(request.headers['content-length'] ?? 0) > maxBody) throw tooLarge(maxBody);
    await found.handler({ request, response, query: url.searchParams, params: found.params, maxBody });
  } catch (error) {
    fail(request, response, error, state);
  }
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown, state: ServerState): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const failure =
    error instanceof HttpFailure ? error : new HttpFailure(500, { error: error instanceof Error ? error.message : String(error) });
  if (!(error instanceof HttpFailure))
    state.log(`${request.method ?? ''} ${request.url ?? ''}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  // What is left of an unread body would be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close');
  if (failure.body === undefined) sendEmpty(response, failure.status);
  else sendJson(response, failure.body, failure.status);
}

function parse(request: IncomingMessage): URL | undefined {
  return URL.parse(request.url ?? '/', 'http://sandbox.invalid') ?? undefined;
}

function sendHtml(response: ServerResponse, status: number): void {
  const body =
    '<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>The upstream server did not answer</h1></body></html>';
  response.writeHead(status === 0 ? 200 : status, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': body.length }).end(body);
}

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
