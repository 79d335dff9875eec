/**
 * The WebSocket /inspect, for Stately's inspector clients: the standard messages as they stand, one a frame, and nothing is taken in.
 * Behind the same gates as everything else. Whoever can send headers shows a key of scope `run`, whoever cannot a ticket (docs/inspector.md).
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { STANDARD_TYPES } from '#protocol/inspect.ts';
import { allows, type Auth } from '../auth.ts';
import { type Refusal, valuesOf } from '../gates.ts';
import type { DoorLimits } from '../limits.ts';
import { createOutbound } from '../outbound.ts';
import type { Refusals } from '../refusals.ts';
import type { InspectHub } from './inspect-hub.ts';
import type { InspectTickets, Ticket } from './tickets.ts';

/** What the daemon agrees to; the ticket stands beside it in the offer and is never said back. */
export const INSPECT_PROTOCOL = 'callsheet.inspect';
export const TICKET_PREFIX = 'callsheet.ticket.';

const PATH = /^\/inspect(?:\/run\/([\w-]{1,64})|\/([\w-]{43}))?$/;
const MOST = 16;
/** Bytes. Clients of this path have nothing to say. */
const MAX_FRAME = 1024;
const GOING_AWAY = 1001;
const SESSION_ENDED = 4401;
const SLOW_READER = 4413;

export interface InspectDoor {
  /** True for upgrades that are its own, also when it refuses them. */
  serves(request: IncomingMessage): boolean;
  /** After the gates, which have turned away wrong keys. */
  refusalOf(request: IncomingMessage): Refusal | undefined;
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

export interface InspectDoorOptions {
  readonly hub: InspectHub;
  readonly tickets: InspectTickets;
  readonly auth: Auth;
  readonly refusals: Refusals;
  readonly limits: Pick<DoorLimits, 'pingEvery' | 'deadAfter' | 'watermarks'>;
}

export function createInspectDoor({ hub, tickets, auth, refusals, limits }: InspectDoorOptions): InspectDoor {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(INSPECT_PROTOCOL) ? INSPECT_PROTOCOL : false),
  });
  /** What those may see that were let in and are not yet connected. */
  const granted = new WeakMap<IncomingMessage, Ticket>();

  function show(webSocket: WebSocket, stream: Duplex, { runId, ended }: Ticket): void {
    const outbound = createOutbound(webSocket, {
      stream,
      watermarks: limits.watermarks,
      onStalled() {
        refusals.count('slow-reader');
        webSocket.close(SLOW_READER, 'nothing was read for too long');
        webSocket.terminate();
      },
    });
    const end = hub.look({
      ...(runId === undefined ? {} : { runId }),
      send: (text) => outbound.sendIfFree(text),
      wants: (type) => STANDARD_TYPES.has(type),
    });
    let heardAt = performance.now();
    const heartbeat = setInterval(() => {
      if (performance.now() - heardAt > limits.deadAfter) webSocket.terminate();
      else webSocket.ping();
    }, limits.pingEvery);
    webSocket.on('pong', () => {
      heardAt = performance.now();
    });
    // What it says is dropped; a frame that is too large ends it.
    webSocket.on('error', () => refusals.count('protocol'));
    const onEnded = (): void => {
      webSocket.close(SESSION_ENDED, 'the session has ended');
      setTimeout(() => webSocket.terminate(), 500).unref();
    };
    if (ended?.aborted === true) onEnded();
    else ended?.addEventListener('abort', onEnded);
    webSocket.on('close', () => {
      ended?.removeEventListener('abort', onEnded);
      clearInterval(heartbeat);
      end();
      outbound.close();
    });
  }

  return {
    serves: ({ url = '' }) => url === '/inspect' || url.startsWith('/inspect/'),
    refusalOf(request) {
      const match = PATH.exec(request.url ?? '');
      if (match === null) return { status: 404, reason: 'path', message: 'The inspector is at /inspect, or /inspect/run/ID for one run.' };
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        return { status: 400, reason: 'protocol', message: 'Only an upgrade to websocket is taken.' };
      }
      if (sockets.clients.size >= MOST) {
        return { status: 503, reason: 'connections', message: 'Too many inspectors are connected. Close one.' };
      }
      const [, onlyRun, inPath] = match;
      const scope = auth.fromHeaders(request.rawHeaders);
      if (scope !== 'absent' && scope !== 'wrong') {
        if (!allows(scope, 'run')) return { status: 403, reason: 'token', message: 'A key of scope run is needed.' };
        if (inPath === undefined) {
          granted.set(request, onlyRun === undefined ? {} : { runId: onlyRun });
          return undefined;
        }
      }
      const text = inPath ?? ticketIn(request);
      const ticket = text === undefined ? undefined : tickets.redeem(text);
      if (ticket === undefined) {
        const message =
          text === undefined
            ? 'A key is needed: Authorization: Bearer KEY, or a ticket of inspect/ticket.'
            : 'The ticket was used, is too old or never was. Ask for another: inspect/ticket.';
        return { status: 401, reason: 'token', message };
      }
      granted.set(request, onlyRun === undefined ? ticket : { ...ticket, runId: ticket.runId ?? onlyRun });
      return undefined;
    },
    accept(request, socket, head) {
      const ticket = granted.get(request);
      if (ticket === undefined) {
        socket.destroy();
        return;
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => show(webSocket, socket, ticket));
    },
    close() {
      for (const client of sockets.clients) {
        client.close(GOING_AWAY, 'the daemon stops');
        setTimeout(() => client.terminate(), 500).unref();
      }
    },
  };
}

// --- helpers ---

/** Of `Sec-WebSocket-Protocol`, where pages can put one. */
function ticketIn({ rawHeaders }: IncomingMessage): string | undefined {
  const offered = valuesOf(rawHeaders, 'sec-websocket-protocol').flatMap((line) => line.split(','));
  const tickets = offered.map((one) => one.trim()).filter((one) => one.startsWith(TICKET_PREFIX));
  return tickets.length === 1 ? tickets[0]?.slice(TICKET_PREFIX.length) : undefined;
}
