// Runs that wait begin as soon as any backend can take them, also one that could not before.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { RunMemory } from '#actors/deps.ts';
import type { Backend } from '#backends/contract.ts';
import { createScheduler } from '#daemon/scheduler/scheduler.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import type { BackendView } from '#protocol/views.ts';
import type { BackendOffer } from '#templates/fits.ts';
import { connect } from '../../backends/comfyui/harness.ts';
import { compiled, manifest } from '../../templates/support.ts';

it('gives a waiting run to a backend that has got what it lacked, with the other one gone', async () => {
  const backends: readonly Backend[] = ['a', 'b'].map((id) => ({ ...connect('http://127.0.0.1:9'), id }));
  const views: BackendView[] = backends.map(({ id }) => ({ id, kind: 'comfyui', status: 'ready', draft: false }));
  const other = { Other: { input: {}, output: [], python_module: 'nodes' } };
  const offers = new Map<string, BackendOffer>([['b', { id: 'b', info: parseObjectInfo(JSON.stringify(other)).info }]]);
  const changed: (() => void)[] = [];
  const heard: ((view: BackendView) => void)[] = [];
  const begun: string[] = [];
  const template = compiled(manifest());
  const options = { optimize: true, cache: true };
  const rows = { attempts: new Map(), artifacts: [], provenance: new Map(), fresh: new Set<string>() };
  const memory: RunMemory = { runId: 'first', template, params: {}, backend: null, options, ...rows };
  const scheduler = createScheduler({
    backends,
    settings: { backends: {}, maxOpenRuns: 10 },
    store: { setting: () => undefined, putSetting: () => undefined },
    offers: { known: (id) => offers.get(id) ?? { id }, onChange: (listener) => (changed.push(listener), () => undefined) },
    monitor: { views: () => views, onHeard: (listener) => (heard.push(listener), () => undefined) },
    demandTaker: () => {
      throw new Error('nobody');
    },
    begin: (runId) => void begun.push(runId),
    lookMs: 10,
    log: { info: () => undefined, warn: () => undefined },
  });
  const hear = (view: BackendView) => {
    for (const listener of heard) listener(view);
  };
  scheduler.open();
  for (const view of views) hear(view);
  const input = { runId: 'first', step: 'a', item: 0, attempt: 1, skipped: [] };
  const place = await scheduler.places.acquire(memory, input, new AbortController().signal, () => undefined);
  expect(place.id).toBe('a');
  views[0] = { id: 'a', kind: 'comfyui', status: 'unreachable', draft: false };
  hear(views[0]);
  scheduler.enqueue({ runId: 'second', backend: null, templateHash: template.hash });
  await turn();
  expect(begun).toEqual([]);
  offers.delete('b');
  for (const listener of changed) listener();
  await turn();
  await turn();
  expect(begun).toEqual(['second']);
  scheduler.close();
});
