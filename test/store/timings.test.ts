// What is learned of how long things take: a mean that believes newer runs more, its variance, and the longest ever.
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '#store/store.ts';
import { freshDirectory } from './samples.ts';

const part = { template: 't', step: 's', backend: 'b', part: 'item' };

function learned(samples: readonly number[]) {
  const store = openStore({ dir: freshDirectory(), synchronous: 'NORMAL' });
  onTestFinished(() => store.close());
  for (const seconds of samples) store.commit({ timings: [{ ...part, seconds }] });
  return store.timings('t', 's')[0];
}

describe('timings', () => {
  it('are kept by template, step, backend and part', () => {
    const store = openStore({ dir: freshDirectory() });
    onTestFinished(() => store.close());
    store.commit({
      timings: [
        { ...part, seconds: 2 },
        { ...part, backend: 'c', seconds: 4 },
        { ...part, step: 'other', seconds: 9 },
      ],
    });
    expect(store.timings('t', 's')).toEqual([
      { ...part, count: 1, mean: 2, variance: 0, longest: 2 },
      { ...part, backend: 'c', count: 1, mean: 4, variance: 0, longest: 4 },
    ]);
  });

  it('have the mean and variance of the first samples', () => {
    expect(learned([2, 4, 6])).toMatchObject({ count: 3, mean: 4, longest: 6 });
    expect(learned([2, 4, 6])?.variance).toBeCloseTo(8 / 3);
  });

  it('forget an old machine within a few runs of a faster one', () => {
    const samples = [...Array<number>(50).fill(100), ...Array<number>(30).fill(10)];
    expect(learned(samples)?.mean).toBeLessThan(12);
    expect(learned(samples)?.longest).toBe(100);
  });

  it('never leave the range of their samples, and vary by no negative amount (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 20 }), (samples) => {
        const timing = learned(samples);
        const slack = 1e-6;
        expect(timing?.mean).toBeGreaterThanOrEqual(Math.min(...samples) - slack);
        expect(timing?.mean).toBeLessThanOrEqual(Math.max(...samples) + slack);
        expect(timing?.variance).toBeGreaterThanOrEqual(0);
        expect(timing?.count).toBe(samples.length);
      }),
      { numRuns: 15 },
    );
  });
});
