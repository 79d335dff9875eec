// Every transaction of the store has a crash point before and after it: whatever method of a store changes the database is held against the list.
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { countCases } from '../count-cases.ts';
import { batchNumber } from '../store/numbered.ts';
import { freshDirectory } from '../store/samples.ts';
import { watchedStore } from './points.ts';

let dir: string;
let points: string[];
let store: Store;
let other: Database.Database;
beforeEach(() => {
  dir = freshDirectory();
  points = [];
  store = watchedStore(openStore({ dir }), (name) => void points.push(name));
  other = new Database(join(dir, 'callsheet.db'), { readonly: true });
});
afterEach(() => {
  other.close();
  store.close();
});

const ASSET = { assetId: 'a', path: '/a', name: 'a', mediaType: 'image/png', bytes: 1, sha256: 'x', createdAt: 1 };

/** One call of each method, in an order in which each that can write has something to write. */
const CALLS: { readonly [Name in keyof Store]?: (store: Store) => unknown } = {
  commit: (one) => one.commit(batchNumber(1)),
  putRequestKey: (one) => one.putRequestKey({ key: 'k', method: 'm', paramsHash: 'h', runId: null, answer: '{}' }),
  putSetting: (one) => one.putSetting('s', 'v'),
  putAsset: (one) => one.putAsset(ASSET),
  outboxTried: (one) => one.outboxTried(one.outbox(1)[0]?.id ?? 0),
  run: (one) => one.run('run-0'),
  runs: (one) => one.runs({}),
  openRuns: (one) => one.openRuns(),
  openRunHeads: (one) => one.openRunHeads(),
  runCounts: (one) => one.runCounts(),
  assumedLost: (one) => one.assumedLost(),
  template: (one) => one.template('t'),
  attempts: (one) => one.attempts('run-0'),
  artifacts: (one) => one.artifacts('run-0'),
  artifact: (one) => one.artifact('artifact-1'),
  listArtifacts: (one) => one.listArtifacts({}),
  events: (one) => one.events({ after: 0, limit: 10 }),
  lastPosition: (one) => one.lastPosition(),
  setting: (one) => one.setting('s'),
  requestKey: (one) => one.requestKey('k'),
  requestKeysOf: (one) => one.requestKeysOf('run-0'),
  savings: (one) => one.savings('run-0'),
  demandWritable: (one) => one.demandWritable(),
  timings: (one) => one.timings('t', 's'),
  outbox: (one) => one.outbox(10),
  asset: (one) => one.asset('a'),
  provenance: (one) => one.provenance('run-0'),
  graph: (one) => one.graph('g'),
  runSizes: (one) => one.runSizes(),
  runsOfTemplate: (one) => one.runsOfTemplate('h'),
  pin: (one) => one.pin('run-0', true),
  backup: (one) => one.backup(join(dir, 'copy', 'callsheet.db')),
  removeRuns: (one) => one.removeRuns([{ runId: 'run-1', body: '[]' }], new Set()),
  pendingRemovals: (one) => one.pendingRemovals(),
  removalDone: (one) => one.removalDone('run-1'),
  outboxDone: (one) => one.outboxDone(one.outbox(1)[0]?.id ?? 0),
  checkpoint: (one) => one.checkpoint(),
  close(one) {
    one.outboxDone(one.outbox(1)[0]?.id ?? 0);
    one.close();
  },
};

it('has a point before and after everything that changes the database', async () => {
  store.commit(batchNumber(2));
  store.commit({ ...batchNumber(1), outbox: [1, 2].map((n) => ({ runId: 'run-0', kind: 'test', body: String(n) })) });
  const methods = Object.entries(store).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  const writing: string[] = [];
  const unwatched: string[] = [];
  // What is not called here is unknown: a new method has to say what it does.
  expect(Object.keys(CALLS).toSorted()).toEqual(methods.toSorted());
  for (const [name, call] of Object.entries(CALLS)) {
    if (name === 'commit') continue;
    points.length = 0;
    const before: unknown = other.pragma('data_version', { simple: true });
    await call(store);
    if (other.pragma('data_version', { simple: true }) === before) continue;
    writing.push(name);
    if (points.length !== 2) unwatched.push(name);
  }
  expect({ unwatched, writing }).toEqual({
    unwatched: [],
    writing: ['putRequestKey', 'putSetting', 'putAsset', 'outboxTried', 'pin', 'removeRuns', 'removalDone', 'checkpoint', 'close'],
  });
  countCases('commits', { writing: writing.length + 1, watched: writing.length + 1 - unwatched.length });
});

it('has them around commits', () => {
  store.commit(batchNumber(1));
  expect(points).toEqual(['commit.before', 'commit.after']);
});
