// Making lost runs again, at its edges: whose files they are, records that do not fit, templates that are gone, and tries that nobody recorded.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { checkLater } from '#daemon/rebuild/check-later.ts';
import { type RebuildOptions, rebuildRuns } from '#daemon/rebuild/rebuild.ts';
import type { RunRecord } from '#daemon/rebuild/record.ts';
import { isStandIn } from '#daemon/rebuild/stand-in.ts';
import { createRunMemories } from '#daemon/run-memory.ts';
import { viewOf } from '#daemon/run-view.ts';
import type { RunEventBody } from '#protocol/events.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { freshDirectory } from '../store/samples.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

let engine: Engine;
let output: string;
beforeEach(async () => {
  engine = await startEngine();
  output = join(engine.dir, 'output');
});
afterEach(() => engine.close());

const notesOf = (runId: string) => join(output, runId, '.callsheet');
const recordOf = (runId: string) => join(notesOf(runId), 'run.json');

async function run(template = 'three-steps'): Promise<string> {
  const { runId } = await engine.supervisor.start({ template, parameters: {} });
  await engine.ended(runId);
  await expect.poll(() => existsSync(recordOf(runId)), { timeout: 10_000 }).toBe(true);
  return runId;
}

function change(runId: string, how: (record: RunRecord) => unknown): void {
  writeFileSync(recordOf(runId), JSON.stringify(how(JSON.parse(readFileSync(recordOf(runId), 'utf8')) as RunRecord)));
}

/** What older releases wrote: no record, and notes that do not say whose they are. */
function makeOld(runId: string): void {
  rmSync(recordOf(runId));
  for (const name of readdirSync(notesOf(runId))) {
    const path = join(notesOf(runId), name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/,\s*"store": "engine"/, ''));
  }
}

function emptyStore(): Store {
  const store = openStore({ dir: freshDirectory() });
  onTestFinished(() => store.close());
  return store;
}

function rebuild(store: Store, options: Partial<RebuildOptions> = {}) {
  return rebuildRuns({
    store,
    outputDir: output,
    storeId: 'engine',
    isOwn: true,
    lostSince: undefined,
    templateOf: () => undefined,
    now: () => 1000,
    log: { warn: () => undefined },
    ...options,
  });
}

const viewIn = (store: Store, runId: string) => {
  const row = store.run(runId);
  if (row === undefined) throw new Error(`${runId} is not there`);
  return viewOf(row, store, createRunMemories(store).pinned(row.templateHash));
};

describe('files in the output directory', () => {
  it('of another data directory are left to it', async () => {
    const runId = await run();
    const store = emptyStore();
    expect(await rebuild(store, { storeId: 'somebody else', isOwn: true })).toMatchObject({
      runs: [],
      leftOut: [{ runId, why: 'another data directory made them', files: expect.objectContaining({ length: 3 }) as unknown }],
    });
    expect(store.runs({})).toEqual([]);
  });

  it('of older releases, whose notes do not say whose they are, are taken where the directory is our own', async () => {
    const runId = await run();
    makeOld(runId);
    const theirs = emptyStore();
    expect((await rebuild(theirs, { isOwn: false })).leftOut).toHaveLength(1);
    expect(theirs.run(runId)).toBeUndefined();
    const ours = emptyStore();
    expect((await rebuild(ours)).runs).toMatchObject([{ runId, status: 'lost' }]);
    expect(viewIn(ours, runId)).toMatchObject({ status: 'lost', artifacts: [{ step: 'base' }, { step: 'invert' }, { step: 'grow' }] });
    expect(ours.attempts(runId).map(({ attempt, promptId }) => [attempt, promptId])).toEqual(
      engine.store.attempts(runId).map(({ attempt, promptId }) => [attempt, promptId]),
    );
  });

  it('that are no results, and folders of people, are passed over', async () => {
    cpSync(join(engine.dir, 'callsheet.db'), join(output, 'holiday', 'callsheet.db'));
    writeFileSync(join(output, 'notes.txt'), 'mine');
    expect(await rebuild(emptyStore())).toEqual({ runs: [], leftOut: [], unread: [] });
    expect(await rebuild(emptyStore(), { outputDir: join(output, 'nowhere') })).toEqual({ runs: [], leftOut: [], unread: [] });
  });

  it('of a run of which nothing whole is left make no run', async () => {
    const runId = await run();
    makeOld(runId);
    for (const name of readdirSync(join(output, runId))) if (name.endsWith('.png')) rmSync(join(output, runId, name));
    expect(await rebuild(emptyStore())).toMatchObject({ runs: [], leftOut: [{ runId, why: 'none of them is whole' }] });
  });
});

