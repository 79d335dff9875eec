// What passes saved: kept by run, step, item and pass, and taken back where a new try finds nothing to save.
import { expect, it, onTestFinished } from 'vitest';
import { openStore } from '#store/store.ts';
import type { SavingsRow } from '#store/types.ts';
import { created, freshDirectory } from './samples.ts';

const row = (changes: Partial<SavingsRow> = {}): SavingsRow => ({
  runId: 'run-1',
  step: 'base',
  item: 0,
  pass: 'no-ops',
  savings: [{ nodes: [{ id: '4', classType: 'LoraLoader', title: 'Style', into: '3' }], why: 'Both strengths are 0.', seconds: 1.5 }],
  ...changes,
});

function opened() {
  const store = openStore({ dir: freshDirectory() });
  onTestFinished(() => store.close());
  store.commit(created('run-1'));
  store.commit(created('run-2'));
  return store;
}

it('gives the savings of a run as they were written', () => {
  const store = opened();
  const rows = [row(), row({ item: 1 }), row({ item: null, pass: 'existing-outputs', savings: [{ nodes: [], why: 'It is there.' }] })];
  store.commit({ savings: [...rows, row({ runId: 'run-2' })] });
  expect(store.savings('run-1')).toEqual(expect.arrayContaining(rows));
  expect(store.savings('run-1')).toHaveLength(3);
  expect(store.savings('run-3')).toEqual([]);
});

it('keeps the newest word of a pass on an item, and nothing where there is nothing to say', () => {
  const store = opened();
  store.commit({ savings: [row(), row({ pass: 'constants' })] });
  const next = row({ savings: [{ nodes: [], why: 'Another.' }] });
  store.commit({ savings: [next, row({ pass: 'constants', savings: [] })] });
  expect(store.savings('run-1')).toEqual([next]);
});

it('gives a run its options, and none to a run without', () => {
  const store = opened();
  store.commit(created('run-3', { options: { optimize: false, cache: true } }));
  expect(store.run('run-3')?.options).toEqual({ optimize: false, cache: true });
  expect(store.run('run-1')).not.toHaveProperty('options');
});
