import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ErrorCode } from '#protocol/errors.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { MIGRATIONS } from '#store/schema.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { artifact, attempt, created, event, freshDirectory, newRun, state, TEMPLATE } from './samples.ts';

function freshStore(directory = freshDirectory()): Store {
  const store = openStore({ dir: directory });
  onTestFinished(() => store.close());
  return store;
}

function owedRows(directory: string): unknown {
  const db = new Database(join(directory, 'callsheet.db'), { readonly: true });
  onTestFinished(() => void db.close());
  return db.prepare('SELECT count(*) FROM outbox').pluck().get();
}

function codeOf(work: () => unknown): ErrorCode | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof CallsheetError) return error.code;
    throw error;
  }
  return undefined;
}

describe('runs', () => {
  it('gives back every field of a run as it was written', () => {
    const store = freshStore();
    const error = { code: 'NODE_FAILED', message: 'boom', retryable: false, node: '3' } as const;
    const run = newRun('r1', { backend: 'gpu', createdAt: 5 });
    const ended = state('r1', { status: 'failed', draft: true, progress: 0.5, snapshot: null, timers: '[1]', error, endedAt: 9 });
    store.commit({ templates: [TEMPLATE], newRuns: [run], states: [ended] });
    expect(store.run('r1')).toEqual({ ...run, ...ended });
    expect(store.template(TEMPLATE.hash)).toBe(TEMPLATE.content);
  });

  it('answers undefined for what it does not hold', () => {
    const store = freshStore();
    expect(store.run('nobody')).toBeUndefined();
    expect(store.template('nothing')).toBeUndefined();
    expect(store.artifact('nothing')).toBeUndefined();
    expect(store.asset('nothing')).toBeUndefined();
    expect(store.requestKey('nothing')).toBeUndefined();
    expect(store.attempts('nobody')).toEqual([]);
    expect(store.events({ runId: 'nobody', after: 0, limit: 10 })).toEqual([]);
    expect(store.lastPosition()).toBe(0);
  });

  it('calls a run without a state queued', () => {
    const store = freshStore();
    store.commit({ templates: [TEMPLATE], newRuns: [newRun('r1')] });
    expect(store.run('r1')).toMatchObject({ status: 'queued', progress: 0, snapshot: null });
    expect(store.openRuns()).toEqual(['r1']);
  });

  it('lists open runs oldest first and forgets them when they end', () => {
    const store = freshStore();
    for (const id of ['r3', 'r1', 'r2']) store.commit(created(id));
    store.commit({ states: [state('r1', { status: 'succeeded', snapshot: null, endedAt: 3 })] });
    expect(store.openRuns()).toEqual(['r3', 'r2']);
    store.commit({ states: [state('r1', { status: 'running' })] });
    expect(store.openRuns()).toEqual(['r3', 'r1', 'r2']);
  });

  it('pages runs newest first, by status and by template', () => {
    const store = freshStore();
    for (const id of ['r1', 'r2', 'r3', 'r4']) store.commit(created(id, { template: id === 'r2' ? 'other' : 'demo' }));
    store.commit({ states: [state('r3', { status: 'failed', endedAt: 1 })] });
    const ids = (query: Parameters<Store['runs']>[0]) => store.runs(query).map(({ runId }) => runId);
    expect(ids({})).toEqual(['r4', 'r3', 'r2', 'r1']);
    expect(ids({ limit: 2 })).toEqual(['r4', 'r3']);
    expect(ids({ before: 'r3', limit: 2 })).toEqual(['r2', 'r1']);
    expect(ids({ before: 'nobody' })).toEqual([]);
    expect(ids({ template: 'other' })).toEqual(['r2']);
    expect(ids({ status: ['queued'] })).toEqual(['r4', 'r2', 'r1']);
    expect(ids({ status: ['queued'], before: 'r4', template: 'demo' })).toEqual(['r1']);
    expect(ids({ status: ['failed', 'queued'] })).toEqual(['r4', 'r3', 'r2', 'r1']);
    expect(ids({ status: [] })).toEqual([]);
  });
});

