// A database that is lost in every way a database can be (two of them, with CALLSHEET_TEST_FULL=1 all): what lies beside the results makes its runs again, as they were, once, and honestly.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CallsheetError } from '#protocol/errors.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { backupPath } from '#store/backups.ts';
import { openStore } from '#store/store.ts';
import { openWorld, type World } from './world.ts';

async function world(options: Parameters<typeof openWorld>[0] = {}): Promise<World> {
  const made = await openWorld({ latencyMs: 1, quiet: true, ...options });
  onTestFinished(() => made.close());
  return made;
}

const fileOf = (here: World) => join(here.data, 'callsheet.db');
const noBackups = (here: World) => rmSync(join(here.data, 'backups'), { recursive: true, force: true });
/** The log of a killed daemon would make it whole again. */
const noise = (here: World) => {
  writeFileSync(fileOf(here), readFileSync(fileOf(here)).fill(0x5a, 100));
  for (const suffix of ['-wal', '-shm']) rmSync(fileOf(here) + suffix, { force: true });
};

/** A backup of this moment, beside the daemon at work. */
async function backUp(here: World): Promise<void> {
  const path = backupPath(here.data, Date.now());
  mkdirSync(dirname(path), { recursive: true });
  const db = new Database(fileOf(here), { readonly: true });
  await db.backup(`${path}.partial`);
  db.close();
  const copy = new Database(`${path}.partial`);
  copy.pragma('journal_mode = DELETE');
  copy.close();
  renameSync(`${path}.partial`, path);
}

async function view(here: World, runId: string): Promise<RunView> {
  return (await here.call('run/get', { runId })).run;
}

/** But for what is said of the rebuild itself. */
async function stateOf(here: World, runId: string) {
  const { problems, ...run } = await view(here, runId);
  return { ...run, problems: problems.filter(({ code }) => code !== 'RUN_REBUILT') };
}

async function pickWhenAsked(here: World, runId: string): Promise<void> {
  await expect.poll(async () => (await view(here, runId)).status, { timeout: 30_000 }).toBe('waiting');
  const into = (await view(here, runId)).choices?.[0]?.into ?? '';
  await here.call('run/choose', { runId, into, indices: [0], requestKey: `choose-${runId}` });
}

/** Runs of every end, and what clients see of them. */
async function someRuns(here: World) {
  const three = await here.start('three-steps', { colour: 1 });
  const fan = await here.start('fan-out', { colours: [1, 2], negative: true });
  const skipping = await here.start('fan-out', { colours: [3, 4] });
  const choosing = await here.start('with-choice', { colours: [5, 6] });
  await Promise.all([three, fan, skipping].map((runId) => here.ended(runId)));
  await pickWhenAsked(here, choosing);
  await here.ended(choosing);
  const failing = await here.start('with-choice', { colours: [7, 8] });
  await expect.poll(async () => (await view(here, failing)).status, { timeout: 30_000 }).toBe('waiting');
  here.sandbox.faults.outOfMemory = 9;
  await pickWhenAsked(here, failing);
  expect(await here.ended(failing)).toBe('failed');
  here.sandbox.faults.outOfMemory = 0;
  const runIds = [three, fan, skipping, choosing, failing];
  const before = await Promise.all(runIds.map((runId) => stateOf(here, runId)));
  const order = (await here.call('run/list', {})).runs.map(({ runId }) => runId);
  // Records are written once the commits of the ends stand.
  await expect
    .poll(() => runIds.filter((runId) => existsSync(join(here.data, 'output', runId, '.callsheet', 'run.json'))), { timeout: 20_000 })
    .toEqual(runIds);
  return { runIds, before, order };
}

const DAMAGES: readonly (readonly [string, (here: World) => void])[] = [
  ['is noise', noise],
  ['was cut in half', (here) => truncateSync(fileOf(here), Math.floor(readFileSync(fileOf(here)).length / 2))],
  ['is empty', (here) => truncateSync(fileOf(here), 0)],
  [
    'was deleted, and every backup with it',
    (here) => {
      noBackups(here);
      for (const suffix of ['', '-wal', '-shm']) rmSync(fileOf(here) + suffix, { force: true });
    },
  ],
  [
    'has its pages in another order, and no backup',
    (here) => {
      noBackups(here);
      const bytes = readFileSync(fileOf(here));
      writeFileSync(
        fileOf(here),
        Buffer.concat([bytes.subarray(0, 1024), bytes.subarray(2048, 8192), bytes.subarray(1024, 2048), bytes.subarray(8192)]),
      );
    },
  ],
];

