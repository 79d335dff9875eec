// Runs cleaned away: exactly what the dry run said, nothing that is not ours, and finished after a kill.
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOfRun } from '#daemon/retention/run-files.ts';
import type { RunEvent } from '#protocol/events.ts';
import type { RunView } from '#protocol/views.ts';
import { sha256Hex } from '#graph/hash.ts';
import { sidecarPath } from '#results/sidecar.ts';
import { openStore } from '#store/store.ts';
import { bundle, openPlace, type Place } from '../exchange/exchange-harness.ts';

async function openCards(): Promise<Place> {
  const place = await openPlace();
  const { template } = await place.client.call('template/import', { file: place.put('card.callsheet', bundle('card')) });
  await place.client.call('template/approve', { id: 'card', version: '1.0.0', hash: template.hash });
  return place;
}

async function card(place: Place, name: string, requestKey?: string): Promise<RunView> {
  const { runId } = await place.client.call('run/start', {
    template: 'card',
    parameters: { name, seed: '1' },
    ...(requestKey === undefined ? {} : { requestKey }),
  });
  const ended = await place.ended(runId);
  // It is written in the background, and part of what a clean-up takes.
  await expect.poll(() => existsSync(join(dirname(fileOf(ended)), '.callsheet', 'run.json'))).toBe(true);
  return ended;
}

const fileOf = ({ artifacts }: RunView): string => artifacts[0]?.path ?? '';
const everything = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();

