// What is given up without proof by a backend's policy, and when.
import { afterEach, expect, it, vi } from 'vitest';
import { createLosses } from '#daemon/scheduler/losses.ts';

afterEach(() => void vi.useRealTimers());

it('gives an attempt that was sent into the silence the same time as the one before', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  let told = 0;
  const losses = createLosses({
    backends: [],
    settings: { backends: { a: { assumeLostAfterMs: 1000 } }, maxOpenRuns: 10 },
    store: { assumedLost: () => [] },
    on: () => [{ promptId: 'p', runId: 'r', backendId: 'a' }],
    onGivenUp: () => undefined,
    record: () => undefined,
    log: { info: () => undefined, warn: () => undefined },
  });
  losses.onAssumedLost('p', () => void (told += 1));
  const silentAt = (ms: number) => {
    vi.advanceTimersByTime(ms);
    losses.heard({ id: 'a', kind: 'comfyui', status: 'unresponsive', draft: false });
    return told;
  };
  expect([silentAt(0), silentAt(999), silentAt(1), silentAt(999), silentAt(1)]).toEqual([0, 0, 1, 1, 2]);
  losses.close();
});
