/** What goes out on one connection: bounded by watermarks, lossy only for what may be lost, and closed when the reader stands still. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

export interface Watermarks {
  /** Bytes. Below it, previews and paused subscriptions flow again. */
  readonly low: number;
  /** Bytes. Above it, subscriptions pause and read on from the store later. */
  readonly soft: number;
  /** Bytes. Above it the connection is closed: answers to calls can not be dropped. */
  readonly hard: number;
  /** Milliseconds without any byte taken by the reader while bytes wait. */
  readonly stall: number;
}

export const WATERMARKS: Watermarks = { low: 256 * 1024, soft: 1024 * 1024, hard: 16 * 1024 * 1024, stall: 30_000 };

export interface Outbound {
  /** For answers and events. */
  send(text: string): void;
  /** Everything that `work` sends goes to the system in one call: each costs as much as making many frames. */
  together(work: () => void): void;
  /** For progress and previews: dropped while more than `low` bytes wait. True when it was sent. */
  sendIfFree(text: string): boolean;
  /** True while subscriptions should hold back. */
  readonly full: boolean;
  /** Called once when the queue is back under `low`. */
  onceFree(listener: () => void): void;
  close(): void;
}

export interface OutboundOptions {
  /** What the WebSocket writes to. */
  readonly stream: Pick<Duplex, 'cork' | 'uncork'>;
  readonly watermarks?: Watermarks;
  readonly onStalled: () => void;
}

export function createOutbound(socket: WebSocket, options: OutboundOptions): Outbound {
  const { low, soft, hard, stall } = options.watermarks ?? WATERMARKS;
  const waiting = new Set<() => void>();
  let queued = 0;
  let drainedBefore = 0;
  let stillSince = performance.now();

  function watch(): void {
    const waitingBytes = socket.bufferedAmount;
    const drained = queued - waitingBytes;
    const now = performance.now();
    if (drained > drainedBefore || waitingBytes === 0) {
      drainedBefore = drained;
      stillSince = now;
    }
    if (now - stillSince >= stall) options.onStalled();
  }

  const timer = setInterval(watch, Math.max(10, Math.min(1000, stall / 4)));
  timer.unref();

  function flushed(): void {
    if (waiting.size === 0 || socket.bufferedAmount > low) return;
    const listeners = [...waiting];
    waiting.clear();
    for (const listener of listeners) listener();
  }

  function write(text: string): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > hard) {
      options.onStalled();
      return;
    }
    queued += Buffer.byteLength(text);
    socket.send(text, flushed);
  }

  return {
    send: write,
    together(work) {
      options.stream.cork();
      try {
        work();
      } finally {
        options.stream.uncork();
      }
    },
    sendIfFree(text) {
      if (socket.bufferedAmount > low) return false;
      write(text);
      return true;
    },
    get full() {
      return socket.bufferedAmount > soft;
    },
    onceFree(listener) {
      waiting.add(listener);
      flushed();
    },
    close() {
      clearInterval(timer);
      waiting.clear();
    },
  };
}
