/**
 * A TCP proxy that misbehaves as networks do. It stands between a client and a server on loopback and knows just enough of HTTP
 * and WebSocket to lose one answer or to cut at one frame. Faults hold for what passes after they are set.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createFrameCounter } from './frame-counter.ts';

export interface ProxyFaults {
  /** Milliseconds before each piece is passed on, in both directions; `jitterMs` more at most. */
  latencyMs?: number;
  jitterMs?: number;
  /** Bytes a second towards the client. */
  bytesPerSecond?: number;
  /** Pieces of at most so many bytes, each passed on by itself. */
  sliceBytes?: number;
  /** Takes connections and bytes and passes nothing on until it is taken back: the peer is there and silent. */
  blackhole?: boolean;
  /** The next N connections are reset as soon as they are made. */
  resetOnConnect?: number;
  /** The next N connections are reset when the head of the first request has come; nothing of it reaches the server. */
  resetOnRequest?: number;
  /** The next N POST /prompt are cut in their middle: the server gets half of the request. */
  halvePrompts?: number;
  /** Answers of the next N POST /prompt are swallowed: the server has the prompt, the client a reset connection. */
  losePromptReplies?: number;
  /** The next N answers are cut after so many bytes. */
  truncations?: number;
  truncateAfterBytes?: number;
  /** Cuts a WebSocket instead of passing its Nth frame from the server, counted from 1 in each connection; once. */
  cutAtFrame?: number;
  /** Milliseconds for which an end of stream is held back. */
  slowCloseMs?: number;
}

export interface FaultProxy {
  readonly url: string;
  readonly faults: ProxyFaults;
  /** Connections open now. */
  connections(): number;
  /** Resets every connection; new ones are taken. */
  cutAll(): void;
  /** Resets WebSockets only. */
  cutSockets(): void;
  /** Refuses connections until `listen`, as a dead process does. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
  close(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  upgraded: boolean;
  /** The answer on its way belongs to a prompt and is to be lost. */
  losing: boolean;
  /** Bytes of the answer that still pass; undefined while all do. */
  left: number | undefined;
}

/** `target` is `http://host:port` without a path. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const faults: ProxyFaults = {};
  const links = new Set<Link>();
  let own = 0;
  let server: Server | undefined;

  const accept = (client: Socket): void => {
    client.on('error', () => undefined);
    if (take('resetOnConnect')) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const link: Link = { client, server: upstream, upgraded: false, losing: false, left: undefined };
    upstream.on('error', () => cut(link));
    links.add(link);
    void run(link).finally(() => links.delete(link));
  };
  const run = async (link: Link): Promise<void> => {
    try {
      await Promise.all([
        pump(link.client, link.server, false, (chunk) => up(link, chunk)),
        pump(link.server, link.client, true, createDown(link)),
      ]);
    } catch {
      cut(link);
    }
  };

  /** Passes on what `through` gives; undefined ends the connection as broken. */
  async function pump(
    from: Socket,
    to: Socket,
    toClient: boolean,
    through: (chunk: Buffer) => readonly Buffer[] | undefined,
  ): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      while (faults.blackhole === true) await pause(5);
      const pieces = through(chunk);
      for (const piece of pieces ?? []) {
        await hold(piece.length, toClient);
        if (!to.write(piece)) await once(to, 'drain');
      }
      if (pieces !== undefined) continue;
      // A reset would take back what was passed on before.
      if (toClient) await new Promise<void>((resolve) => to.end(resolve));
      throw new Error('cut');
    }
    if (faults.slowCloseMs !== undefined) await pause(faults.slowCloseMs);
    to.end();
  }

  async function hold(bytes: number, toClient: boolean): Promise<void> {
    const latency = (faults.latencyMs ?? 0) + Math.random() * (faults.jitterMs ?? 0);
    const transfer = toClient && faults.bytesPerSecond !== undefined ? (1000 * bytes) / faults.bytesPerSecond : 0;
    if (latency + transfer > 0) await pause(latency + transfer);
  }

  function up(link: Link, chunk: Buffer): readonly Buffer[] | undefined {
    const head = link.upgraded ? '' : chunk.subarray(0, 64).toString('latin1');
    if (/^[A-Z]+ \//.test(head)) {
      if (take('resetOnRequest')) return undefined;
      if (/^POST (?:\/[^ ]*)?\/prompt[ ?]/.test(head)) {
        link.losing = take('losePromptReplies');
        if (take('halvePrompts')) {
          link.server.write(chunk.subarray(0, chunk.length / 2));
          return undefined;
        }
      } else if (take('truncations')) link.left = faults.truncateAfterBytes ?? 0;
    }
    return slices(chunk);
  }

  function createDown(link: Link): (chunk: Buffer) => readonly Buffer[] | undefined {
    const frames = createFrameCounter();
    return (chunk) => {
      if (link.losing) return undefined;
      if (link.left !== undefined) {
        link.left -= chunk.length;
        if (link.left <= 0) {
          link.client.write(chunk.subarray(0, chunk.length + link.left));
          return undefined;
        }
      }
      link.upgraded ||= chunk.subarray(0, 13).toString('latin1') === 'HTTP/1.1 101 ';
      if (!link.upgraded) return slices(chunk);
      const before = frames.until(chunk, faults.cutAtFrame);
      if (before === undefined) return slices(chunk);
      delete faults.cutAtFrame;
      link.client.write(chunk.subarray(0, before));
      return undefined;
    };
  }

  function slices(chunk: Buffer): readonly Buffer[] {
    const size = faults.sliceBytes;
    if (size === undefined || size <= 0) return [chunk];
    return Array.from({ length: Math.ceil(chunk.length / size) }, (_, index) => chunk.subarray(index * size, (index + 1) * size));
  }

  /** Uses up one of a counted fault. */
  function take(name: 'resetOnConnect' | 'resetOnRequest' | 'halvePrompts' | 'losePromptReplies' | 'truncations'): boolean {
    const left = faults[name] ?? 0;
    if (left > 0) faults[name] = left - 1;
    return left > 0;
  }

  function cut({ client, server: upstream }: Link): void {
    if (client.writableEnded) client.destroy();
    else client.resetAndDestroy();
    upstream.destroy();
  }

  async function listen(): Promise<void> {
    if (server !== undefined) return;
    server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.listen(own, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    own = typeof address === 'object' && address !== null ? address.port : own;
  }

  async function refuse(): Promise<void> {
    const old = server;
    server = undefined;
    if (old === undefined) return;
    old.close();
    for (const link of links) cut(link);
    await once(old, 'close');
  }

  await listen();
  return {
    url: `http://127.0.0.1:${String(own)}`,
    faults,
    connections: () => links.size,
    cutAll: () => {
      for (const link of links) cut(link);
    },
    cutSockets: () => {
      for (const link of links) if (link.upgraded) cut(link);
    },
    refuse,
    listen,
    close: refuse,
  };
}
