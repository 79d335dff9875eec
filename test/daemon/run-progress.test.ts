// What clients hear of a run's progress while a person is asked, and afterwards.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ActorDeps } from '#actors/deps.ts';
import { createRunProgress } from '#daemon/run-progress.ts';
import type { StepProgress } from '#machines/run-steps.ts';
import type { ProgressNotice } from '#protocol/events.ts';

const KEY = { runId: 'r', step: 'last', item: 0, backend: 'b' };
const HOUR = 3_600_000;
const step = (id: string, status: StepProgress['status']): StepProgress => ({
  id,
  needs: [],
  status,
  items: 1,
  open: status === 'active' ? [0] : [],
  next: 1,
  failed: 0,
  lost: 0,
  reason: null,
  error: null,
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('progress around a choice', () => {
  it('gives no time left while a person is asked, and does not count that time afterwards', () => {
    const told: ProgressNotice[] = [];
    let waits = false;
    const progress = createRunProgress({
      store: { timings: () => [] },
      memory: () => ({ template: { id: 't', steps: [] }, backend: 'b' }) as unknown as ReturnType<ActorDeps['memory']>,
      stepsOf: () => [step('first', 'done'), step('last', 'active')],
      isWaiting: () => waits,
      stage: () => undefined,
      touch: () => undefined,
      tell: (notice) => void told.push(notice),
    });
    const report = (value: number, seconds: number) => {
      vi.advanceTimersByTime(seconds * 1000);
      progress.report(KEY, value);
      progress.store('r');
      return told.at(-1);
    };
    report(0, 0);
    expect(report(0.2, 2)?.etaSeconds).toBeGreaterThan(0);
    waits = true;
    progress.store('r');
    expect(progress.live('r').etaSeconds).toBeUndefined();
    expect(report(0.3, 1)?.etaSeconds).toBeUndefined();
    vi.advanceTimersByTime(HOUR);
    waits = false;
    progress.store('r');
    report(0.4, 1);
    const { etaSeconds = Number.POSITIVE_INFINITY } = report(0.8, 4) ?? {};
    expect(etaSeconds).toBeGreaterThan(0);
    expect(etaSeconds).toBeLessThan(60);
  });
});

describe('progress of a run that is taken up after a restart', () => {
  it('is told at once, with the time that is left', () => {
    const told: ProgressNotice[] = [];
    const timing = { template: 't', step: 'last', backend: 'b', part: 'item', count: 4, mean: 100, variance: 0, longest: 110 };
    const progress = createRunProgress({
      store: { timings: (_, id) => (id === 'last' ? [timing] : []) },
      memory: () => ({ template: { id: 't', steps: [{ id: 'last' }] }, backend: 'b' }) as unknown as ReturnType<ActorDeps['memory']>,
      stepsOf: () => [step('last', 'active')],
      isWaiting: () => false,
      stage: () => undefined,
      touch: () => undefined,
      tell: (notice) => void told.push(notice),
    });
    progress.resume('r', { stored: 0.31, told: true, items: [{ step: 'last', item: 0, backend: 'b', ageMs: 40_000 }], ageMs: 40_000 });
    progress.announce('r');
    expect(told).toEqual([{ runId: 'r', progress: expect.closeTo(0.35), etaSeconds: 60, etaRange: [54, 66] }]);
  });
});
