/** One connection of the client: dial, handshake, calls in flight. It ends once and is never reused. */
import { lstatSync } from 'node:fs';
import { connect as connectTo } from 'node:net';
import { WebSocket } from 'ws';
import { textOf } from './frame-text.ts';
import { CallsheetError, isErrorData } from './errors.ts';
import { clientProof, createNonce, sameProof, serverProof } from './handshake.ts';
import type { MethodScope } from './methods/define.ts';
import { PROTOCOL_VERSION } from './methods/system.ts';
import type { InitializeResult } from './methods/system.ts';
import { formatCall, formatNotification } from './rpc.ts';

export interface Endpoint {
  /** `ws://127.0.0.1:PORT/rpc` as the runtime file gives it. */
  readonly url: string;
  readonly key: string;
  /** Path of the Unix socket of the same daemon, which is taken instead where it answers. The handshake is the same. */
  readonly socket?: string;
}

export interface LinkOptions {
  readonly endpoint: Endpoint;
  readonly client: { readonly name: string; readonly version: string };
  readonly scope: MethodScope;
  readonly timeout: number;
  readonly onNotification: (name: string, params: unknown) => void;
  /** Once, after the handshake had succeeded. */
  readonly onDown: () => void;
}

export interface Link {
  readonly server: InitializeResult;
  /** Resolves when the connection has ended. */
  readonly gone: Promise<void>;
  call(method: string, params: unknown, options?: LinkCall): Promise<unknown>;
  close(): Promise<void>;
}

export interface LinkCall {
  /** Runs before the next frame is read. */
  readonly onResult?: (result: unknown) => void;
  /** Takes the call back when it aborts; the promise settles with the answer all the same. */
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onResult: ((result: unknown) => void) | undefined;
}

/** A frame from the daemon: an answer or a notification. */
interface Incoming {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message?: string; readonly data?: unknown };
}

/**
 * By the Unix socket where there is one, else by the port; what is said is the same, the address in the proof too. A socket that nobody answers at
 * may be left over, or closed to this user: the port is tried then in the time that is left.
 */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { socket, ...byPort } = options.endpoint;
  if (!isSocket(socket)) return openOver({ ...options, endpoint: byPort });
  const deadline = performance.now() + options.timeout;
  try {
    return await openOver(options);
  } catch (error) {
    const timeout = deadline - performance.now();
    if (!(error instanceof CallsheetError) || error.code !== 'DAEMON_NOT_RUNNING' || timeout <= 0) throw error;
    return openOver({ ...options, endpoint: byPort, timeout });
  }
}

