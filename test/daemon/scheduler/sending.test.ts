// The gate before anything new goes out.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createSending } from '#daemon/scheduler/sending.ts';

function open(paused = false) {
  const state = { paused };
  const sending = createSending(() => state.paused);
  const out: string[] = [];
  const told: string[] = [];
  const send = (name: string, signal = new AbortController().signal, work?: () => Promise<void>) =>
    sending.send(
      signal,
      () => void told.push(name),
      async () => {
        out.push(name);
        await work?.();
      },
    );
  const resume = () => {
    state.paused = false;
    sending.resumed();
  };
  return { state, sending, out, told, send, resume };
}

it('lets what is to be sent go at once, and what comes while the queue is paused when it goes on, in order', async () => {
  const { state, out, told, send, resume } = open();
  await send('first');
  state.paused = true;
  const later = [send('second'), send('third')];
  await turn();
  expect({ out, told }).toEqual({ out: ['first'], told: ['second', 'third'] });
  resume();
  await Promise.all(later);
  expect(out).toEqual(['first', 'second', 'third']);
});

it('keeps what was let go and paused again before it went', async () => {
  const { state, out, send, resume } = open(true);
  const sent = send('once');
  resume();
  state.paused = true;
  await turn();
  expect(out).toEqual([]);
  resume();
  await sent;
  expect(out).toEqual(['once']);
});

it('never sends what was given up while it waited', async () => {
  const { out, send, resume } = open(true);
  const giving = new AbortController();
  const sent = send('cancelled', giving.signal);
  giving.abort(new Error('over'));
  await expect(sent).rejects.toThrow('over');
  await expect(send('cancelled before', AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  resume();
  await turn();
  expect(out).toEqual([]);
});

it('is quiet only once everything that had left has its answer', async () => {
  const { state, sending, out, send } = open();
  const answer = Promise.withResolvers<undefined>();
  const sent = send('on its way', undefined, () => answer.promise);
  state.paused = true;
  const order: string[] = [];
  const quiet = sending.quiet().then(() => order.push('quiet'));
  await turn();
  expect({ out, order }).toEqual({ out: ['on its way'], order: [] });
  answer.resolve(undefined);
  await sent;
  await quiet;
  expect(order).toEqual(['quiet']);
});
