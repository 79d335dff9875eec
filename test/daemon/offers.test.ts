// What backends said of themselves, asked for with patience that ends.
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createOffers } from '#daemon/offers.ts';

it('answers with what is known where the patience has run out, also when that was before the question', async () => {
  const silent = async () => new Promise<never>(() => undefined);
  const offers = createOffers([{ id: 'a', kind: 'comfyui', objectInfo: silent, describe: silent }], pino({ level: 'silent' }));
  onTestFinished(() => offers.close());
  const patience = new AbortController();
  const first = offers.ask('a', { signal: patience.signal });
  patience.abort();
  expect(await first).toEqual({ id: 'a' });
  expect(await offers.ask('a', { signal: patience.signal })).toEqual({ id: 'a' });
  expect(await offers.ask('a', { refresh: true, signal: patience.signal })).toEqual({ id: 'a' });
});
