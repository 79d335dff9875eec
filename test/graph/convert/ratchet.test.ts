/** UI → API conversion against real files: no kind of ground truth may fall below the stored count, and a better one is stored. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { measureCorpus } from './measure.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/conversion/', import.meta.url));

describe('conversion of real workflows', () => {
  const stored = JSON.parse(readFileSync(`${FIXTURES}rate.json`, 'utf8')) as Record<string, { passed: number; of: number }>;
  const outcomes = measureCorpus(FIXTURES);
  const kinds = Object.groupBy(outcomes, ({ kind }) => kind);
  const passed = outcomes.filter(({ kind, failures }) => kind in stored && failures.length === 0).length;
  const all = outcomes.filter(({ kind }) => kind in stored).length;
  process.stdout.write(`conversion ratchet: ${passed} of ${all} graphs equal to their ground truth\n`);

  it.each(Object.entries(stored))('equals its ground truth as often as ever: %s', (kind, { passed: least, of }) => {
    const measured = kinds[kind] ?? [];
    const failing = measured
      .filter(({ failures }) => failures.length > 0)
      .map(({ name, failures }) => `${name}: ${failures.join(' | ').slice(0, 200)}`);
    expect(measured).toHaveLength(of);
    expect(
      { passed: of - failing.length, failing: of - failing.length < least ? failing : [] },
      'fewer: a regression; more: raise test/fixtures/conversion/rate.json',
    ).toEqual({
      passed: least,
      failing: [],
    });
  });

  it('counts every kind of ground truth but the one that is not trusted', () => {
    expect(Object.keys(kinds).toSorted()).toEqual([...Object.keys(stored), 'pairs D-structure'].toSorted());
  });
});
