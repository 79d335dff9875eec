// When runs begin, where their items go, and what is forgotten of a backend.
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RunMemory } from '#actors/deps.ts';
import type { Backend } from '#backends/contract.ts';
import { createContention } from '#daemon/contention.ts';
import { createScheduler } from '#daemon/scheduler/scheduler.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { BackendView } from '#protocol/views.ts';
import type { AttemptRow } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import type { BackendOffer } from '#templates/fits.ts';
import { connect } from '../../backends/comfyui/harness.ts';
import { compiled, manifest } from '../../templates/support.ts';

function memoryOf(runId: string, template: CompiledTemplate): RunMemory {
  const options = { optimize: true, cache: true };
  const rows = {
    savings: new Map(),
    attempts: new Map(),
    artifacts: [],
    provenance: new Map(),
    fresh: new Set<string>(),
    leftOut: new Map(),
  };
  return { runId, template, params: {}, backend: null, options, ...rows };
}

/** A scheduler over backends that exist as views alone, all of which answer. */
function open(...ids: readonly string[]) {
  const backends: readonly Backend[] = ids.map((id) => ({ ...connect('http://127.0.0.1:9'), id }));
  const views: BackendView[] = backends.map(({ id }) => ({ id, kind: 'comfyui', status: 'ready', draft: false }));
  const offers = new Map<string, BackendOffer>();
  const changed: (() => void)[] = [];
  const heard: ((view: BackendView) => void)[] = [];
  const begun: string[] = [];
  const scheduler = createScheduler({
    backends,
    settings: { backends: {}, maxOpenRuns: 10 },
    store: { setting: () => undefined, putSetting: () => undefined },
    contention: createContention({ info: () => undefined, warn: () => undefined }),
    offers: { known: (id) => offers.get(id) ?? { id }, onChange: (listener) => (changed.push(listener), () => undefined) },
    monitor: { views: () => views, onHeard: (listener) => (heard.push(listener), () => undefined) },
    demandTaker: () => {
      throw new Error('nobody');
    },
    begin: (runId) => void begun.push(runId),
    lookMs: 10,
    log: { info: () => undefined, warn: () => undefined },
  });
  onTestFinished(() => scheduler.close());
  const hear = (view: BackendView) => {
    views[ids.indexOf(view.id)] = view;
    for (const listener of heard) listener(view);
  };
  scheduler.open();
  for (const view of views) hear(view);
  return {
    scheduler,
    offers,
    begun,
    hear,
    offer: () => {
      for (const listener of changed) listener();
    },
    /** The backend that an item of a run of this template goes to. */
    place: async (template: CompiledTemplate, runId: string): Promise<string> => {
      const memory = memoryOf(runId, template);
      const input = { runId, step: 'a', item: 0, attempt: 1, skipped: [] };
      const place = await scheduler.places.acquire(memory, input, new AbortController().signal, () => undefined);
      return place.id;
    },
  };
}

const away = (id: string): BackendView => ({ id, kind: 'comfyui', status: 'unreachable', draft: false });

it('gives a waiting run to a backend that has got what it lacked, with the other one gone', async () => {
  const { scheduler, offers, begun, hear, offer, place } = open('a', 'b');
  const other = { Other: { input: {}, output: [], python_module: 'nodes' } };
  offers.set('b', { id: 'b', info: parseObjectInfo(JSON.stringify(other)).info });
  const template = compiled(manifest());
  expect(await place(template, 'first')).toBe('a');
  hear(away('a'));
  scheduler.enqueue({ runId: 'second', backend: null, templateHash: template.hash });
  await turn();
  expect(begun).toEqual([]);
  offers.delete('b');
  offer();
  await turn();
  await turn();
  expect(begun).toEqual(['second']);
});

describe('what is believed to be loaded on a backend', () => {
  const template = compiled(manifest());
  const row = (changes: Partial<AttemptRow>): AttemptRow => ({
    promptId: 'p',
    runId: 'first',
    step: 'a',
    item: 0,
    attempt: 1,
    backend: 'a',
    address: '',
    payloadHash: '',
    status: 'failed',
    acknowledged: true,
    number: null,
    createdAt: 1,
    endedAt: 2,
    error: null,
    ...changes,
  });
  const OUT_OF_MEMORY = new CallsheetError('OUT_OF_MEMORY', 'It ran out of memory.').data;

  it('is what went there last, and draws the next item that uses it', async () => {
    const { scheduler, place } = open('a', 'b');
    expect(await place(template, 'first')).toBe('a');
    expect(scheduler.loadOf('a').models).toEqual(['base.safetensors']);
    expect(await place(template, 'second')).toBe('a');
  });

  it.each<[string, (opened: ReturnType<typeof open>) => void]>([
    ['it was asked to free its memory, by a person or because a step ran out of it', ({ scheduler }) => scheduler.places.freed('a')],
    ['an attempt ran out of memory there', ({ scheduler }) => scheduler.note([row({ error: OUT_OF_MEMORY })])],
    ['an attempt was lost by its restart', ({ scheduler }) => scheduler.note([row({ status: 'lost' })])],
    ['it refuses connections', ({ hear }) => hear(away('a'))],
    [
      'it has refused a prompt',
      ({ scheduler }) => {
        const memory = memoryOf('x', template);
        scheduler.places.leave(memory, 'a', 'a');
      },
    ],
  ])('is forgotten when %s', async (_, happens) => {
    const opened = open('a', 'b');
    expect(await opened.place(template, 'first')).toBe('a');
    happens(opened);
    expect(opened.scheduler.loadOf('a').models).toBeUndefined();
    // Back again, it is one like the other, and has more to do.
    opened.hear({ id: 'a', kind: 'comfyui', status: 'ready', draft: false });
    expect(await opened.place(template, 'second')).toBe('b');
  });

  it('stays when an attempt ends in any other way', async () => {
    const { scheduler, place } = open('a', 'b');
    await place(template, 'first');
    scheduler.note([row({ error: new CallsheetError('NODE_FAILED', 'A node failed.').data }), row({ status: 'finished' })]);
    expect(scheduler.loadOf('a').models).toEqual(['base.safetensors']);
  });
});