/** In a short run one that has a backup of before, and one that has none. */
const tried = process.env['CALLSHEET_TEST_FULL'] === '1' ? DAMAGES : DAMAGES.filter((_, nth) => nth === 0 || nth === 3);

describe('[F6] runs that a lost database took with it', { timeout: 180_000 }, () => {
  it.each(tried)('come back as they were where it %s', async (_, damage) => {
    const here = await world();
    const { runIds, before, order } = await someRuns(here);
    await here.stopDaemon(() => damage(here));
    await here.dropClient();

    const { recovery, epoch } = await here.call('daemon/status');
    expect(recovery).toMatchObject({ reason: expect.any(String) as unknown, rebuilt: runIds.length, leftOut: [] });
    expect(recovery?.runs.map(({ runId }) => runId).toSorted()).toEqual(runIds.toSorted());
    expect(await Promise.all(runIds.map((runId) => stateOf(here, runId)))).toEqual(before);
    expect((await here.call('run/list', {})).runs.map(({ runId }) => runId)).toEqual(order);
    for (const { artifacts, runId } of before) {
      expect((await here.call('artifact/list', { runId })).artifacts.map(({ artifactId }) => artifactId).toSorted()).toEqual(
        artifacts.map(({ artifactId }) => artifactId).toSorted(),
      );
      expect((await view(here, runId)).problems).toContainEqual(expect.objectContaining({ code: 'RUN_REBUILT', severity: 'info' }));
    }
    // The keys are theirs still.
    expect(await here.call('run/start', { template: 'three-steps', parameters: { colour: 1 }, requestKey: 'world-1' })).toEqual({
      runId: runIds[0],
    });

    // Once, and not again.
    await here.stopDaemon();
    const again = await here.call('daemon/status');
    expect(again.recovery).toBeUndefined();
    expect(again.epoch).toBe(epoch);
    expect(await Promise.all(runIds.map((runId) => stateOf(here, runId)))).toEqual(before);
    const later = await here.start('three-steps', { colour: 9 });
    expect(await here.ended(later)).toBe('succeeded');
  });

  it('come back once each, however often the daemon is killed while it makes them', async () => {
    const here = await world();
    const { runIds, before, order } = await someRuns(here);
    let died = 0;
    await here.stopDaemon(async () => {
      noise(here);
      for (let point = 1; await here.dieStarting(point); point += 1) died = point;
      // That one came through: the next finds nothing to do but to start.
    });
    await here.dropClient();
    expect(died).toBeGreaterThanOrEqual(4);
    expect(await Promise.all(runIds.map((runId) => stateOf(here, runId)))).toEqual(before);
    expect((await here.call('run/list', {})).runs.map(({ runId }) => runId)).toEqual(order);
    const store = openStore({ dir: here.data });
    for (const runId of runIds) {
      const notes = store
        .events({ runId, after: 0, limit: 1000 })
        .filter(({ event }) => event.type === 'run.note' && event.code === 'RUN_REBUILT');
      expect(notes).toHaveLength(1);
    }
    store.close();
  });

  it('go on to be tried again, and what is finished is kept', async () => {
    const here = await world();
    const { before } = await someRuns(here);
    const failed = before.find(({ status }) => status === 'failed');
    if (failed === undefined) throw new Error('one of them was to fail');
    await here.stopDaemon(() => noise(here));
    await here.dropClient();
    await here.call('run/retry', { runId: failed.runId });
    await expect.poll(async () => (await view(here, failed.runId)).status, { timeout: 30_000 }).toBe('succeeded');
    expect((await view(here, failed.runId)).tries).toBe(2);
  });

  it('that had not ended are lost, with what they had made, and nothing of them is sent again', async () => {
    const here = await world();
    const runId = await here.start('with-choice', { colours: [1, 2] });
    await expect.poll(async () => (await view(here, runId)).status, { timeout: 30_000 }).toBe('waiting');
    const { artifacts } = await view(here, runId);
    const executed = here.sandbox.ledger().length;
    await here.killDaemon(() => {
      noBackups(here);
      noise(here);
    });
    await here.dropClient();
    const run = await view(here, runId);
    expect(run).toMatchObject({ status: 'lost', error: { code: 'RUN_REBUILT' }, template: 'with-choice' });
    expect(run.artifacts.map(({ artifactId, sha256, path }) => [artifactId, sha256, path])).toEqual(
      artifacts.map(({ artifactId, sha256, path }) => [artifactId, sha256, path]),
    );
    expect(run.steps[0]).toMatchObject({ status: 'done', items: 2, itemsDone: 2 });
    expect(run.steps[0]?.attempts.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'finished'],
      [1, 'finished'],
    ]);
    await expect(here.call('run/retry', { runId })).rejects.toMatchObject({ data: { code: 'RUN_NOT_RETRYABLE' } });
    await expect(here.call('run/export', { runId, as: 'template' })).rejects.toBeInstanceOf(CallsheetError);
    const anew = await here.start('with-choice', { colours: [1, 2] });
    await pickWhenAsked(here, anew);
    expect(await here.ended(anew)).toBe('succeeded');
    expect(new Set(here.sandbox.ledger().map(({ prompt_id }) => prompt_id)).size).toBe(here.sandbox.ledger().length);
    expect(here.sandbox.ledger().length).toBeGreaterThan(executed);
  });
});

