/** The one WebSocket to a server: opened when first needed, kept alive by pings, opened again with jittered back-off. Never the truth. */
import { WebSocket } from 'ws';
import type { Address } from './address.ts';
import { guardedLookup } from './address.ts';
import { MIB } from './http.ts';
import type { BackendLog, Clock, Timeouts } from './settings.ts';

/** `refused`: nothing listens there. `answered`: something does, but gives no socket. `renewed`: closed by us, to be opened again. */
export type DownReason = 'closed' | 'refused' | 'answered' | 'failed' | 'renewed';

export interface SocketEvents {
  text(frame: string): void;
  binary(frame: Buffer): void;
  opened(): void;
  down(reason: DownReason): void;
  /** Nothing was heard for `silenceMs` although pings were sent; again and again until something is heard. */
  silent(): void;
  /** Any frame or pong. */
  heard(): void;
}

export interface Socket {
  /** Keeps the socket open from now on; `watched` pings for silence. */
  want(watched: boolean): void;
  /** Resolves true once it is open, false when an attempt to open it failed and after `ms`. */
  ready(ms: number): Promise<boolean>;
  readonly open: boolean;
  /** Closes the socket, waits until it is closed, and opens a new one. */
  renew(): void;
  close(): Promise<void>;
}

export interface SocketOptions {
  readonly address: Address;
  readonly clientId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly timeouts: Timeouts;
  readonly log: BackendLog;
  readonly events: SocketEvents;
}

// Must be the first text of a connection and is forgotten with it (comfyui.md 2).
const FIRST_FRAME = JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } });
/** SaveImageWebsocket sends whole images through the socket (Easy-Install#300). */
const MAX_FRAME = 256 * MIB;

export function createSocket(options: SocketOptions): Socket {
  const { clock, timeouts, events, log } = options;
  let current: WebSocket | undefined;
  let wanted = false;
  let watched = false;
  let closed = false;
  let failures = 0;
  let heardAt = 0;
  let cancelRetry: (() => void) | undefined;
  let cancelPing: (() => void) | undefined;
  let renewing: WebSocket | undefined;
  const waiting = new Set<(open: boolean) => void>();
  const settleAll = (open: boolean): void => {
    for (const settle of waiting) settle(open);
  };

  const isOpen = (): boolean => current?.readyState === WebSocket.OPEN;

  const heard = (): void => {
    heardAt = clock.now();
    events.heard();
  };

  const ping = (socket: WebSocket): void => {
    cancelPing = clock.after(timeouts.pingMs, () => {
      if (socket !== current) return;
      if (watched) {
        if (clock.now() - heardAt >= timeouts.silenceMs) events.silent();
        socket.ping();
      } else heardAt = clock.now();
      ping(socket);
    });
  };

  const connect = (): void => {
    if (closed || current !== undefined || !wanted) return;
    const { address, clientId, token } = options;
    const host = address.hostname.includes(':') ? `[${address.hostname}]` : address.hostname;
    const query = `clientId=${encodeURIComponent(clientId)}${token === undefined ? '' : `&token=${encodeURIComponent(token)}`}`;
    const socket = new WebSocket(`${address.secure ? 'wss' : 'ws'}://${host}:${address.port}${address.base}/ws?${query}`, {
      headers: { ...options.headers },
      perMessageDeflate: false,
      maxPayload: MAX_FRAME,
      handshakeTimeout: timeouts.getMs,
      followRedirects: false,
      lookup: guardedLookup,
    });
    current = socket;
    let reason: DownReason = 'failed';
    socket.on('open', () => {
      reason = 'closed';
      failures = 0;
      socket.send(FIRST_FRAME);
      heard();
      ping(socket);
      settleAll(true);
      events.opened();
    });
    socket.on('message', (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => {
      heard();
      const frame = Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
      if (isBinary) events.binary(frame);
      else events.text(frame.toString('utf8'));
    });
    socket.on('pong', heard);
    socket.on('unexpected-response', (_request, response) => {
      reason = 'answered';
      log.warn({ status: response.statusCode }, 'the backend gives no WebSocket; its state is polled');
      response.destroy();
      socket.terminate();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reason = 'refused';
      log.debug({ error: error.message }, 'socket error');
    });
    socket.on('close', () => {
      if (socket !== current) return;
      current = undefined;
      cancelPing?.();
      if (closed) return;
      failures += 1;
      retry();
      settleAll(false);
      events.down(renewing === socket ? 'renewed' : reason);
    });
  };

  const retry = (): void => {
    const base = Math.min(timeouts.reconnectMaxMs, timeouts.reconnectMinMs * 2 ** Math.min(failures - 1, 10));
    cancelRetry?.();
    cancelRetry = clock.after(base * (0.5 + Math.random() / 2), () => {
      cancelRetry = undefined;
      connect();
    });
  };

  /** The old socket's end must be over before the new one begins: the server forgets the new one with the old (ComfyUI#16010). */
  const shut = (socket: WebSocket): Promise<void> =>
    new Promise((resolve) => {
      if (socket.readyState === WebSocket.CLOSED) {
        resolve();
        return;
      }
      const cancel = clock.after(2_000, () => socket.terminate());
      socket.once('close', () => {
        cancel();
        resolve();
      });
      if (socket.readyState === WebSocket.OPEN) socket.close(1000);
      else socket.terminate();
    });

  return {
    want(watch) {
      wanted = true;
      if (watch && !watched) heardAt = clock.now();
      watched = watch;
      // Somebody needs it now: the back-off is for a server that nobody asks for.
      cancelRetry?.();
      cancelRetry = undefined;
      connect();
    },
    ready(ms) {
      if (isOpen()) return Promise.resolve(true);
      if (closed) return Promise.resolve(false);
      return new Promise((resolve) => {
        const settle = (open: boolean): void => {
          cancel();
          waiting.delete(settle);
          resolve(open);
        };
        const cancel = clock.after(ms, () => settle(false));
        waiting.add(settle);
      });
    },
    get open() {
      return isOpen();
    },
    renew() {
      const socket = current;
      if (socket === undefined || closed || renewing === socket) return;
      renewing = socket;
      void shut(socket);
    },
    async close() {
      closed = true;
      cancelRetry?.();
      cancelPing?.();
      settleAll(false);
      if (current !== undefined) await shut(current);
    },
  };
}
