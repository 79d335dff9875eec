import { expect, it } from 'vitest';
import { optimiserOf } from '#daemon/optimiser-view.ts';
import type { SavingsRow } from '#store/types.ts';
import { compiled, manifest } from '../templates/support.ts';

const step = (id: string) => ({ id, workflow: 'w.json', outputs: { image: '9' } });
const template = compiled(manifest({ steps: [step('b'), step('a')] }));
const allowed = { optimize: true, cache: true };

const row = (place: string, item: number | null, pass: SavingsRow['pass'], ...seconds: (number | undefined)[]): SavingsRow => ({
  runId: 'r',
  step: place,
  item,
  pass,
  savings: seconds.map((one) => ({ nodes: [], why: pass, ...(one === undefined ? {} : { seconds: one }) })),
});

it('tells savings in the order of steps, items and passes, with the sum of what was measured', () => {
  const rows = [
    row('a', 0, 'no-ops', 1),
    row('b', 1, 'previews', undefined),
    row('b', 1, 'dead-nodes', 2, undefined),
    row('b', null, 'model-order', 4),
  ];
  const { enabled, savings, seconds } = optimiserOf(template, allowed, rows);
  expect(savings.map(({ step: place, item, pass }) => [place, item, pass])).toEqual([
    ['b', undefined, 'model-order'],
    ['b', 1, 'dead-nodes'],
    ['b', 1, 'dead-nodes'],
    ['b', 1, 'previews'],
    ['a', 0, 'no-ops'],
  ]);
  expect([enabled, seconds]).toEqual([true, 7]);
});

it('is off where the template lets it at no step', () => {
  const steps = [step('b'), step('a')];
  expect(optimiserOf(compiled(manifest({ optimize: false, steps })), allowed, []).enabled).toBe(false);
  const some = [{ ...step('b'), optimize: false }, step('a')];
  expect(optimiserOf(compiled(manifest({ steps: some })), allowed, []).enabled).toBe(true);
  const none = some.map((one) => ({ ...one, optimize: false }));
  expect(optimiserOf(compiled(manifest({ steps: none })), allowed, []).enabled).toBe(false);
});

it('gives no sum where nothing was measured', () => {
  expect(optimiserOf(template, allowed, [row('a', 0, 'constants', undefined)])).not.toHaveProperty('seconds');
  expect(optimiserOf(template, { ...allowed, optimize: false }, [])).toEqual({ enabled: false, savings: [] });
});