async function openOver(options: LinkOptions): Promise<Link> {
  const { endpoint, timeout } = options;
  const { host } = new URL(endpoint.url);
  const socket = dial(endpoint, timeout);
  const pending = new Map<unknown, Pending>();
  const gone = Promise.withResolvers<void>();
  const challenge = Promise.withResolvers<string>();
  let nextId = 1;
  let trusted = false;

  socket.on('message', (data) => {
    const message = parse(textOf(data));
    if (message?.method === 'challenge') {
      challenge.resolve(String((message.params as { nonce?: unknown } | undefined)?.nonce));
    } else if (message?.method !== undefined) {
      // Nothing counts before the daemon has proven itself.
      if (trusted) options.onNotification(message.method, message.params);
    } else if (message !== undefined) settle(message);
  });
  socket.on('error', (error) => challenge.reject(notRunning(endpoint.url, error)));
  socket.on('unexpected-response', (_request, response) => {
    // The door lets only so many in at once that have not proven a key yet.
    const isBusy = response.statusCode === 503;
    challenge.reject(
      isBusy
        ? new CallsheetError('TOO_MANY_REQUESTS', 'The daemon has too many connections at this moment.', {
            hint: 'Try again in some seconds.',
          })
        : new CallsheetError(
            'DAEMON_UNTRUSTED',
            `The address ${endpoint.url} answered with HTTP ${response.statusCode} instead of a WebSocket.`,
            {
              hint: 'Another program may have taken the port. Start the daemon again: callsheet daemon',
            },
          ),
    );
    socket.terminate();
  });
  socket.on('close', (code, reason) => {
    const error = closedBy(code, String(reason));
    challenge.reject(error);
    for (const waiting of pending.values()) waiting.reject(error);
    pending.clear();
    gone.resolve();
    if (trusted) options.onDown();
  });

  function settle(message: Incoming): void {
    const waiting = pending.get(message.id);
    if (waiting === undefined) return;
    pending.delete(message.id);
    if (message.error !== undefined) {
      const { data, message: text } = message.error;
      waiting.reject(
        isErrorData(data) ? CallsheetError.from(data) : new CallsheetError('INTERNAL', text ?? 'The daemon answered with an error.'),
      );
      return;
    }
    waiting.onResult?.(message.result);
    waiting.resolve(message.result);
  }

  function call(method: string, params: unknown, { onResult, signal }: LinkCall = {}): Promise<unknown> {
    if (signal?.aborted === true)
      return Promise.reject(new CallsheetError('REQUEST_CANCELLED', 'The call was taken back before it was made.'));
    if (socket.readyState !== WebSocket.OPEN) return Promise.reject(closedBy(1006, ''));
    const id = nextId;
    nextId += 1;
    const takeBack = () => {
      if (socket.readyState === WebSocket.OPEN) socket.send(formatNotification('$/cancelRequest', { id }));
    };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    pending.set(id, { resolve, reject, onResult });
    socket.send(formatCall(id, method, params));
    if (signal === undefined) return promise;
    signal.addEventListener('abort', takeBack, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', takeBack));
  }

  async function close(): Promise<void> {
    trusted = false;
    socket.close(1000);
    const force = setTimeout(() => socket.terminate(), 1000);
    await gone.promise;
    clearTimeout(force);
  }

  const deadline = setTimeout(() => {
    challenge.reject(notRunning(endpoint.url, undefined));
    socket.terminate();
  }, timeout);
  try {
    const handshake = { host, scope: options.scope, serverNonce: await challenge.promise, clientNonce: createNonce() };
    const auth = { scope: options.scope, nonce: handshake.clientNonce, proof: clientProof(endpoint.key, handshake) };
    const protocol = { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION };
    const server = (await call(
      'initialize',
      { client: options.client, protocol, auth },
      {
        onResult: (result) => {
          const proof = (result as InitializeResult | undefined)?.proof;
          trusted = proof !== undefined && sameProof(serverProof(endpoint.key, handshake), proof);
        },
      },
    )) as InitializeResult;
    if (!trusted) {
      throw new CallsheetError('DAEMON_UNTRUSTED', `What answers at ${endpoint.url} does not know the key of the daemon.`, {
        hint: 'Another program may have taken the port. Start the daemon again: callsheet daemon',
      });
    }
    return { server, gone: gone.promise, call, close };
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

// --- helpers ---

function dial({ url, socket }: Endpoint, timeout: number): WebSocket {
  const settings = { perMessageDeflate: false, handshakeTimeout: timeout, followRedirects: false };
  return new WebSocket(url, socket === undefined ? settings : { ...settings, createConnection: () => connectTo(socket) });
}

function isSocket(path: string | undefined): boolean {
  try {
    return path !== undefined && lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

function parse(text: string): Incoming | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function notRunning(url: string, cause: unknown): CallsheetError {
  return new CallsheetError('DAEMON_NOT_RUNNING', `No daemon answers at ${url}.`, { hint: 'Start one: callsheet daemon', cause });
}

function closedBy(code: number, reason: string): CallsheetError {
  if (code === 4401) {
    return new CallsheetError('UNAUTHORIZED', 'The daemon did not accept the key.', {
      hint: 'The runtime file may be of an earlier daemon; read it again.',
    });
  }
  const why = reason === '' ? `code ${code}` : reason;
  return new CallsheetError('CONNECTION_LOST', `The connection to the daemon ended (${why}).`);
}