describe('[F6] a backup that takes the place of a lost database', { timeout: 180_000 }, () => {
  it('is brought up to date: what had ended since is not done again', async () => {
    const here = await world();
    const old = await here.start('three-steps', { colour: 1 });
    await here.ended(old);
    const open = await here.start('with-choice', { colours: [2, 3] });
    await expect.poll(async () => (await view(here, open)).status, { timeout: 30_000 }).toBe('waiting');
    await backUp(here);
    await pickWhenAsked(here, open);
    await here.ended(open);
    const since = await here.start('three-steps', { colour: 4 });
    await here.ended(since);
    const before = await Promise.all([old, open, since].map((runId) => stateOf(here, runId)));
    const executed = here.sandbox.ledger().length;
    await expect.poll(() => existsSync(join(here.data, 'output', since, '.callsheet', 'run.json')), { timeout: 20_000 }).toBe(true);

    await here.stopDaemon(() => noise(here));
    await here.dropClient();
    expect((await here.call('daemon/status')).recovery).toMatchObject({ rebuilt: 2, lostSince: expect.any(Number) as unknown });
    expect(await Promise.all([old, open, since].map((runId) => stateOf(here, runId)))).toEqual(before);
    expect((await view(here, old)).problems).toEqual([]);
    expect(here.sandbox.ledger()).toHaveLength(executed);
    expect(await here.broken()).toEqual([]);
  });

  it('lets an open run go on, and nothing that was made after it is made again', async () => {
    const here = await world();
    const runId = await here.start('with-choice', { colours: [2, 3] });
    await expect.poll(async () => (await view(here, runId)).status, { timeout: 30_000 }).toBe('waiting');
    await backUp(here);
    // The last step is made, and lies here and there; the daemon dies before its run has ended in the log of the backup.
    await pickWhenAsked(here, runId);
    await here.ended(runId);
    const executed = here.sandbox.ledger().length;
    const files = readdirSync(join(here.data, 'output', runId)).toSorted();
    await here.killDaemon(() => {
      rmSync(join(here.data, 'output', runId, '.callsheet', 'run.json'), { force: true });
      noise(here);
    });
    await here.dropClient();
    expect((await here.call('daemon/status')).recovery).toMatchObject({ rebuilt: 0, open: 1 });
    // The pick is lost with the log; the same one leads to the same prompt.
    await pickWhenAsked(here, runId);
    await expect.poll(async () => RUN_ENDS.includes((await view(here, runId)).status), { timeout: 30_000 }).toBe(true);
    expect((await view(here, runId)).status).toBe('succeeded');
    expect(here.sandbox.ledger()).toHaveLength(executed);
    expect(readdirSync(join(here.data, 'output', runId)).toSorted()).toEqual(files);
    expect(await here.broken()).toEqual([]);
  });

  it('lets it go on also where the backend has forgotten everything: what lies here is taken', async () => {
    const here = await world();
    const runId = await here.start('with-choice', { colours: [2, 3] });
    await expect.poll(async () => (await view(here, runId)).status, { timeout: 30_000 }).toBe('waiting');
    await backUp(here);
    await pickWhenAsked(here, runId);
    await here.ended(runId);
    const executed = here.sandbox.ledger().length;
    const files = readdirSync(join(here.data, 'output', runId)).toSorted();
    await here.killDaemon(() => {
      rmSync(join(here.data, 'output', runId, '.callsheet', 'run.json'), { force: true });
      noise(here);
      rmSync(join(dirname(here.data), 'sandbox', 'output'), { recursive: true, force: true });
    });
    await here.clear('history');
    await here.dropClient();
    await pickWhenAsked(here, runId);
    await expect.poll(async () => (await view(here, runId)).status, { timeout: 30_000 }).toBe('succeeded');
    expect(here.sandbox.ledger()).toHaveLength(executed);
    expect(readdirSync(join(here.data, 'output', runId)).toSorted()).toEqual(files);
  });

  it('that a person put there is noticed: a new log begins, and what is missing from it comes back', async () => {
    const here = await world();
    await backUp(here);
    const [backup] = readdirSync(join(here.data, 'backups')).toSorted().slice(-1);
    const runId = await here.start('three-steps', { colour: 1 });
    await here.ended(runId);
    const before = await stateOf(here, runId);
    const { epoch } = await here.call('daemon/status');
    await expect.poll(() => existsSync(join(here.data, 'output', runId, '.callsheet', 'run.json')), { timeout: 20_000 }).toBe(true);
    await here.stopDaemon(() => {
      for (const suffix of ['-wal', '-shm']) rmSync(fileOf(here) + suffix, { force: true });
      copyFileSync(join(here.data, 'backups', backup ?? ''), fileOf(here));
    });
    await here.dropClient();
    const status = await here.call('daemon/status');
    expect(status.epoch).not.toBe(epoch);
    expect(status.recovery).toMatchObject({ reason: expect.stringContaining('not the one that was here') as unknown, rebuilt: 1 });
    expect(await stateOf(here, runId)).toEqual(before);
  });
});

