// Files of runs as clients find them: in run/get whatever the run is doing, and in artifact/list by what is known of them, page by page.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ParamsOf } from '#protocol/methods/index.ts';
import type { RunView } from '#protocol/views.ts';
import { openPlace, type Place } from './exchange/exchange-harness.ts';

const GRAPH = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 32, batch_size: 1, color: 255 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
  '3': { class_type: 'PrimitiveString', inputs: { value: 'a caption' } },
  '4': { class_type: 'PreviewAny', inputs: { source: ['3', 0] } },
};

/** A first step that gives a picture and a text, for each of several colours, and a second one that is `second`. */
async function openStage(
  id: string,
  { steps = [], ...more }: { readonly steps?: readonly object[] } & Record<string, unknown> = {},
  place?: Place,
) {
  const at = place ?? (await openPlace());
  const folder = join(at.dir, 'templates', id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'g.json'), JSON.stringify(GRAPH));
  writeFileSync(
    join(folder, 'template.json'),
    JSON.stringify({
      format: 1,
      id,
      version: '1.0.0',
      parameters: { colours: { type: 'list', of: 'integer', default: [1, 2, 3] } },
      steps: [
        { id: 'draw', workflow: 'g.json', each: '{colours}', set: { '1.color': '{each}' }, outputs: { card: '2', words: '4' } },
        ...steps,
      ],
      outputs: { cards: { from: '{steps.draw.card}', asset: { kind: 'image', name: 'card' } } },
      ...more,
    }),
  );
  await at.changed(id, ({ runnable }) => runnable);
  return at;
}

async function run(place: Place, template: string, parameters: object = {}): Promise<RunView> {
  const { runId } = await place.client.call('run/start', { template, parameters: { ...parameters } });
  return place.ended(runId);
}

describe('run/get', () => {
  it('lists what is there already while a step is at work, item by item', async () => {
    await using place = await openStage('many');
    const seen: Promise<readonly [artifactId: string, RunView]>[] = [];
    const { runId } = await place.client.call('run/start', {
      template: 'many',
      parameters: { colours: Array.from({ length: 12 }, (_, n) => n) },
    });
    await place.client.subscribe(
      { runId, since: { epoch: place.client.server.epoch, seq: 0 } },
      {
        onEvent: ({ event }) => {
          if (event.type === 'artifact.created')
            seen.push(place.client.call('run/get', { runId }).then(({ run: view }) => [event.artifactId, view] as const));
        },
      },
    );
    const ended = await place.ended(runId);
    const views = await Promise.all(seen);
    expect(views.length).toBeGreaterThanOrEqual(24);
    for (const [artifactId, view] of views) expect(view.artifacts.map((one) => one.artifactId)).toContain(artifactId);
    const early = views.filter(([, view]) => view.status === 'running' && view.artifacts.length < ended.artifacts.length);
    expect(early.length).toBeGreaterThan(0);
  });

  it('lists them when a later step fails, also after a restart', async () => {
    const failing = { id: 'fail', workflow: 'g.json', needs: ['draw'], set: { '1.width': 1 }, outputs: { card: '3' } };
    await using place = await openStage('fails', { steps: [failing] });
    const view = await run(place, 'fails');
    expect(view.status).toBe('failed');
    expect(view.artifacts.filter(({ step }) => step === 'draw')).toHaveLength(6);
    // What the template would have made of them is there as well.
    expect(view.artifacts.filter(({ outputs }) => outputs?.includes('cards'))).toHaveLength(3);
    await place.restart();
    expect((await place.client.call('run/get', { runId: view.runId })).run.artifacts).toEqual(view.artifacts);
  });

  it('lists them while a person is asked, and when the run is cancelled then', async () => {
    const second = { id: 'again', workflow: 'g.json', set: { '2.filename_prefix': '{choices.one}' }, outputs: { card: '2' } };
    await using place = await openStage('asks', { steps: [second], choices: [{ after: 'draw', from: '{steps.draw.words}', into: 'one' }] });
    const { runId } = await place.client.call('run/start', { template: 'asks', parameters: {} });
    const asked = Promise.withResolvers<void>();
    await place.client.subscribe(
      { runId, since: { epoch: place.client.server.epoch, seq: 0 } },
      { onEvent: ({ event }) => event.type === 'choice.offered' && asked.resolve() },
    );
    await asked.promise;
    const { run: waiting } = await place.client.call('run/get', { runId });
    expect(waiting.artifacts).toHaveLength(6);
    await place.client.call('run/cancel', { runId });
    const view = await place.ended(runId);
    expect(view.status).toBe('cancelled');
    expect(view.artifacts.map(({ artifactId }) => artifactId)).toEqual(waiting.artifacts.map(({ artifactId }) => artifactId));
  });
});

