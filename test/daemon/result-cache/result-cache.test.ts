// The result cache in the engine: what was made before is taken, told and proven, and nothing else ever is.
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOf, cacheOf, type CacheRig, startCacheRig } from './cache-rig.ts';

const image = { class_type: 'EmptyImage', inputs: { width: 16, height: 16, batch_size: 1, color: 7 } };
const save = (from: string) => ({ class_type: 'SaveImage', inputs: { images: [from, 0], filename_prefix: 'x' } });
const through = (class_type: string) => ({ '1': image, '2': { class_type, inputs: { value: ['1', 0] } }, '3': save('2') });

function keptFiles({ cacheDir }: CacheRig): readonly string[] {
  const folder = join(cacheDir, 'results');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => basename(path).length === 62);
}

describe('a run that was made before', () => {
  it('gives the same bytes without a prompt, as files of its own that name who made them', async () => {
    const rig = await startCacheRig();
    const first = await rig.run();
    const second = await rig.run();
    expect(rig.executed()).toBe(3);
    expect(second).toMatchObject({ status: 'succeeded', progress: 1, draft: false });
    expect(second.steps.map(({ status, attempts, itemsDone }) => [status, attempts.length, itemsDone])).toEqual([
      ['cached', 0, 1],
      ['cached', 0, 1],
      ['cached', 0, 1],
    ]);
    expect(bytesOf(second.artifacts)).toEqual(bytesOf(first.artifacts));
    for (const [at, artifact] of second.artifacts.entries()) {
      const original = first.artifacts[at];
      expect(artifact.cachedFrom).toEqual({ runId: first.runId, artifactId: original?.artifactId });
      expect(artifact.artifactId).not.toBe(original?.artifactId);
      expect(dirname(artifact.path)).toBe(join(rig.engine.dir, 'output', second.runId));
      const note = readFileSync(join(dirname(artifact.path), '.callsheet', `${basename(artifact.path)}.json`), 'utf8');
      expect((JSON.parse(note) as { provenance: unknown }).provenance).toMatchObject({
        runId: second.runId,
        cachedFrom: { runId: first.runId },
      });
    }
    expect(second.artifacts.at(-1)?.outputs).toEqual(['result']);
    expect(second.optimiser?.savings.map(({ pass, step }) => [pass, step])).toEqual([
      ['result-cache', 'base'],
      ['result-cache', 'invert'],
      ['result-cache', 'grow'],
    ]);
    expect(rig.engine.supervisor.cache.use()).toMatchObject({ entries: 3, hits: 3, misses: 3 });
  });

  it('is known after a restart of the daemon and of the server, and taken also while the server is down', async () => {
    const rig = await startCacheRig();
    const first = await rig.run();
    await rig.engine.restart();
    await rig.sandbox.restart();
    expect(cacheOf(await rig.run())).toEqual({ base: 'hit', invert: 'hit', grow: 'hit' });
    await rig.engine.restart(undefined, () => void rig.sandbox.close());
    const third = await rig.run();
    expect(third.status).toBe('succeeded');
    expect(third.steps[0]?.cache?.[0]?.reason).toMatch(/does not answer now; this holds by what it said at/);
    expect(bytesOf(third.artifacts)).toEqual(bytesOf(first.artifacts));
    expect(rig.executed()).toBe(3);
  });

  it('is taken from another template, and from another step, that computes the same', async () => {
    const graph = { '1': image, '9': save('1') };
    const other = { 'n:5': { ...image, _meta: { title: 'Grey' } }, out: save('n:5') };
    const rig = await startCacheRig({
      templates: { one: { graph, step: { outputs: { picture: '9' } } }, two: { graph: other, step: { outputs: { shot: 'out' } } } },
    });
    const first = await rig.run({ template: 'one' });
    const second = await rig.run({ template: 'two' });
    expect(rig.executed()).toBe(1);
    expect(second.artifacts.map(({ output, node }) => [output, node])).toEqual([['shot', 'out']]);
    expect(bytesOf(second.artifacts)).toEqual(bytesOf(first.artifacts));
  });

  it('with other values in a later step does again only what depends on them', async () => {
    const rig = await startCacheRig({ templates: {} });
    await rig.run({ parameters: { colour: 1 } });
    const other = await rig.run({ parameters: { colour: 2 } });
    expect(rig.executed()).toBe(6);
    expect(cacheOf(other)['base']).toMatch(
      /^miss: The nearest result that is kept, of run \S+, is of something else: Node 1 \(EmptyImage\): input "color" differs: it is 2, and was 1\.$/,
    );
  });

  it('takes each item of a list that is the same, and one that is there twice once', async () => {
    const rig = await startCacheRig();
    const first = await rig.run({ template: 'many', parameters: { colours: [1, 2, 1] } });
    expect([first.status, rig.executed()]).toEqual(['succeeded', 2]);
    const second = await rig.run({ template: 'many', parameters: { colours: [3, 2, 1] } });
    expect(rig.executed()).toBe(3);
    expect(second.steps[0]?.status).toBe('done');
    expect(second.steps[0]?.cache?.map(({ item, result }) => [item, result])).toEqual([
      [0, 'miss'],
      [1, 'hit'],
      [2, 'hit'],
    ]);
    expect(second.artifacts.map(({ item }) => item)).toEqual([0, 1, 2]);
  });

  it('is known by seeds that a double cannot hold', async () => {
    const step = { set: { '1.color': '{colour}' } };
    const manifest = { parameters: { seed: { type: 'seed' }, colour: { type: 'integer', default: 3 } } };
    const rig = await startCacheRig({ templates: { it: { graph: { '1': image, '2': save('1') }, step, manifest } } });
    const parameters = { seed: '18446744073709551615' };
    await rig.run({ template: 'it', parameters });
    expect(cacheOf(await rig.run({ template: 'it', parameters }))).toEqual({ only: 'hit' });
  });

  it('is made once when it is asked for twice at the same time', async () => {
    const rig = await startCacheRig({ count: 2, sandbox: { latencyMs: 5 } });
    const ids = await Promise.all([rig.start(), rig.start(), rig.start()]);
    const runs = await Promise.all(ids.map((runId) => rig.engine.ended(runId)));
    expect(runs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(rig.executed()).toBe(3);
    expect(new Set(runs.map(({ artifacts }) => bytesOf(artifacts).join())).size).toBe(1);
  });
});

describe('a run that may not take what was made before', () => {
  it('makes everything anew with cache: false, and what it made takes the place of what was kept', async () => {
    const rig = await startCacheRig();
    await rig.run();
    const anew = await rig.run({ cache: false });
    expect(rig.executed()).toBe(6);
    expect(anew.steps.map(({ status, cache }) => [status, cache])).toEqual(Array.from({ length: 3 }, () => ['done', undefined]));
    const third = await rig.run();
    expect(rig.executed()).toBe(6);
    expect(third.artifacts[0]?.cachedFrom?.runId).toBe(anew.runId);
  });

  it('takes nothing that was made with the optimiser when it runs without', async () => {
    const rig = await startCacheRig();
    await rig.run();
    expect(cacheOf(await rig.run({ optimize: false }))['base']).toMatch(/the optimiser was on for that one, and is off for this one\.$/);
    expect(rig.executed()).toBe(6);
    expect(cacheOf(await rig.run({ optimize: false }))['base']).toBe('hit');
  });

  it.each([
    ['a step says cache: false', { graph: { '1': image, '2': save('1') }, step: { cache: false } }, /^$/],
    ['the manifest says so', { graph: { '1': image, '2': save('1') }, manifest: { cache: false } }, /^$/],
    ['a node is never the same', { graph: through('SandboxAlwaysChanged') }, /^off: Node 2 \(SandboxAlwaysChanged\) is of a custom class/],
    [
      'a file is only the server’s',
      { graph: { '1': { class_type: 'LoadImage', inputs: { image: 'absent.png' } }, '2': save('1') } },
      /^off: The file absent\.png is known by its name alone/,
    ],
  ] as const)('neither takes nor keeps where %s', async (_, template, reason) => {
    const rig = await startCacheRig({ templates: { it: template } });
    const runs = [await rig.run({ template: 'it' }), await rig.run({ template: 'it' })];
    expect(keptFiles(rig)).toEqual([]);
    for (const run of runs) expect(cacheOf(run)['only']).toMatch(reason);
  });

  it('takes what its author vouches for', async () => {
    const rig = await startCacheRig({ templates: { it: { graph: through('SandboxAlwaysChanged'), step: { cache: true } } } });
    await rig.run({ template: 'it' });
    expect(cacheOf(await rig.run({ template: 'it' }))).toEqual({ only: 'hit' });
    expect(rig.executed()).toBe(1);
  });

  it('makes anew what a person wants made anew', async () => {
    const rig = await startCacheRig();
    await rig.run({ parameters: { colour: 9 } });
    Object.assign(rig.sandbox.faults, { outOfMemory: 2 });
    const failed = await rig.run({ parameters: { colour: 10 } });
    expect(failed.status).toBe('failed');
    await rig.run({ parameters: { colour: 10 } });
    const before = rig.executed();
    await rig.engine.supervisor.retry({ runId: failed.runId, from: 'base' });
    const again = await rig.engine.ended(failed.runId);
    // What follows from it is made of the same pixels, whatever else stands in the new file.
    expect([again.status, rig.executed() - before]).toEqual(['succeeded', 1]);
    await rig.run({ parameters: { colour: 10 } });
    expect(rig.executed() - before).toBe(1);
  });
});

describe('what is kept', () => {
  const damages: readonly (readonly [string, (rig: CacheRig) => void])[] = [
    ['one byte of each file is another', (rig) => keptFiles(rig).forEach((path) => writeFileSync(path, flipped(readFileSync(path))))],
    ['each file is cut short', (rig) => keptFiles(rig).forEach((path) => truncateSync(path, 20))],
    ['each file is empty', (rig) => keptFiles(rig).forEach((path) => truncateSync(path, 0))],
    ['each file holds that of another', (rig) => swap(keptFiles(rig))],
    ['all files are gone', (rig) => rmSync(join(rig.cacheDir, 'results'), { recursive: true })],
    ['the whole directory is gone', (rig) => rmSync(rig.cacheDir, { recursive: true })],
  ];

  it.each(damages)('is made again when %s, and said so', async (_, damage) => {
    const rig = await startCacheRig();
    const first = await rig.run();
    const before = bytesOf(first.artifacts);
    await expect.poll(() => rig.engine.supervisor.cache.use().entries).toBe(3);
    damage(rig);
    const second = await rig.run();
    expect([second.status, rig.executed()]).toEqual(['succeeded', 6]);
    expect(cacheOf(second)['base']).toMatch(
      /^miss: The result of run \S+ that was kept cannot be used: a file of it is (gone|not what it was any more)\. It is dropped, and made again\.$/,
    );
    expect(rig.engine.events.some(({ event }) => event.type === 'run.note' && event.code === 'CACHED_RESULT_DAMAGED')).toBe(true);
    // The user's own files are none of the cache's.
    expect(bytesOf(first.artifacts)).toEqual(before);
    expect(cacheOf(await rig.run())).toEqual({ base: 'hit', invert: 'hit', grow: 'hit' });
  });

  it.each([
    ['is no index any more', (rig: CacheRig) => writeFileSync(join(rig.cacheDir, 'results.db'), 'not a database')],
    ['is gone', (rig: CacheRig) => rmSync(rig.cacheDir, { recursive: true })],
    ['holds what others put there', (rig: CacheRig) => writeFileSync(join(rig.cacheDir, 'results', 'README'), 'mine')],
  ])('is made again, or found, when the index %s at a start', async (_, damage) => {
    const rig = await startCacheRig();
    await rig.run();
    await rig.engine.restart(undefined, () => damage(rig));
    expect((await rig.run()).status).toBe('succeeded');
    expect(cacheOf(await rig.run())).toEqual({ base: 'hit', invert: 'hit', grow: 'hit' });
  });

  it('is nothing where nothing can be written, and runs go on', async () => {
    const rig = await startCacheRig();
    rmSync(join(rig.cacheDir, 'results'), { recursive: true, force: true });
    writeFileSync(join(rig.cacheDir, 'results'), 'in the way');
    expect([(await rig.run()).status, (await rig.run()).status]).toEqual(['succeeded', 'succeeded']);
    expect(rig.executed()).toBe(6);
    await expect.poll(() => rig.engine.supervisor.cache.use().trouble).toContain(join(rig.cacheDir, 'results'));
    rmSync(join(rig.cacheDir, 'results'));
    await rig.run();
    await expect.poll(() => rig.engine.supervisor.cache.use()).toMatchObject({ entries: 3 });
    expect(rig.engine.supervisor.cache.use()).not.toHaveProperty('trouble');
  });

  it('is not reached by an edit of the user’s file', async () => {
    const rig = await startCacheRig();
    const first = await rig.run();
    const before = bytesOf(first.artifacts);
    const paths = first.artifacts.map(({ path }) => path);
    await expect.poll(() => rig.engine.supervisor.cache.use().entries).toBe(3);
    for (const path of paths) writeFileSync(path, 'drawn over');
    expect(bytesOf((await rig.run()).artifacts)).toEqual(before);
    // For the checker, which holds every file against its row.
    paths.forEach((path, at) => writeFileSync(path, Buffer.from(before[at] ?? '', 'base64')));
  });

  it('is dropped from what was used longest ago on when there is no room', async () => {
    const rig = await startCacheRig({ cacheBytes: 5000 });
    for (let colour = 1; colour <= 8; colour += 1) await rig.run({ template: 'many', parameters: { colours: [colour] } });
    const { bytes, entries, limit } = rig.engine.supervisor.cache.use();
    expect(bytes).toBeLessThanOrEqual(limit);
    expect(entries).toBeGreaterThan(0);
    expect(keptFiles(rig)).toHaveLength(entries);
    expect(cacheOf(await rig.run({ template: 'many', parameters: { colours: [8] } }))['paint']).toBe('hit');
    expect(cacheOf(await rig.run({ template: 'many', parameters: { colours: [1] } }))['paint']).toMatch(/^miss/);
  });

  it('is nothing when the cache is off, or was cleared', async () => {
    const off = await startCacheRig({ cacheBytes: 0 });
    await off.run();
    await off.run();
    expect([off.executed(), keptFiles(off)]).toEqual([6, []]);
    const rig = await startCacheRig();
    await rig.run();
    await expect.poll(() => rig.engine.supervisor.cache.use().entries).toBe(3);
    expect(await rig.engine.supervisor.cache.clear()).toMatchObject({ entries: 3 });
    expect([keptFiles(rig), rig.engine.supervisor.cache.use().bytes]).toEqual([[], 0]);
    await rig.run();
    expect(rig.executed()).toBe(6);
  });
});

describe('the queue', () => {
  it('is not waited in by a run that was made before, nor by its later steps', async () => {
    const rig = await startCacheRig();
    await rig.run({ parameters: { colour: 5 } });
    Object.assign(rig.sandbox.faults, { slowStarts: 1000, slowStartMs: 300 });
    const busy = await Promise.all(Array.from({ length: 12 }, (_, n) => rig.start({ parameters: { colour: 100 + n } })));
    const before = rig.executed();
    const covered = await rig.run({ parameters: { colour: 5 } });
    expect(cacheOf(covered)).toEqual({ base: 'hit', invert: 'hit', grow: 'hit' });
    // Most of those before it still wait.
    expect(rig.executed() - before).toBeLessThan(12);
    expect(busy.filter((runId) => rig.engine.supervisor.get(runId).status === 'queued').length).toBeGreaterThan(0);
    Object.assign(rig.sandbox.faults, { slowStarts: 0 });
  });

  it('holds it while it is paused', async () => {
    const rig = await startCacheRig();
    await rig.run();
    await rig.engine.supervisor.queue.pause();
    const runId = await rig.start();
    await new Promise((resolve) => void setTimeout(resolve, 50));
    expect(rig.engine.supervisor.get(runId).status).toBe('queued');
    await rig.engine.supervisor.queue.resume();
    expect(cacheOf(await rig.engine.ended(runId))['base']).toBe('hit');
  });
});

function flipped(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  return bytes;
}

function swap(paths: readonly string[]): void {
  const contents = paths.map((path) => readFileSync(path));
  paths.forEach((path, at) => writeFileSync(path, contents[(at + 1) % contents.length] ?? ''));
}
