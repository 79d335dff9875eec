import { describe, expect, it } from 'vitest';
import type { RunMemory, StepTimings } from '#actors/deps.ts';
import { givenBy, keepSavings, savingsRows } from '#actors/savings.ts';
import type { PassSaving } from '#graph/optimise/optimise.ts';
import { compiled, manifest } from '../templates/support.ts';

const nothing: StepTimings = { get: () => undefined, here: () => undefined };
const timings = { of: () => nothing };
const memory = (): RunMemory => ({
  runId: 'r',
  template: compiled(manifest()),
  params: {},
  backend: null,
  options: { optimize: true, cache: true },
  savings: new Map(),
  attempts: new Map(),
  artifacts: [],
  provenance: new Map(),
  fresh: new Set(),
  leftOut: new Map(),
});
const item = { runId: 'r', step: 'a', item: 0 };
const merged = (...pairs: readonly (readonly [string, string])[]): PassSaving => ({
  pass: 'equal-nodes',
  nodes: pairs.map(([id, into]) => ({ id, classType: 'PreviewImage', into })),
  why: 'Equal.',
});

describe('savings of an item', () => {
  it('are kept by pass, and taken back by a new try that finds nothing', () => {
    const run = memory();
    keepSavings(run, savingsRows({ timings }, run, item, 'b', [merged(['9', '3'])]));
    expect([...run.savings.values()]).toMatchObject([
      { runId: 'r', step: 'a', item: 0, pass: 'equal-nodes', savings: [{ why: 'Equal.' }] },
    ]);
    const rows = savingsRows({ timings }, run, item, 'b', []);
    expect(rows).toEqual([{ ...item, pass: 'equal-nodes', savings: [] }]);
    keepSavings(run, rows);
    expect(run.savings.size).toBe(0);
    expect(savingsRows({ timings }, run, item, 'b', [])).toEqual([]);
  });

  it('tell of nodes that patches put in as those that they stand for', () => {
    const run = memory();
    const [row] = savingsRows({ timings }, run, item, 'b', [merged(['9:patch1-a', '3:patch2-b'])]);
    expect(row?.savings[0]?.nodes).toEqual([{ id: '9', classType: 'PreviewImage', into: '3' }]);
  });

  it('name every node whose result one gives, also over several merges, and of this item alone', () => {
    const run = memory();
    keepSavings(run, savingsRows({ timings }, run, item, 'b', [merged(['9', '6'], ['6', '3'], ['5', '4'])]));
    keepSavings(run, savingsRows({ timings }, run, { ...item, item: 1 }, 'b', [merged(['10', '3'])]));
    const nodes = givenBy(run, 'a', 0);
    expect([nodes('3'), nodes('4'), nodes('10')]).toEqual([['3', '9', '6'], ['4', '5'], ['10']]);
    expect(givenBy(run, 'b', 0)('3')).toEqual(['3']);
  });

  it('give no result of a node that was led around to the one before it', () => {
    const run = memory();
    const led: PassSaving = { pass: 'no-ops', nodes: [{ id: '6', classType: 'ImageScale', into: '3' }], why: 'Nothing.' };
    keepSavings(run, savingsRows({ timings }, run, item, 'b', [led]));
    expect(givenBy(run, 'a', 0)('3')).toEqual(['3']);
  });
});