describe('a record', () => {
  it('is written before a daemon ends that is told to, however short it lived after the end of the run', async () => {
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {} });
    await engine.ended(runId);
    await engine.restart();
    expect(existsSync(recordOf(runId))).toBe(true);
    expect(engine.store.outbox(10, 'run.record')).toEqual([]);
  });

  it('brings back what the run was asked for, and what the optimiser saved', async () => {
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {}, cache: false });
    const saving = { nodes: [{ id: '7', classType: 'PreviewImage' }], why: 'Nobody looks.', seconds: 2 };
    engine.store.commit({ savings: [{ runId, step: 'grow', item: 0, pass: 'previews', savings: [saving] }] });
    await engine.ended(runId);
    await expect.poll(() => existsSync(recordOf(runId)), { timeout: 10_000 }).toBe(true);
    const store = emptyStore();
    expect((await rebuild(store)).runs).toMatchObject([{ runId, status: 'succeeded' }]);
    expect(viewIn(store, runId)).toMatchObject({
      options: { optimize: true, cache: false },
      optimiser: { enabled: true, savings: [{ pass: 'previews', step: 'grow', item: 0, ...saving }], seconds: 2 },
    });
  });

  it('that fits no table is passed over for the notes, and keeps no other run out', async () => {
    const [odd, good] = [await run(), await run()];
    change(odd, (record) => ({ ...record, attempts: record.attempts.map((row) => ({ ...row, item: 'many' })) }));
    const store = emptyStore();
    const { runs, leftOut } = await rebuild(store);
    expect(leftOut).toEqual([]);
    expect(runs).toMatchObject([
      { runId: odd, status: 'lost' },
      { runId: good, status: 'succeeded' },
    ]);
    expect(viewIn(store, good).status).toBe('succeeded');
    const lost = viewIn(store, odd);
    expect(lost.artifacts).toHaveLength(3);
    expect(lost.problems.map(({ code }) => code)).toEqual(['RUN_REBUILT', 'NOTE_UNREADABLE']);
  });

  it('of a later release is not guessed at', async () => {
    const runId = await run();
    change(runId, (record) => ({ ...record, format: 2 }));
    const store = emptyStore();
    expect((await rebuild(store)).runs).toMatchObject([{ runId, status: 'lost' }]);
    expect(viewIn(store, runId).problems.map(({ code }) => code)).toEqual(['RUN_REBUILT', 'NOTE_UNREADABLE']);
  });

  it('older than what the database knows of the run says nothing new', async () => {
    const runId = await run();
    change(runId, (record) => ({ ...record, events: record.events.slice(0, 3), state: { ...record.state, status: 'failed' } }));
    expect(await rebuild(engine.store)).toMatchObject({ runs: [] });
    expect(engine.supervisor.get(runId).status).toBe('succeeded');
  });

  it('that is followed by files of another try leaves the run lost, with both', async () => {
    const runId = await run();
    change(runId, (record) => ({
      ...record,
      state: { ...record.state, status: 'failed' },
      artifacts: record.artifacts.filter(({ step }) => step === 'base'),
      events: record.events
        .filter(({ body }) => body.type !== 'artifact.created' || body.step === 'base')
        .map((event) =>
          event.body.type === 'run.status' && event.body.status === 'succeeded'
            ? { ...event, body: { ...event.body, status: 'failed' } }
            : event,
        ),
    }));
    const store = emptyStore();
    await rebuild(store);
    const view = viewIn(store, runId);
    expect(view).toMatchObject({
      status: 'lost',
      tries: 2,
      error: { code: 'RUN_REBUILT', message: expect.stringContaining('tried again') as unknown },
    });
    expect(view.artifacts.map(({ step }) => step)).toEqual(['base', 'invert', 'grow']);
    const ends = store.events({ runId, after: 0, limit: 1000 }).flatMap(({ event }) => (event.type === 'run.status' ? [event.status] : []));
    expect(ends.slice(-2)).toEqual(['failed', 'lost']);
  });
});

