import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAge, parsePolicies, parseSize, planRetention, type RetentionPolicy } from '#daemon/retention/policy.ts';
import { RUN_ENDS, RUN_STATUSES } from '#protocol/views.ts';
import type { RunSize } from '#store/types.ts';

const NOW = 1_000_000;
const run = (runId: string, changes: Partial<RunSize> = {}): RunSize => ({
  runId,
  template: 't',
  createdAt: 0,
  status: 'succeeded',
  endedAt: Number(runId) * 1000,
  pinned: false,
  bytes: 10,
  doubtful: false,
  ...changes,
});
const ids = (runs: readonly RunSize[], policy: RetentionPolicy, held: (one: RunSize) => string | undefined = () => undefined) =>
  planRetention(runs, policy, NOW, held).remove.map(({ runId }) => runId);

describe('a retention policy', () => {
  const five = ['1', '2', '3', '4', '5'].map((id) => run(id));

  it('removes nothing when it says nothing', () => expect(ids(five, { template: 't' })).toEqual([]));
  it('with an age removes what ended longer ago', () => expect(ids(five, { olderThan: NOW - 3000 })).toEqual(['1', '2']));
  it('with an age keeps the newest in any case', () => expect(ids(five, { olderThan: 0, keep: 2 })).toEqual(['1', '2', '3']));
  it('with a number alone removes all others', () => expect(ids(five, { keep: 4 })).toEqual(['1']));
  it('with a size removes the oldest until all fit', () => expect(ids(five, { maxBytes: 25 })).toEqual(['1', '2', '3']));
  it('of one template counts its runs alone', () => {
    expect(ids([...five, run('6', { template: 'other', bytes: 999 })], { maxBytes: 40, template: 't' })).toEqual(['1']);
  });
  it('says why a run stays that it would remove', () => {
    const runs = [run('1', { pinned: true }), run('2', { doubtful: true }), run('3')];
    expect(planRetention(runs, { olderThan: 0 }, NOW, ({ runId }) => (runId === '3' ? 'it is used' : undefined))).toEqual({
      remove: [],
      kept: [
        { runId: '1', why: 'it is pinned' },
        { runId: '2', why: 'nobody knows for certain that all of its attempts are over' },
        { runId: '3', why: 'it is used' },
      ],
    });
  });

  const anyRun = fc.record({
    status: fc.constantFrom(...RUN_STATUSES),
    endedAt: fc.option(fc.nat(NOW)),
    pinned: fc.boolean(),
    doubtful: fc.boolean(),
    bytes: fc.nat(100),
  });
  const anyPolicy = fc.record({ olderThan: fc.nat(NOW), keep: fc.nat(10), maxBytes: fc.nat(1000) }, { requiredKeys: [] });
  it('never removes what is open, pinned or doubtful, nor one of the newest, and never two ways from the same facts', () => {
    fc.assert(
      fc.property(fc.array(anyRun, { maxLength: 20 }), anyPolicy, (facts, given) => {
        const policy = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const runs = facts.map((fact, index) => run(String(index), fact));
        const { remove } = planRetention(runs, policy, NOW, () => undefined);
        expect(remove.every((one) => RUN_ENDS.includes(one.status) && one.endedAt !== null && !one.pinned && !one.doubtful)).toBe(true);
        const ended = runs.filter(({ status, endedAt }) => RUN_ENDS.includes(status) && endedAt !== null).length;
        expect(remove.length).toBeLessThanOrEqual(Math.max(0, ended - (policy['keep'] ?? 0)));
        expect(planRetention(runs.toReversed(), policy, NOW, () => undefined).remove.length).toBe(remove.length);
      }),
    );
  });
});

describe('the words of a policy', () => {
  it.each([
    ['30d', 30 * 86_400_000],
    ['12h', 12 * 3_600_000],
    ['2w', 14 * 86_400_000],
    ['1.5h', 5_400_000],
    ['soon', undefined],
    ['-3d', undefined],
    ['', undefined],
  ])('%s is an age', (text, age) => expect(parseAge(text)).toBe(age));

  it.each([
    ['20GB', 20e9],
    ['500 MB', 500e6],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['1000', 1000],
    ['GB', undefined],
    ['much', undefined],
  ])('%s is a size', (text, size) => expect(parseSize(text)).toBe(size));

  it('are read, several behind semicolons', () => {
    expect(parsePolicies('older-than=30d, keep=20,max-bytes=20GB; template=test,keep=1')).toEqual({
      policies: [
        { olderThan: 30 * 86_400_000, keep: 20, maxBytes: 20e9 },
        { template: 'test', keep: 1 },
      ],
    });
    expect(parsePolicies('')).toEqual({ policies: [] });
  });

  it.each(['keep=many', 'older-than=30', 'template=test', 'delete=all', 'keep=1,,'])('%s is refused', (text) => {
    expect(parsePolicies(text)).toHaveProperty('problem');
  });
});
