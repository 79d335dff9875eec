/** Plays every conversation of this folder against the dispatcher, and those of door/ against a real door. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DoorLimits } from '#daemon/limits.ts';
import { createDispatcher } from '#protocol/dispatch.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { FRAME_LIMITS, namedParams } from '#protocol/rpc.ts';
import type { FrameLimits } from '#protocol/rpc.ts';
import { countCases } from '../../count-cases.ts';
import { openTestDoor, rawSocket } from '../../daemon/door-harness.ts';
import { type Conversation, conversationsIn, framesSent, type Peer, play } from './conversations.ts';

const folder = import.meta.dirname;
const plain = conversationsIn(folder);
const atDoor = conversationsIn(join(folder, 'door'));

function handle(method: string, given: unknown, _context: undefined, signal: AbortSignal): unknown {
  const params = namedParams(given);
  if (method === 'test/add') return Number(params['a']) + Number(params['b']);
  if (method === 'test/echo') return params;
  if (method === 'test/nothing') return undefined;
  if (method === 'test/fail') throw new CallsheetError('RUN_NOT_FOUND', 'No run has this id.', { hint: 'List runs.' });
  if (method === 'test/bug') throw new TypeError('kaput');
  if (method === 'test/wait') return takenBack(signal).then(() => signal.throwIfAborted());
  if (method === 'test/stubborn') return takenBack(signal).then(() => 'done all the same');
  if (method === 'test/fail-late') {
    return takenBack(signal).then(() => {
      throw new CallsheetError('STORAGE_FAILED', 'The disk is full.');
    });
  }
  throw new CallsheetError('METHOD_NOT_FOUND', 'No such method.');
}

describe.each(Object.entries(byFile(plain)))('conversations of %s', (_file, conversations) => {
  it.each(conversations)('line $line: $title', async (conversation) => {
    const { maxInFlight, limits } = conversation.options as { readonly maxInFlight?: number; readonly limits?: Partial<FrameLimits> };
    const dispatcher = createDispatcher({
      handle,
      ...(maxInFlight === undefined ? {} : { maxInFlight }),
      limits: { ...FRAME_LIMITS, ...limits },
    });
    const answers: string[] = [];
    const waiting: (() => void)[] = [];
    const peer: Peer = {
      send(frame) {
        void dispatcher.receive(frame, undefined).then((answer) => {
          if (answer !== undefined) answers.push(answer);
          for (const wake of waiting.splice(0)) wake();
        });
      },
      async next() {
        while (answers.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
        return answers.shift() ?? '';
      },
      async settled() {
        // Nothing here waits for anything but the turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
        return answers.splice(0);
      },
    };
    expect(await play(conversation, peer)).toBe('played');
  });
});

describe.each(Object.entries(byFile(atDoor)))('conversations of door/%s', (_file, conversations) => {
  it.each(conversations)('line $line: $title', async ({ options, ...conversation }) => {
    const {
      scope = 'admin',
      initialize = true,
      limits = {},
    } = options as {
      readonly scope?: 'none' | 'read' | 'run' | 'admin';
      readonly initialize?: boolean;
      readonly limits?: Partial<DoorLimits>;
    };
    await using door = await openTestDoor({
      // One more of what is allowed at once for the handshake that the vectors do not show.
      limits: limits.callBurst === undefined ? limits : { ...limits, callBurst: limits.callBurst + (initialize ? 1 : 0) },
      handlers: {
        async 'template/check'(_params, { report }) {
          report({ done: 0, total: 2, message: 'hero' });
          report({ done: 1, total: 2 });
          return { files: [{ path: '/nowhere', ok: true, problems: [] }] };
        },
        async 'template/render'(_params, { signal }) {
          await takenBack(signal);
          throw new CallsheetError('BACKEND_UNREACHABLE', 'The question was cut off.');
        },
        async 'run/clean'(_params, { signal }) {
          await takenBack(signal);
          return { dryRun: false, runs: [], bytes: 0, kept: [], more: true };
        },
      },
    });
    const socket = await rawSocket(door.url, scope === 'none' ? {} : { Authorization: `Bearer ${door.auth.keyOf(scope)}` });
    if (scope === 'none') await socket.next();
    if (initialize) {
      socket.send({ jsonrpc: '2.0', id: 'hello', method: 'initialize', params: { client: { name: 'vectors', version: '1' } } });
      await socket.next();
    }
    const gone = socket.closed.then(({ code }) => `close ${String(code)}`);
    const played = await play(
      { ...conversation, options },
      {
        send: (frame) => socket.send(frame),
        next: () => socket.next().catch(() => gone),
        async settled() {
          if (socket.socket.readyState !== socket.socket.OPEN) return socket.frames.splice(0);
          // What was sent before a ping of the WebSocket has been read when its pong comes, and answered two turns later.
          const pong = Promise.withResolvers<void>();
          socket.socket.once('pong', () => pong.resolve());
          socket.socket.ping();
          await Promise.race([pong.promise, gone]);
          await new Promise((resolve) => setTimeout(resolve, 20));
          return socket.frames.splice(0);
        },
      },
    );
    expect(played).toBe('played');
  });
});

it('are at least 150 in all', () => {
  const frames = framesSent([...plain, ...atDoor]);
  countCases('vectors', { cases: frames });
  expect(frames).toBeGreaterThanOrEqual(150);
});

// --- helpers ---

function takenBack(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function byFile(conversations: readonly Conversation[]): Readonly<Record<string, Conversation[]>> {
  return Object.groupBy(conversations, ({ file }) => file) as Readonly<Record<string, Conversation[]>>;
}
