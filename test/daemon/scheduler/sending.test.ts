// The gate before anything new goes out.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createContention } from '#daemon/contention.ts';
import { createSending } from '#daemon/scheduler/sending.ts';

function open(paused = false) {
  const kept = new Map([['queue.paused', String(paused)]]);
  let changes = 0;
  const obstacles: { reason: string | undefined } = { reason: undefined };
  const sending = createSending({
    store: { setting: (name) => kept.get(name), putSetting: (name, value) => void kept.set(name, value) },
    contention: createContention({ info: () => undefined, warn: () => undefined }),
    obstacleFor: () => obstacles.reason,
    onChange: () => void (changes += 1),
  });
  const out: string[] = [];
  const told: string[] = [];
  const send = (name: string, signal = new AbortController().signal, work?: () => Promise<void>) =>
    sending.send(
      'a',
      signal,
      ({ code }) => void told.push(`${name} ${code}`),
      async () => {
        out.push(name);
        await work?.();
      },
    );
  const counts = () => ({ changes, isPaused: kept.get('queue.paused') });
  return { sending, out, told, send, counts, obstacles };
}

it('lets what is to be sent go at once, and what comes while the queue is paused when it goes on, in order', async () => {
  const { sending, out, told, send, counts } = open();
  await send('first');
  await sending.pause();
  expect(counts().isPaused).toBe('true');
  const later = [send('second'), send('third')];
  await turn();
  expect({ out, told }).toEqual({ out: ['first'], told: ['second QUEUE_PAUSED', 'third QUEUE_PAUSED'] });
  await sending.resume();
  await Promise.all(later);
  expect(counts().isPaused).toBe('false');
  expect(out).toEqual(['first', 'second', 'third']);
});

it('keeps what was let go and paused again before it went', async () => {
  const { sending, out, send } = open(true);
  const sent = send('once');
  const both = [sending.resume(), sending.pause()];
  await Promise.all(both);
  await turn();
  expect(out).toEqual([]);
  await sending.resume();
  await sent;
  expect(out).toEqual(['once']);
});

it('never sends what was given up while it waited', async () => {
  const { sending, out, send } = open(true);
  const giving = new AbortController();
  const sent = send('cancelled', giving.signal);
  giving.abort(new Error('over'));
  await expect(sent).rejects.toThrow('over');
  await expect(send('cancelled before', AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  await sending.resume();
  await turn();
  expect(out).toEqual([]);
});

it('is paused only once everything that had left has its answer', async () => {
  const { sending, out, send } = open();
  const answer = Promise.withResolvers<undefined>();
  const sent = send('on its way', undefined, () => answer.promise);
  const order: string[] = [];
  const paused = sending.pause().then(() => order.push('paused'));
  await turn();
  expect({ out, order }).toEqual({ out: ['on its way'], order: [] });
  answer.resolve(undefined);
  await sent;
  await paused;
  expect(order).toEqual(['paused']);
});

it('keeps what may not go to its backend now, says so to whoever decides, and sends it when that has changed', async () => {
  const { sending, out, told, send, counts, obstacles } = open();
  obstacles.reason = "The graphics card of 'a' is with 'b'.";
  const sent = send('prepared before');
  await turn();
  expect({ out, told, waiting: sending.waitingFor('a'), changes: counts().changes }).toEqual({
    out: [],
    told: ['prepared before CARD_WAITED_FOR'],
    waiting: 1,
    changes: 1,
  });
  expect(sending.waitingFor('b')).toBe(0);
  obstacles.reason = undefined;
  sending.wake();
  await sent;
  expect({ out, waiting: sending.waitingFor('a') }).toEqual({ out: ['prepared before'], waiting: 0 });
});