describe('events', () => {
  it('numbers events per run and over the whole log from 1 without a gap', () => {
    const store = freshStore();
    const first = store.commit(created('r1'));
    const second = store.commit({ ...created('r2'), events: [event('r2', 'a'), event('r1', 'b'), event('r2', 'c')] });
    const numbers = [...first, ...second].map(({ runId, seq, position }) => [runId, seq, position]);
    expect(numbers).toEqual([
      ['r1', 1, 1],
      ['r2', 1, 2],
      ['r1', 2, 3],
      ['r2', 2, 4],
    ]);
    expect(store.events({ after: 0, limit: 100 })).toEqual([...first, ...second]);
    expect(store.events({ runId: 'r2', after: 1, limit: 100 })).toEqual([second[2]]);
    expect(store.events({ after: 1, limit: 2 })).toEqual(second.slice(0, 2));
    expect(store.lastPosition()).toBe(4);
  });

  it('goes on numbering after a restart, in the same epoch', () => {
    const directory = freshDirectory();
    const before = openStore({ dir: directory });
    before.commit(created('r1'));
    before.close();
    const after = freshStore(directory);
    expect(after.epoch).toBe(before.epoch);
    expect(after.recovery).toBeUndefined();
    expect(after.commit({ events: [event('r1', 'later')] })).toMatchObject([{ seq: 2, position: 2, epoch: before.epoch }]);
  });

  it('does not use up numbers in a batch that fails', () => {
    const store = freshStore();
    store.commit(created('r1'));
    expect(codeOf(() => store.commit({ events: [event('r1', 'lost'), event('nobody', 'x')] }))).toBe('INTERNAL');
    expect(store.lastPosition()).toBe(1);
    expect(store.commit({ events: [event('r1', 'kept')] })).toMatchObject([{ seq: 2, position: 2 }]);
  });
});

describe('batches', () => {
  it('writes all of a batch or nothing of it', () => {
    const store = freshStore();
    store.commit(created('r1'));
    const bad = { states: [state('r1', { status: 'succeeded' })], attempts: [attempt('r1', 'p1')], events: [event('nobody', 'x')] };
    expect(codeOf(() => store.commit(bad))).toBe('INTERNAL');
    expect(store.run('r1')?.status).toBe('queued');
    expect(store.attempts('r1')).toEqual([]);
    expect(store.openRuns()).toEqual(['r1']);
  });

  it('refuses a run whose template is not stored', () => {
    const store = freshStore();
    expect(codeOf(() => store.commit({ newRuns: [newRun('r1')] }))).toBe('INTERNAL');
    expect(store.run('r1')).toBeUndefined();
  });

  it('keeps one row per attempt and per file of a node', () => {
    const store = freshStore();
    store.commit({ ...created('r1'), attempts: [attempt('r1', 'p2', { item: 1 }), attempt('r1', 'p1')] });
    const done = attempt('r1', 'p1', { status: 'finished', acknowledged: true, number: 7, endedAt: 4 });
    const facts = { frames: 36, fps: 24, channels: 2, sampleRate: 48_000, depth: 10, alpha: true, codec: 'prores', audioCodec: 'pcm' };
    const seen = { kind: 'video', facts, createdAt: 5, sameAs: 'a0' } as const;
    const view = artifact('r1', 'a1', { width: 8, height: 4, duration: 1.5, ...seen, draft: true, outputs: ['portraits'] });
    store.commit({ attempts: [done], artifacts: [artifact('r1', 'a0')] });
    store.commit({ artifacts: [view, artifact('r1', 'a2', { index: 1 })] });
    expect(store.attempts('r1')).toEqual([done, attempt('r1', 'p2', { item: 1 })]);
    expect(store.artifacts('r1')).toEqual([view, artifact('r1', 'a2', { index: 1 })]);
    expect(store.artifact('a1')).toEqual(view);
    expect(store.artifact('a0')).toBeUndefined();
  });

  it('pages artifacts newest first', () => {
    const store = freshStore();
    store.commit({ ...created('r1'), artifacts: [artifact('r1', 'a1'), artifact('r1', 'a2', { index: 1 })] });
    store.commit({ ...created('r2'), artifacts: [artifact('r2', 'a3')] });
    const ids = (query: Parameters<Store['listArtifacts']>[0]) => store.listArtifacts(query)?.artifacts.map(({ artifactId }) => artifactId);
    expect(ids({})).toEqual(['a3', 'a2', 'a1']);
    expect(ids({ runId: 'r1', limit: 1 })).toEqual(['a2']);
    expect(ids({ before: 'a2' })).toEqual(['a1']);
  });
});

