// When a queue that stands still is asked about, and how long the answer is believed.
import { expect, it } from 'vitest';
import { createWorkerWatch } from '#daemon/worker-watch.ts';

function open(answer: () => string | undefined = () => 'its log says so') {
  const time = { now: 0 };
  const asked: number[] = [];
  const watch = createWorkerWatch(30, () => time.now);
  const backend = {
    id: 'a',
    async diagnose() {
      asked.push(time.now);
      return answer();
    },
  };
  const look = (at: number, remaining: number) => {
    time.now = at;
    return watch.look(backend, remaining, new AbortController().signal);
  };
  return { watch, asked, look };
}

it('asks nothing of a backend whose queue is empty or gets shorter', async () => {
  const { asked, look } = open();
  for (let at = 0; at < 400; at += 10) expect(await look(at, Math.max(0, 20 - at / 10))).toBeUndefined();
  expect(asked).toEqual([]);
});

it('asks when the queue has stood still for a while, and again after each such while', async () => {
  const { asked, look } = open(() => undefined);
  for (let at = 0; at <= 100; at += 10) expect(await look(at, 3 + at / 50)).toBeUndefined();
  expect(asked).toEqual([30, 60, 90]);
});

it('believes a proof without asking again, also when the queue grows, until it gets shorter', async () => {
  const { asked, look } = open();
  await look(0, 1);
  expect(await look(30, 1)).toBe('its log says so');
  expect(await look(90, 4)).toBe('its log says so');
  expect(asked).toEqual([30]);
  expect(await look(100, 3)).toBeUndefined();
});

it('believes who follows an attempt there, until nothing answers any more', async () => {
  const { watch, asked, look } = open();
  watch.proven('a', 'it told the end');
  expect(await look(5, 2)).toBe('it told the end');
  watch.gone('a');
  expect(await look(10, 2)).toBeUndefined();
  expect(asked).toEqual([]);
});

it('says nothing when the backend cannot be asked, or has nothing to say of its worker', async () => {
  const { look } = open(() => {
    throw new Error('no answer');
  });
  await look(0, 1);
  expect(await look(50, 1)).toBeUndefined();
  const watch = createWorkerWatch(0);
  expect(await watch.look({ id: 'b' }, 5, new AbortController().signal)).toBeUndefined();
});
