/** One connection to the daemon: a ticket, the handshake both ways, calls in flight. It ends once and is never used again. */
import { CallsheetError, isErrorData } from '../../src/protocol/errors.ts';
import type { InitializeResult } from '../../src/protocol/methods/system.ts';
import { pageHeader } from './page-secret.ts';
import { createNonce, proofOf } from './proof.ts';

export interface LinkHandlers {
  readonly onNotification: (name: string, params: unknown) => void;
  /** Once, after the handshake had succeeded. */
  readonly onDown: () => void;
}

export interface Link {
  readonly server: InitializeResult;
  /** `onResult` runs before the next frame is read. */
  call(method: string, params: unknown, onResult?: (result: unknown) => void): Promise<unknown>;
  close(): void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onResult: ((result: unknown) => void) | undefined;
}

interface Incoming {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message?: string; readonly data?: unknown };
}

const SCOPE = 'run';
const HANDSHAKE_MS = 10_000;
const PROTOCOL = 1;

/** Throws UNAUTHORIZED when the session of this browser has ended, DAEMON_NOT_RUNNING when nobody answers, DAEMON_UNTRUSTED. */
export async function openLink({ onNotification, onDown }: LinkHandlers): Promise<Link> {
  const ticket = await fetchTicket();
  const { host } = location;
  const socket = new WebSocket(`ws://${host}/rpc`);
  const waiting = new Map<unknown, Waiting>();
  const challenge = Promise.withResolvers<string>();
  let nextId = 1;
  let trusted = false;

  socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data) as Incoming;
    if (message.method === 'challenge') challenge.resolve(String((message.params as { nonce?: unknown }).nonce));
    else if (message.method === undefined) settle(message);
    // Nothing counts before the daemon has proven itself.
    else if (trusted) onNotification(message.method, message.params);
  });
  socket.addEventListener('close', ({ code }) => {
    const error = new CallsheetError('CONNECTION_LOST', `The connection to the daemon ended (code ${String(code)}).`);
    challenge.reject(error);
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
    if (trusted) onDown();
    trusted = false;
  });

  function settle({ id, result, error }: Incoming): void {
    const one = waiting.get(id);
    if (one === undefined) return;
    waiting.delete(id);
    if (error === undefined) {
      one.onResult?.(result);
      one.resolve(result);
      return;
    }
    const { data, message = 'The daemon answered with an error.' } = error;
    one.reject(isErrorData(data) ? CallsheetError.from(data) : new CallsheetError('INTERNAL', message));
  }

  function call(method: string, params: unknown, onResult?: (result: unknown) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (socket.readyState !== WebSocket.OPEN) {
        reject(new CallsheetError('CONNECTION_LOST', 'There is no connection to the daemon now.'));
        return;
      }
      const id = nextId;
      nextId += 1;
      waiting.set(id, { resolve, reject, onResult });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  const deadline = setTimeout(() => socket.close(), HANDSHAKE_MS);
  try {
    const handshake = { host, scope: SCOPE, serverNonce: await challenge.promise, clientNonce: createNonce() };
    const auth = { scope: SCOPE, nonce: handshake.clientNonce, proof: await proofOf('client', ticket, handshake) };
    const expected = await proofOf('server', ticket, handshake);
    const params = { client: { name: 'dashboard', version: '1' }, protocol: { min: PROTOCOL, max: PROTOCOL }, auth };
    const server = (await call('initialize', params, (result) => {
      trusted = (result as InitializeResult).proof === expected;
    })) as InitializeResult;
    if (!trusted) throw new CallsheetError('DAEMON_UNTRUSTED', 'What answers at this address is not the daemon that opened this page.');
    return { server, call, close: () => socket.close(1000) };
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

// --- helpers ---

async function fetchTicket(): Promise<string> {
  let response: Response;
  try {
    response = await fetch('/session/ticket', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...pageHeader() },
      body: '{}',
    });
  } catch (cause) {
    throw new CallsheetError('DAEMON_NOT_RUNNING', 'The daemon does not answer.', { cause });
  }
  if (response.status === 401 || response.status === 403) {
    throw new CallsheetError('UNAUTHORIZED', 'The session of this browser has ended.', { hint: 'Run: callsheet open' });
  }
  if (!response.ok) throw new CallsheetError('DAEMON_NOT_RUNNING', `The daemon answered with HTTP ${String(response.status)}.`);
  const { ticket } = (await response.json()) as { ticket: string };
  return ticket;
}
