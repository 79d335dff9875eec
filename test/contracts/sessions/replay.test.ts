// Sessions of clients of earlier releases, replayed: what they sent is taken as it was, and what they relied on is still there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { clientProof } from '#protocol/handshake.ts';
import { rawSocket } from '../../daemon/door-harness.ts';
import { openWorld, type World } from '../../daemon/every-method.ts';
import { fillIn, type Frame, missing, type Names, type Recorded } from './recording.ts';

const folder = fileURLToPath(new URL('../../fixtures/sessions/', import.meta.url));
const sessions = readdirSync(folder).flatMap((version) =>
  readdirSync(join(folder, version)).map((file) => ({ version, file, frames: read(join(folder, version, file)) })),
);

function read(file: string): readonly Recorded[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
}

/** What a client sees of an event that is not another each time. */
function signature({ params }: Frame): string {
  const { event = {} } = params as { readonly event?: Readonly<Record<string, unknown>> };
  return [event['type'], event['status'], event['step'], event['item'], event['into']].join(' ');
}

/** The states that an item passes through on its way depend on how quick a machine is; that it comes to its end does not. */
function isCertain({ params }: Frame): boolean {
  const { event = {} } = params as { readonly event?: Readonly<Record<string, unknown>> };
  if (event['type'] === 'step.status') return event['status'] === 'done' || event['status'] === 'cached';
  return event['type'] !== 'step.note' && event['type'] !== 'run.note';
}

async function replay(frames: readonly Recorded[], world: World): Promise<readonly string[]> {
  const names: Names = new Map([['<dir>', world.dir]]);
  const socket = await rawSocket(world.daemon.url);
  const nonce = (JSON.parse(await socket.next()) as { params: { nonce: string } }).params.nonce;
  const events = new Map<string, number>();
  const found: string[] = [];
  const expectEvent = async (recorded: Frame): Promise<void> => {
    const wanted = signature(recorded);
    for (;;) {
      const left = events.get(wanted) ?? 0;
      if (left > 0) {
        events.set(wanted, left - 1);
        return;
      }
      const frame = JSON.parse(await socket.next((text) => text.includes('"method":"event"'))) as Frame;
      events.set(signature(frame), (events.get(signature(frame)) ?? 0) + 1);
    }
  };
  for (const { from, frame } of frames) {
    if (from === 'client')
      socket.send(frame.method === 'initialize' ? withProof(fillIn(frame, names), nonce, world) : fillIn(frame, names));
    else if (frame.method === 'event' && isCertain(frame)) await expectEvent(frame);
    else if (frame.method === undefined) {
      const answer = JSON.parse(
        await socket.next((text) => text.startsWith(`{"jsonrpc":"2.0","id":${JSON.stringify(frame.id)},`)),
      ) as Frame;
      found.push(...missing(frame, answer, names, `answer ${String(frame.id)}`));
    }
  }
  socket.socket.close();
  return found;
}

/** The proof of a recording is of another key, nonce and port. */
function withProof(frame: Frame, serverNonce: string, world: World): Frame {
  const params = frame.params as { readonly auth: { readonly scope: 'admin'; readonly nonce: string } };
  const { scope, nonce: clientNonce } = params.auth;
  const proof = clientProof(world.keyOf(scope), { host: `127.0.0.1:${String(world.daemon.port)}`, scope, serverNonce, clientNonce });
  return { ...frame, params: { ...params, auth: { ...params.auth, proof } } };
}

describe('a session of a client of an earlier release', () => {
  it.each(sessions)('$version $file misses nothing', async ({ frames }) => {
    await using world = await openWorld();
    expect(await replay(frames, world)).toEqual([]);
  });
});

describe('what a client would miss', () => {
  const misses = (before: unknown, now: unknown): readonly string[] => missing(before, now, new Map(), 'answer');
  it.each([
    ['a member that is gone', { a: 1, b: 2 }, { b: 2 }, ['answer.a: it was number and is gone']],
    ['a member of another kind', { a: 1 }, { a: '1' }, ['answer.a: it was number and is string']],
    ['a word that it decides by', { status: 'succeeded' }, { status: 'done' }, ['answer.status: it was succeeded and is done']],
    ['an item of a list', [{ code: 'A' }], [{ code: 'B' }], ['answer[0].code: it was A and is B']],
    ['every item of a list', [1], [], ['answer[0]: the list is empty']],
    ['an object that became a list', { a: {} }, { a: [] }, ['answer.a: it is no object any more']],
    ['one name for two things', { a: '<1>', b: '<1>' }, { a: 'x', b: 'y' }, ['answer.b: it stands for another thing than before']],
  ])('is %s', (_what, before, now, sentences) => {
    expect(misses(before, now)).toEqual(sentences);
  });

  it.each([
    ['a new member', { a: 1 }, { a: 2, b: 3 }],
    ['another sentence', { message: 'one' }, { message: 'two' }],
    ['a longer list', [{ code: 'A' }], [{ code: 'B' }, { code: 'A' }]],
  ])('is not %s', (_what, before, now) => {
    expect(misses(before, now)).toEqual([]);
  });
});
