// Calls that change something and are taken back: whole or not at all, and the answer says what was done.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createRetention } from '#daemon/retention/retention.ts';
import { openStore } from '#store/store.ts';
import { bundle, manifest, openPlace } from './exchange/exchange-harness.ts';

describe('run/clean that is taken back', () => {
  it('stops between two runs, answers with what is gone by then, and goes on when it is asked again', async () => {
    await using place = await openPlace({ card: manifest('card') });
    for (let at = 0; at < 3; at += 1) {
      const { runId } = await place.client.call('run/start', { template: 'card', cache: false });
      await place.ended(runId);
    }
    await place.client.close();
    await place.daemon.close();
    const store = openStore({ dir: place.data });
    const output = join(place.data, 'output');
    const retention = createRetention({
      store,
      outputDir: output,
      isBusy: () => false,
      keepTemplates: () => new Set(),
      onRemoved: () => undefined,
      log: pino({ level: 'silent' }),
      now: Date.now,
    });
    const folders = (): number => readdirSync(output).filter((name) => name !== '.callsheet').length;
    const wish = new AbortController();
    const told: unknown[] = [];
    const first = await retention.clean(
      { keep: 0 },
      {
        signal: wish.signal,
        report(value) {
          told.push(value);
          if (value.done === 0) wish.abort();
        },
      },
    );
    expect([first.runs.length, first.more, store.runs({}).length, folders()]).toEqual([1, true, 2, 2]);
    expect(told).toEqual([
      { done: 0, total: 3 },
      { done: 1, total: 3 },
    ]);
    const second = await retention.clean({ keep: 0 });
    expect([second.runs.length, second.more, store.runs({}).length, folders()]).toEqual([2, false, 0, 0]);
    store.close();
  });

  it('is one wish with another progressToken: the first answer comes again', async () => {
    await using place = await openPlace({ card: manifest('card') });
    const first = await place.client.call('run/clean', { keep: 0, requestKey: 'k', progressToken: 'a' });
    expect(await place.client.call('run/clean', { keep: 0, requestKey: 'k', progressToken: 'b' })).toEqual(first);
  });
});

describe('template/import that is taken back', () => {
  it('before its turn comes leaves nothing behind, and the one before it is done', async () => {
    await using place = await openPlace();
    const wish = new AbortController();
    const first = place.client.call('template/import', { file: place.put('a.callsheet', bundle('first')) });
    const second = place.client.call('template/import', { file: place.put('b.callsheet', bundle('second')) }, { signal: wish.signal });
    wish.abort();
    await expect(second).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    expect((await first).template.id).toBe('first');
    expect(readdirSync(place.imports)).toEqual(['first']);
    expect((await place.client.call('template/import', { file: place.put('b.callsheet', bundle('second')) })).existing).toBe(false);
  });
});