describe('[F6] results of a lost run that are not what they were', { timeout: 180_000 }, () => {
  it('are said, and a run that had succeeded is not said to have done so any more', async () => {
    const here = await world();
    const [gone, changed, dumb, whole] = await Promise.all([1, 2, 3, 4].map((colour) => here.start('three-steps', { colour })));
    if (gone === undefined || changed === undefined || dumb === undefined || whole === undefined) throw new Error('four were started');
    await Promise.all([gone, changed, dumb, whole].map((runId) => here.ended(runId)));
    const pathsOf = async (runId: string) => (await view(here, runId)).artifacts.map(({ path }) => path);
    const [goneFile, changedFile, dumbFile] = (await Promise.all([gone, changed, dumb].map(pathsOf))).map(([path]) => path ?? '');
    await expect.poll(() => existsSync(join(here.data, 'output', whole, '.callsheet', 'run.json')), { timeout: 20_000 }).toBe(true);
    await here.stopDaemon(() => {
      noBackups(here);
      noise(here);
      rmSync(goneFile ?? '');
      const bytes = readFileSync(changedFile ?? '');
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
      writeFileSync(changedFile ?? '', bytes);
      const notes = join(here.data, 'output', dumb, '.callsheet');
      writeFileSync(join(notes, 'run.json'), '{"format": 1, "store"');
      writeFileSync(join(notes, readdirSync(notes).find((name) => name.startsWith('base')) ?? ''), 'no note');
    });
    await here.dropClient();
    const problems = async (runId: string) => (await view(here, runId)).problems.filter(({ code }) => code !== 'RUN_REBUILT');
    expect(await view(here, gone)).toMatchObject({
      status: 'lost',
      error: { code: 'RUN_REBUILT', message: expect.stringContaining('had succeeded') as unknown },
    });
    expect(await problems(gone)).toMatchObject([{ code: 'RESULT_MISSING', message: expect.stringContaining(goneFile ?? '?') as unknown }]);
    expect(await view(here, changed)).toMatchObject({ status: 'lost' });
    expect(await problems(changed)).toMatchObject([
      { code: 'RESULT_DAMAGED', message: expect.stringContaining(changedFile ?? '?') as unknown },
    ]);
    // Neither record nor one of the notes can be read: what is left is told by the other notes.
    const left = await view(here, dumb);
    expect(left).toMatchObject({ status: 'lost' });
    expect(left.artifacts.map(({ path }) => path)).not.toContain(dumbFile);
    expect(left.artifacts).toHaveLength(2);
    expect((await problems(dumb)).map(({ code }) => code)).toEqual(['NOTE_UNREADABLE', 'NOTE_UNREADABLE']);
    expect(await view(here, whole)).toMatchObject({ status: 'succeeded' });
    const { recovery } = await here.call('daemon/status');
    expect(recovery?.runs.find(({ runId }) => runId === gone)).toMatchObject({ status: 'lost', missing: [goneFile] });
    expect(recovery?.runs.find(({ runId }) => runId === changed)).toMatchObject({ status: 'lost', damaged: [changedFile] });
  });
});