describe('the outbox', () => {
  it('hands out what is owed in order, counts tries and deletes what is done', () => {
    const store = freshStore();
    const owed = { runId: 'r1', kind: 'forget' };
    store.commit({
      ...created('r1'),
      outbox: [
        { ...owed, body: '1' },
        { ...owed, body: '2' },
      ],
    });
    const [first] = store.outbox(1);
    if (first === undefined) throw new Error('the outbox is empty');
    expect(first).toMatchObject({ runId: 'r1', kind: 'forget', body: '1', tries: 0 });
    store.outboxTried(first.id);
    expect(store.outbox(1)).toMatchObject([{ id: first.id, tries: 1 }]);
    store.outboxDone(first.id);
    expect(store.outbox(10)).toMatchObject([{ body: '2' }]);
  });

  it('does not give a new item the number of one that is done', () => {
    const store = freshStore();
    const item = { runId: 'r1', kind: 'forget', body: '{}' };
    store.commit({ ...created('r1'), outbox: [item] });
    const first = store.outbox(1)[0]?.id ?? 0;
    store.outboxDone(first);
    store.commit({ outbox: [item] });
    store.outboxDone(first);
    expect(store.outbox(10)).toHaveLength(1);
  });
});

describe('a done item of the outbox', () => {
  const item = { runId: 'r1', kind: 'forget', body: '{}' };

  it('is gone for good once something else is committed', () => {
    const directory = freshDirectory();
    const store = freshStore(directory);
    store.commit({ ...created('r1'), outbox: [item] });
    store.outboxDone(store.outbox(1)[0]?.id ?? 0);
    expect(store.outbox(1)).toEqual([]);
    store.commit({ events: [event('r1', 'next')] });
    expect(owedRows(directory)).toBe(0);
  });

  it('is gone for good after an orderly close', () => {
    const directory = freshDirectory();
    const store = openStore({ dir: directory });
    store.commit({ ...created('r1'), outbox: [item] });
    store.outboxDone(store.outbox(1)[0]?.id ?? 0);
    store.close();
    expect(owedRows(directory)).toBe(0);
  });

  it('does not hide the items behind it', () => {
    const store = freshStore();
    store.commit({ ...created('r1'), outbox: [item, item, item] });
    for (const { id } of store.outbox(2)) store.outboxDone(id);
    expect(store.outbox(1)).toHaveLength(1);
  });

  it('stays done when the batch that would have deleted it fails', () => {
    const store = freshStore();
    store.commit({ ...created('r1'), outbox: [item] });
    store.outboxDone(store.outbox(1)[0]?.id ?? 0);
    expect(codeOf(() => store.commit({ events: [event('nobody', 'x')] }))).toBe('INTERNAL');
    expect(store.outbox(1)).toEqual([]);
  });
});

describe('request keys and assets', () => {
  const row = { key: 'k1', method: 'run/start', paramsHash: 'h', runId: 'r1', answer: '{"runId":"r1"}' };

  it('keeps the first answer of a requestKey in the run’s own transaction', () => {
    const store = freshStore();
    store.commit({ ...created('r1'), requestKeys: [row] });
    expect(store.requestKey('k1')).toEqual(row);
    store.putRequestKey(row);
    expect(codeOf(() => store.putRequestKey({ ...row, answer: '{"runId":"r2"}' }))).toBe('REQUEST_KEY_CONFLICT');
    expect(codeOf(() => store.commit({ ...created('r2'), requestKeys: [{ ...row, runId: 'r2', answer: '2' }] }))).toBe(
      'REQUEST_KEY_CONFLICT',
    );
    expect(store.run('r2')).toBeUndefined();
    expect(store.requestKey('k1')).toEqual(row);
  });

  it('keeps a key that belongs to no run', () => {
    const store = freshStore();
    store.putRequestKey({ ...row, runId: null });
    expect(store.requestKey('k1')).toEqual({ ...row, runId: null });
  });

  it('gives back an asset', () => {
    const store = freshStore();
    const asset = { assetId: 'x', path: '/u/x', name: 'a.png', mediaType: 'image/png', bytes: 3, sha256: 'd', createdAt: 1 };
    store.putAsset(asset);
    expect(store.asset('x')).toEqual(asset);
  });
});

describe('the file', () => {
  it('is opened with the durability that docs/store.md promises', () => {
    const directory = freshDirectory();
    freshStore(directory).commit(created('r1'));
    const other = new Database(join(directory, 'callsheet.db'), { readonly: true });
    onTestFinished(() => void other.close());
    expect(other.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(other.pragma('application_id', { simple: true })).toBe(0x43_53_68_74);
    expect(other.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length);
    const loose = other.prepare<[], { name: string }>("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0").all();
    expect(loose.map(({ name }) => name)).toEqual(['sqlite_schema']);
  });

  it('says in one sentence that a closed store is closed', () => {
    const store = openStore({ dir: freshDirectory() });
    store.close();
    store.close();
    expect(codeOf(() => store.commit({}))).toBe('STORAGE_FAILED');
  });

  it('says what to do when the data directory cannot be used', () => {
    expect(codeOf(() => openStore({ dir: '/dev/null/data' }))).toBe('STORAGE_FAILED');
  });
});