describe('run/clean', () => {
  it('says on a dry run exactly what then goes, to the byte, and removes nothing by it', async () => {
    await using place = await openCards();
    const runs = [await card(place, 'a'), await card(place, 'b'), await card(place, 'c')];
    const output = join(place.data, 'output');
    const before = everything(output);
    const sizes = new Map(before.map((path) => [path, statSync(path).size]));
    const dry = await place.client.call('run/clean', { keep: 1, dryRun: true });
    expect(everything(output)).toEqual(before);
    expect(dry.runs.map(({ runId }) => runId)).toEqual(runs.slice(0, 2).map(({ runId }) => runId));
    const done = await place.client.call('run/clean', { keep: 1 });
    expect({ ...done, dryRun: true }).toEqual(dry);
    const after = everything(output);
    const gone = before.filter((path) => !after.includes(path));
    expect(dry.runs.flatMap(({ files }) => files.map(({ path }) => path)).toSorted()).toEqual(gone);
    expect(dry.bytes).toBe(gone.reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0));
    // The copies of templates lie there once for all runs.
    expect(readdirSync(output)).toEqual(['.callsheet', runs[2]?.runId]);
  });

  it('takes the copy of a template with the last run that pinned it, and says so on a dry run', async () => {
    await using place = await openCards();
    const [first, last] = [await card(place, 'a'), await card(place, 'b')];
    const output = join(place.data, 'output');
    const [copy = ''] = everything(join(output, '.callsheet'));
    const { size } = statSync(copy);
    const dry = await place.client.call('run/clean', { keep: 0, dryRun: true });
    const done = await place.client.call('run/clean', { keep: 0 });
    expect({ ...done, dryRun: true }).toEqual(dry);
    const owners = done.runs.filter(({ files }) => files.some(({ path, bytes }) => path === copy && bytes === size));
    expect(owners.map(({ runId }) => runId)).toEqual([last.runId]);
    expect(done.runs.map(({ runId }) => runId)).toEqual([first.runId, last.runId]);
    expect(readdirSync(output)).toEqual([]);
    // The next run brings it back.
    await card(place, 'c');
    expect(existsSync(copy)).toBe(true);
  });

  it('leaves the copy of a template that the record of another data directory names, or one that cannot be read', async () => {
    for (const store of ['another', undefined]) {
      await using place = await openCards();
      const folder = dirname(fileOf(await card(place, 'a')));
      const [copy = ''] = everything(join(place.data, 'output', '.callsheet'));
      const record: unknown = JSON.parse(readFileSync(join(folder, '.callsheet', 'run.json'), 'utf8'));
      const foreign = join(place.data, 'output', 'foreign', '.callsheet');
      mkdirSync(foreign, { recursive: true });
      writeFileSync(join(foreign, 'run.json'), store === undefined ? '{' : JSON.stringify({ ...(record as object), store }));
      const dry = await place.client.call('run/clean', { keep: 0, dryRun: true });
      expect({ ...(await place.client.call('run/clean', { keep: 0 })), dryRun: true }).toEqual(dry);
      expect([existsSync(folder), existsSync(copy)]).toEqual([false, true]);
    }
  });

  it('leaves the copy of a template that somebody changed', async () => {
    await using place = await openCards();
    await card(place, 'a');
    const [copy = ''] = everything(join(place.data, 'output', '.callsheet'));
    writeFileSync(copy, '{"mine": true}');
    await place.client.call('run/clean', { keep: 0 });
    expect(readFileSync(copy, 'utf8')).toBe('{"mine": true}');
  });

  it('leaves nothing of a run in lists, events, attempts and keys, and the rest as it was', async () => {
    await using place = await openCards();
    const [old, young] = [await card(place, 'a', 'key-a'), await card(place, 'b', 'key-b')];
    await place.client.call('run/clean', { keep: 1 });
    const { runs } = await place.client.call('run/list', {});
    expect(runs.map(({ runId }) => runId)).toEqual([young?.runId]);
    await expect(place.client.call('run/get', { runId: old?.runId ?? '' })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    expect((await place.client.call('artifact/list', {})).artifacts.map(({ runId }) => runId)).toEqual([young?.runId]);
    // Its key is as old as the run; that of the other still gives the first answer.
    expect((await card(place, 'b', 'key-b')).runId).toBe(young?.runId);
    expect((await card(place, 'a', 'key-a')).runId).not.toBe(old?.runId);
  });

  it('never gives a number of the log twice, also when the newest events went', async () => {
    await using place = await openCards();
    await card(place, 'a');
    const { position: before } = await place.client.call('daemon/status', {});
    await place.client.call('run/clean', { keep: 0 });
    expect((await place.client.call('daemon/status', {})).position).toBe(before);
    await place.restart();
    const seen: RunEvent[] = [];
    await place.client.subscribe(
      { since: { epoch: place.client.server.epoch, seq: before } },
      { onEvent: (event) => void seen.push(event) },
    );
    await card(place, 'b');
    expect(seen.map(({ position }) => position)).toEqual(seen.map((_, index) => before + 1 + index));
  });

  it('lets pages go on from a run and an artifact that are gone', async () => {
    await using place = await openCards();
    const runs = [await card(place, 'a'), await card(place, 'b'), await card(place, 'c')];
    const page = await place.client.call('artifact/list', { limit: 1 });
    await place.client.call('run/pin', { runId: runs[0]?.runId ?? '' });
    await place.client.call('run/clean', { keep: 0 });
    expect((await place.client.call('run/list', { before: runs[1]?.runId ?? '' })).runs.map(({ runId }) => runId)).toEqual([
      runs[0]?.runId,
    ]);
    expect((await place.client.call('artifact/list', { before: page.next ?? '' })).artifacts.map(({ runId }) => runId)).toEqual([
      runs[0]?.runId,
    ]);
  });

  it('keeps a pinned run until the pin is taken off', async () => {
    await using place = await openCards();
    const { runId } = await card(place, 'a');
    await place.client.call('run/pin', { runId });
    await place.restart();
    expect((await place.client.call('run/get', { runId })).run.pinned).toBe(true);
    expect(await place.client.call('run/clean', { keep: 0 })).toMatchObject({ runs: [], kept: [{ runId, why: 'it is pinned' }] });
    await place.client.call('run/pin', { runId, pinned: false });
    expect((await place.client.call('run/clean', { keep: 0 })).runs).toHaveLength(1);
    await expect(place.client.call('run/pin', { runId })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });

  it('never touches what somebody changed, put there or moved out, and says so', async () => {
    await using place = await openCards();
    const [changed, linked, moved] = [await card(place, 'a'), await card(place, 'b'), await card(place, 'c')];
    writeFileSync(fileOf(changed), 'painted over');
    const own = join(dirname(fileOf(changed)), 'notes of mine.txt');
    writeFileSync(own, 'mine');
    const elsewhere = join(place.dir, 'elsewhere.png');
    renameSync(fileOf(linked), elsewhere);
    symlinkSync(elsewhere, fileOf(linked));
    const folder = join(place.dir, 'moved');
    renameSync(dirname(fileOf(moved)), folder);
    symlinkSync(folder, dirname(fileOf(moved)));
    const copy = join(place.dir, 'project', 'copy.png');
    copyFileSync(elsewhere, copy);

    const dry = await place.client.call('run/clean', { keep: 0, dryRun: true });
    const done = await place.client.call('run/clean', { keep: 0 });
    expect({ ...done, dryRun: true }).toEqual(dry);
    const why = new Map(done.runs.flatMap(({ left }) => left.map((one) => [one.path, one.why])));
    expect(why.get(fileOf(changed))).toBe('it was changed since');
    expect(why.get(fileOf(linked))).toBe('it is no file any more');
    expect(why.get(fileOf(moved))).toBe('it lies outside the output directory');
    expect(readFileSync(fileOf(changed), 'utf8')).toBe('painted over');
    expect([own, elsewhere, copy, join(folder, 'draw_card.png'), sidecarPath(fileOf(changed))].every((path) => existsSync(path))).toBe(
      true,
    );
  });

  it('takes the note and the graph of a file that the user deleted, and says on a dry run that it will', async () => {
    await using place = await openCards();
    const run = await card(place, 'a');
    rmSync(fileOf(run));
    const lying = everything(join(place.data, 'output'));
    const dry = await place.client.call('run/clean', { keep: 0, dryRun: true });
    const done = await place.client.call('run/clean', { keep: 0 });
    expect({ ...done, dryRun: true }).toEqual(dry);
    expect(done.runs[0]?.files.map(({ path }) => path).toSorted()).toEqual(lying);
    expect([done.runs[0]?.left, existsSync(dirname(fileOf(run)))]).toEqual([[], false]);
  });

  it('leaves the graph that the note of a file names which stays, and what somebody put in the place of a note', async () => {
    await using place = await openCards();
    const [changed, replaced] = [await card(place, 'a'), await card(place, 'b')];
    const folder = join(dirname(fileOf(changed)), '.callsheet');
    const unnamed = join(folder, `graph-${sha256Hex('{}')}.json`);
    writeFileSync(unnamed, '{}');
    writeFileSync(fileOf(changed), 'painted over');
    rmSync(fileOf(replaced));
    writeFileSync(sidecarPath(fileOf(replaced)), '{"mine": true}');
    const graph = readdirSync(folder).find((name) => name.startsWith('graph-') && join(folder, name) !== unnamed);
    await place.client.call('run/clean', { keep: 0 });
    expect(everything(folder)).toEqual([sidecarPath(fileOf(changed)), join(folder, graph ?? '')].toSorted());
    expect(readFileSync(sidecarPath(fileOf(replaced)), 'utf8')).toBe('{"mine": true}');
  });

  it('counts the disk once for several names of one file', async () => {
    await using place = await openCards();
    const file = fileOf(await card(place, 'a'));
    const twin = join(dirname(file), 'twin.png');
    linkSync(file, twin);
    const note = JSON.parse(readFileSync(sidecarPath(file), 'utf8'));
    writeFileSync(sidecarPath(twin), JSON.stringify({ ...note, file: 'twin.png' }));
    const { runs } = await place.client.call('run/clean', { keep: 0 });
    const all = runs.flatMap(({ files }) => files);
    expect(all.map(({ path }) => path)).toEqual(expect.arrayContaining([file, twin]));
    const sum = all.reduce((total, { bytes }) => total + bytes, 0);
    expect(runs[0]?.bytes).toBe(sum - (all.find(({ path }) => path === twin)?.bytes ?? 0));
  });

  it('takes the record of a run away with it, so that it never comes back, and none of another', async () => {
    await using place = await openCards();
    const [mine, foreign] = [await card(place, 'a'), await card(place, 'b')];
    const record = (run: RunView): string => join(dirname(fileOf(run)), '.callsheet', 'run.json');
    writeFileSync(record(mine), JSON.stringify({ format: 1, run: { runId: mine.runId } }));
    writeFileSync(record(foreign), JSON.stringify({ format: 1, run: { runId: 'another' } }));
    await place.client.call('run/clean', { keep: 0 });
    expect(existsSync(dirname(fileOf(mine)))).toBe(false);
    expect(everything(dirname(fileOf(foreign)))).toEqual([record(foreign)]);
  });

  it('takes away what an earlier try left and no row tells of, by its note', async () => {
    await using place = await openCards();
    const run = await card(place, 'a');
    const file = fileOf(run);
    const stray = join(dirname(file), 'stray.png');
    copyFileSync(file, stray);
    const note = JSON.parse(readFileSync(sidecarPath(file), 'utf8'));
    writeFileSync(sidecarPath(stray), JSON.stringify({ ...note, file: 'stray.png' }));
    await place.client.call('run/clean', { keep: 0 });
    expect(existsSync(dirname(file))).toBe(false);
  });

  it('removes nothing of a run whose file an open run uses', async () => {
    await using place = await openCards();
    const folder = join(place.dir, 'templates', 'asks');
    mkdirSync(folder, { recursive: true });
    const graph = {
      '1': { class_type: 'LoadImage', inputs: { image: 'x.png' } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
    };
    writeFileSync(join(folder, 'g.json'), JSON.stringify(graph));
    writeFileSync(
      join(folder, 'template.json'),
      JSON.stringify({
        format: 1,
        id: 'asks',
        version: '1.0.0',
        parameters: { picture: { type: 'image' } },
        steps: [
          { id: 'first', workflow: 'g.json', set: { '1.image': '{picture}' }, outputs: { out: '2' } },
          { id: 'second', workflow: 'g.json', set: { '1.image': '{choices.one}' }, outputs: { out: '2' } },
        ],
        choices: [{ after: 'first', from: '{steps.first.out}', into: 'one' }],
      }),
    );
    await place.changed('asks', ({ runnable }) => runnable);
    const used = await card(place, 'a');
    const { runId } = await place.client.call('run/start', { template: 'asks', parameters: { picture: fileOf(used) } });
    const waiting = Promise.withResolvers<void>();
    await place.client.subscribe(
      { runId, since: { epoch: place.client.server.epoch, seq: 0 } },
      { onEvent: ({ event }) => event.type === 'choice.offered' && waiting.resolve() },
    );
    await waiting.promise;
    // What is there already is listed while the run waits.
    expect((await place.client.call('run/get', { runId })).run.artifacts).toHaveLength(1);
    const done = await place.client.call('run/clean', { keep: 0 });
    expect(done).toMatchObject({ runs: [], kept: [{ runId: used.runId, why: expect.stringContaining(runId) }] });
    expect(existsSync(fileOf(used))).toBe(true);
  });

  it('is finished by the next start when the daemon was killed after the rows and before the files', async () => {
    await using place = await openCards();
    const [first, second] = [await card(place, 'a'), await card(place, 'b')];
    await place.client.close();
    await place.daemon.close();
    const store = openStore({ dir: place.data });
    const files = await filesOfRun(first.runId, store.artifacts(first.runId), dirname(fileOf(first)));
    store.removeRuns([{ runId: first.runId, body: JSON.stringify(files) }], new Set());
    store.close();
    expect(existsSync(fileOf(first))).toBe(true);
    await place.restart();
    await expect.poll(() => existsSync(dirname(fileOf(first))), { timeout: 10_000 }).toBe(false);
    expect(existsSync(fileOf(second))).toBe(true);
    expect((await place.client.call('run/list', {})).runs.map(({ runId }) => runId)).toEqual([second.runId]);
  });

  it('takes the copy of the template as well when it is finished by the next start', async () => {
    await using place = await openCards();
    const { runId } = await card(place, 'a');
    await place.client.close();
    await place.daemon.close();
    const store = openStore({ dir: place.data });
    const output = join(place.data, 'output');
    const files = await filesOfRun(runId, store.artifacts(runId), join(output, runId), store.run(runId)?.templateHash);
    store.removeRuns([{ runId, body: JSON.stringify(files) }], new Set());
    store.close();
    await place.restart();
    await expect.poll(() => readdirSync(output), { timeout: 10_000 }).toEqual([]);
  });

  it('tells clients which runs are gone', async () => {
    await using place = await openCards();
    const { runId } = await card(place, 'a');
    const told = Promise.withResolvers<unknown>();
    const { connect } = await import('#protocol/client.ts');
    const client = await connect({
      ...place.daemon.endpoint,
      onNotification: (name, params) => name === 'run/removed' && told.resolve(params),
    });
    await client.subscribe({}, { onEvent: () => undefined });
    await place.client.call('run/clean', { keep: 0 });
    expect(await told.promise).toEqual({ runIds: [runId] });
    await client.close();
  });
});
