/** One WebSocket: frames in, answers and notifications out, within the limits. The first word is the challenge. */
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { createDispatcher } from '#protocol/dispatch.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { textOf } from '#protocol/frame-text.ts';
import { createNonce } from '#protocol/handshake.ts';
import type { MethodScope } from '#protocol/methods/define.ts';
import { findMethod } from '#protocol/methods/index.ts';
import { FRAME_LIMITS, formatNotification } from '#protocol/rpc.ts';
import type { EventHub } from './event-hub.ts';
import type { DoorLimits } from './limits.ts';
import type { Logger } from './log.ts';
import { createOutbound } from './outbound.ts';
import type { Refusals } from './refusals.ts';
import { createSession } from './session.ts';
import type { SessionOptions } from './session.ts';
import { createTokenBucket } from './token-bucket.ts';

/** Close codes of our own (docs/protocol.md, Close codes). */
export const CLOSE = { unauthorized: 4401, authTimeout: 4408, slowReader: 4413, goingAway: 1001, binary: 1003, tooBig: 1009 } as const;

export interface ConnectionParts extends Pick<SessionOptions, 'auth' | 'identity' | 'handlers' | 'validator'> {
  readonly hub: EventHub;
  readonly log: Logger;
  readonly refusals: Refusals;
  readonly limits: DoorLimits;
}

export interface Connection {
  /** True once a key was proven. */
  readonly authenticated: boolean;
  close(code: number, reason: string): void;
}

/** What is known from the upgrade. */
export interface Upgraded {
  /** Of the key in its Authorization header, if there was one. */
  readonly scope: MethodScope | undefined;
  /** The Host header, which passed the gate. */
  readonly host: string;
  /** What the WebSocket writes to. */
  readonly stream: Duplex;
}

export function createConnection(socket: WebSocket, { scope, host, stream }: Upgraded, parts: ConnectionParts): Connection {
  const { hub, log, refusals, limits } = parts;
  const serverNonce = createNonce();
  const session = createSession({ ...parts, scope, host, serverNonce });
  const outbound = createOutbound(socket, { stream, watermarks: limits.watermarks, onStalled: () => giveUp() });
  const subscriber = hub.attach(outbound);
  const bucket = createTokenBucket(limits.callsPerSecond, limits.callBurst);
  let heardAt = performance.now();
  let closing = false;
  /** Set by the one message that is taken before a key is proven. */
  let spoken = false;
  let following: AbortSignal | undefined;

  const dispatcher = createDispatcher<(() => void)[]>({
    maxInFlight: limits.inFlight,
    limits: FRAME_LIMITS,
    handle: (name, params, after) => {
      const wait = bucket.take();
      if (wait > 0) throw tooFast(wait);
      return session.call(name, params, { subscriber, afterAnswer: (task) => after.push(task) });
    },
    onNotification: (name) => {
      const mutation = findMethod(name)?.mutation ?? false;
      log.debug({ mutation }, mutation ? 'dropped a mutation that was sent as a notification' : 'dropped a notification');
    },
    onError: (method, data, cause) => {
      if (data.code === 'INTERNAL') log.error({ method, err: cause }, 'a method failed');
    },
  });

  const deadline = setTimeout(() => {
    if (session.scope !== undefined) return;
    refusals.count('auth-timeout');
    close(CLOSE.authTimeout, 'no key was proven in time');
  }, limits.authDeadline);
  const heartbeat = setInterval(() => {
    if (performance.now() - heardAt > limits.deadAfter) socket.terminate();
    else socket.ping();
  }, limits.pingEvery);

  async function receive(data: RawData, binary: boolean): Promise<void> {
    heardAt = performance.now();
    if (closing) return;
    if (binary) {
      refusals.count('protocol');
      close(CLOSE.binary, 'text frames only');
      return;
    }
    const text = textOf(data);
    const stranger = session.scope === undefined;
    if (stranger && (spoken || text.length > limits.authFrame)) {
      refusals.count('protocol');
      close(spoken ? CLOSE.unauthorized : CLOSE.tooBig, 'one small message before a key is proven');
      return;
    }
    spoken = true;
    const after: (() => void)[] = [];
    const answer = stranger && /^\s*\[/.test(text) ? undefined : await dispatcher.receive(text, after);
    if (answer !== undefined) outbound.send(answer);
    if (session.scope === undefined) {
      refusals.count('token');
      close(CLOSE.unauthorized, 'the key is missing or wrong');
      return;
    }
    followEnd();
    for (const task of after) task();
    if (outbound.full) holdBack();
  }

  /** The page of a session that has ended has nothing to say any more. */
  function followEnd(): void {
    const { ended } = session;
    if (ended === undefined || ended === following) return;
    following = ended;
    if (ended.aborted) onEnded();
    else ended.addEventListener('abort', onEnded);
  }

  function onEnded(): void {
    close(CLOSE.unauthorized, 'the session has ended');
  }

  /** Reads no more calls until the answers to those before were taken. */
  function holdBack(): void {
    socket.pause();
    outbound.onceFree(() => socket.resume());
  }

  function giveUp(): void {
    if (closing) return;
    refusals.count('slow-reader');
    close(CLOSE.slowReader, 'nothing was read for too long; resume by event number');
    // The close frame waits behind what is not being read.
    socket.terminate();
  }

  function close(code: number, reason: string): void {
    if (closing) return;
    closing = true;
    socket.close(code, reason);
  }

  socket.on('message', (data, binary) => {
    receive(data, binary).catch((error: unknown) => {
      log.error({ err: error }, 'a frame could not be answered');
      socket.terminate();
    });
  });
  socket.on('pong', () => {
    heardAt = performance.now();
  });
  socket.on('error', (error) => {
    refusals.count('protocol');
    log.debug({ err: error }, 'a WebSocket broke the protocol');
  });
  socket.on('close', () => {
    closing = true;
    clearTimeout(deadline);
    clearInterval(heartbeat);
    following?.removeEventListener('abort', onEnded);
    subscriber.detach();
    outbound.close();
  });

  if (scope === undefined) outbound.send(formatNotification('challenge', { nonce: serverNonce }));
  return {
    get authenticated() {
      return session.scope !== undefined;
    },
    close,
  };
}

// --- helpers ---

function tooFast(retryAfterMs: number): CallsheetError {
  return new CallsheetError('TOO_MANY_REQUESTS', 'Too many calls a second on this connection.', {
    hint: 'Subscribe to events instead of polling.',
    details: { retryAfterMs },
  });
}