describe('a run that only notes tell of', () => {
  it('stands as far as its files go: by the steps of its template where that is known, and never at its end', async () => {
    const runId = await run();
    makeOld(runId);
    const rebuilt = async () => {
      const store = emptyStore();
      await rebuild(store);
      return viewIn(store, runId);
    };
    expect(await rebuilt()).toMatchObject({ status: 'lost', progress: 0.999 });
    const grown = engine.supervisor.get(runId).artifacts.find(({ step }) => step === 'grow');
    rmSync(grown?.path ?? '');
    expect((await rebuilt()).progress).toBeCloseTo(2 / 3);
    rmSync(join(output, '.callsheet'), { recursive: true });
    expect((await rebuilt()).progress).toBe(0.999);
  });
});

describe('the template of a lost run', () => {
  it('is there again, as it was pinned', async () => {
    const runId = await run();
    const store = emptyStore();
    await rebuild(store);
    const { templateHash } = engine.store.run(runId) ?? { templateHash: '' };
    expect(store.template(templateHash)).toBe(engine.store.template(templateHash));
  });

  it('is not taken from a copy that somebody changed', async () => {
    const runId = await run();
    const [name = ''] = readdirSync(join(output, '.callsheet'));
    const path = join(output, '.callsheet', name);
    writeFileSync(path, readFileSync(path, 'utf8').replace('ImageInvert', 'EvilNode'));
    const store = emptyStore();
    await rebuild(store);
    expect(isStandIn(store.run(runId)?.templateHash ?? '')).toBe(true);
  });

  it('is taken from the library where the copy beside the results is gone, and is stood for where that has another', async () => {
    const runId = await run();
    rmSync(join(output, '.callsheet'), { recursive: true });
    const { templateHash = '' } = engine.store.run(runId) ?? {};
    const content = engine.store.template(templateHash);
    const known = emptyStore();
    await rebuild(known, { templateOf: (_id, _version, hash) => (hash === templateHash ? content : undefined) });
    expect(known.run(runId)?.templateHash).toBe(templateHash);
    const lost = emptyStore();
    await rebuild(lost);
    const row = lost.run(runId);
    expect(isStandIn(row?.templateHash ?? '')).toBe(true);
    // Never under the hash of the real one, which may come back.
    expect(lost.template(templateHash)).toBeUndefined();
    expect(viewIn(lost, runId)).toMatchObject({ status: 'succeeded', steps: [{ id: 'base' }, { id: 'invert' }, { id: 'grow' }] });
  });
});

describe('files that are too many to be read at the start', () => {
  it('are taken by their length, and read afterwards', async () => {
    const runId = await run();
    const [path = ''] = engine.supervisor.get(runId).artifacts.map((artifact) => artifact.path);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
    writeFileSync(path, bytes);
    const store = emptyStore();
    const { runs, unread } = await rebuild(store, { readAtStart: 0 });
    expect(runs).toMatchObject([{ runId, status: 'succeeded', damaged: [] }]);
    expect(unread).toHaveLength(3);
    const told: RunEventBody[] = [];
    await checkLater(unread, (_, body) => void told.push(body), new AbortController().signal, 0);
    expect(told).toMatchObject([{ type: 'run.note', code: 'RESULT_DAMAGED', message: expect.stringContaining(path) as unknown }]);
  });
});

it('a second rebuild finds nothing to do, and one whose disk failed midway is finished by the next', async () => {
  const runIds = [await run(), await run(), await run()];
  const store = emptyStore();
  let left = 1;
  const failing: Store = {
    ...store,
    commit(batch) {
      left -= 1;
      if (left === 0) throw new Error('disk');
      return store.commit(batch);
    },
  };
  const first = await rebuild(failing);
  expect(first.runs.length + first.leftOut.length).toBe(3);
  await rebuild(store);
  expect(store.runs({}).map(({ runId }) => runId)).toEqual(runIds.toReversed());
  const position = store.lastPosition();
  expect(await rebuild(store)).toMatchObject({ runs: [] });
  expect(store.lastPosition()).toBe(position);
});
