// Pauses before further attempts: they grow, they differ from run to run, they end somewhere, and they heed Retry-After.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOffMs, USUAL_BACK_OFF } from '#machines/back-off.ts';

const options = { initialMs: 1000, maxMs: 30_000 };
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const asking = (retryAfterMs: unknown) => ({ details: { retryAfterMs } });

describe('the pause before a further attempt', () => {
  it.each([
    [0, [500, 1000, 2000, 4000, 8000, 15_000, 15_000]],
    [0.999_999, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]],
  ])('doubles and is cut at the longest (dice at %d)', (dice, expected) => {
    const pauses = [1, 2, 3, 4, 5, 6, 60].map((retry) => backOffMs(retry, null, { ...options, random: () => dice }));
    expect(pauses).toEqual(expected);
  });

  it('lies between half of the whole and the whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), share, (retry, dice) => {
        const whole = Math.min(30_000, 1000 * 2 ** (retry - 1));
        const pause = backOffMs(retry, null, { ...options, random: () => dice });
        expect(pause).toBeGreaterThanOrEqual(whole / 2);
        expect(pause).toBeLessThanOrEqual(whole);
      }),
    );
  });

  it('is drawn anew, so that runs that failed together come back apart', () => {
    const pauses = Array.from({ length: 100 }, () => backOffMs(4, null, USUAL_BACK_OFF));
    expect(new Set(pauses).size).toBeGreaterThan(20);
  });

  it('is never shorter than Retry-After, up to ten minutes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), share, (asked, dice) => {
        const pause = backOffMs(1, asking(asked), { ...options, random: () => dice });
        expect(pause).toBeGreaterThanOrEqual(Math.min(asked, 600_000));
        expect(pause).toBeLessThanOrEqual(Math.max(1000, Math.min(asked, 600_000)));
      }),
    );
  });

  it.each([-1, Number.NaN, Infinity, '9000', null])('takes no notice of a Retry-After that is none (%s)', (asked) => {
    expect(backOffMs(1, asking(asked), { ...options, random: () => 0 })).toBe(500);
  });
});