describe('artifact/list', () => {
  const ids = async (place: Place, query: ParamsOf<'artifact/list'>): Promise<readonly string[]> =>
    (await place.client.call('artifact/list', { limit: 1000, ...query })).artifacts.map(({ artifactId }) => artifactId);

  it('finds files by each of its filters, and by all of them together', async () => {
    await using place = await openStage('one');
    await openStage('two', {}, place);
    const [one, two] = [await run(place, 'one'), await run(place, 'two', { colours: [9] })];
    const all = [...one.artifacts, ...two.artifacts];
    const expectSame = async (query: ParamsOf<'artifact/list'>, fits: (artifact: RunView['artifacts'][number]) => boolean) =>
      expect((await ids(place, query)).toSorted()).toEqual(
        all
          .filter(fits)
          .map(({ artifactId }) => artifactId)
          .toSorted(),
      );
    await expectSame({}, () => true);
    await expectSame({ runId: one.runId }, ({ runId }) => runId === one.runId);
    await expectSame({ template: 'two' }, ({ runId }) => runId === two.runId);
    await expectSame({ template: 'none' }, () => false);
    await expectSame({ step: 'draw' }, () => true);
    await expectSame({ step: 'other' }, () => false);
    await expectSame({ output: 'words' }, ({ output }) => output === 'words');
    // By the output of the template as well as by that of the step.
    await expectSame({ output: 'cards' }, ({ outputs }) => outputs?.includes('cards') === true);
    await expectSame({ kind: 'text' }, ({ kind }) => kind === 'text');
    await expectSame({ mediaType: 'image/png' }, ({ mediaType }) => mediaType === 'image/png');
    await expectSame({ mediaType: 'image/*' }, ({ mediaType }) => mediaType === 'image/png');
    await expectSame({ mediaType: 'image/%' }, () => false);
    await expectSame({ asset: 'image' }, ({ asset }) => asset?.kind === 'image');
    await expectSame({ asset: 'movie' }, () => false);
    await expectSame({ draft: true }, ({ draft }) => draft);
    await expectSame({ draft: false }, ({ draft }) => !draft);
    const cut = Math.min(...two.artifacts.map(({ createdAt }) => createdAt));
    await expectSame({ since: cut }, ({ createdAt }) => createdAt >= cut);
    await expectSame({ until: cut }, ({ createdAt }) => createdAt < cut);
    await expectSame(
      { template: 'one', kind: 'image', output: 'cards', until: cut },
      ({ runId, kind }) => runId === one.runId && kind === 'image',
    );
    await expect(ids(place, { runId: 'nothing' })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await expect(ids(place, { kind: 'picture' as never })).rejects.toMatchObject({ code: 'INVALID_PARAMS' });
  });

  it('gives every file once, page by page, newest first, while others come', async () => {
    await using place = await openStage('one');
    const before = [await run(place, 'one'), await run(place, 'one')].flatMap(({ artifacts }) =>
      artifacts.map(({ artifactId }) => artifactId),
    );
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const page = await place.client.call('artifact/list', { limit: 5, ...(next === undefined ? {} : { before: next }) });
      expect(page.artifacts.length).toBeLessThanOrEqual(5);
      seen.push(...page.artifacts.map(({ artifactId }) => artifactId));
      next = page.next;
      if (seen.length === 5) await run(place, 'one', { colours: [7] });
    } while (next !== undefined);
    expect(seen).toHaveLength(before.length);
    expect(new Set(seen)).toEqual(new Set(before));
    // An id of a file is as good a place to go on from.
    expect(await ids(place, { before: seen[3] ?? '' })).toEqual(seen.slice(4));
    // A page that ends exactly with the last file says that there is nothing more.
    expect(await place.client.call('artifact/list', { limit: 14 })).not.toHaveProperty('next');
  });
});
