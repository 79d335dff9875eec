/**
 * Setup of vitest when CALLSHEET_TEST_RUNS=N is set: every property is tried with N times its usual number of values, so that
 * counter-examples which a usual run meets once in a hundred times are found before they fail somebody else's.
 */
import { vi } from 'vitest';

/** What fast-check runs when a property names no number. */
const USUAL = 100;

vi.mock(import('fast-check'), async (original) => {
  const real = await original();
  const times = Number(process.env['CALLSHEET_TEST_RUNS']);
  const assert = new Proxy(real.assert, {
    apply(target, self, [property, parameters]: [unknown, { readonly numRuns?: number }?]): unknown {
      return Reflect.apply(target, self, [property, { ...parameters, numRuns: (parameters?.numRuns ?? USUAL) * times }]);
    },
  });
  return { ...real, assert, default: { ...real.default, assert } };
});
