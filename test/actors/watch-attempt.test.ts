// An attempt that does not move is said to be stalled after its phase's own time, never killed by itself; a finished one teaches.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noResultCache } from '#actors/result-cache/no-result-cache.ts';
import type { ActorDeps, Lesson, RunMemory, StallPolicy } from '#actors/deps.ts';
import { createAttemptWatch } from '#actors/watch-attempt.ts';
import type { Backend, BackendEvent } from '#backends/contract.ts';
import type { ErrorData } from '#protocol/errors.ts';
import type { Timing } from '#store/types.ts';

const SECOND = 1000;
const outputs = { files: [], texts: [], cachedNodes: [] };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(
  policy: Partial<StallPolicy> = {},
  learned: Readonly<Record<string, Partial<Timing>>> = {},
  diagnose?: () => Promise<string | undefined>,
) {
  const notes: [string, string][] = [];
  const lessons: Lesson[] = [];
  const interrupted: ErrorData[] = [];
  const abandoned: string[] = [];
  const died: string[] = [];
  const row = (part: string): Timing | undefined =>
    learned[part] && { template: 't', step: 's', backend: 'b', part, count: 9, mean: 1, variance: 0, longest: 1, ...learned[part] };
  const deps = {
    timings: { of: () => ({ get: row, here: row }) },
    stall: { limitMs: 600 * SECOND, leastMs: 60 * SECOND, lookMs: 2 * SECOND, askMs: 30 * SECOND, action: 'note', ...policy },
    learn: (_key: unknown, lesson: Lesson) => void lessons.push(lesson),
    cache: noResultCache(),
    places: { workerDied: (id: string) => void died.push(id), loadOf: () => undefined },
  } as unknown as ActorDeps;
  const watch = createAttemptWatch(deps, {
    memory: { template: { id: 't' }, provenance: new Map() } as unknown as RunMemory,
    input: { runId: 'r', step: 's', item: 0, skipped: [], attempt: 1, promptId: 'p', backendId: 'b' },
    backend: { id: 'b', url: 'http://b:1', diagnose } as unknown as Backend,
    fused: { steps: ['s'], whose: (node) => ({ step: 's', node }), lessons: (lesson) => [{ step: 's', lesson }] },
    note: (code, message) => void notes.push([code, message]),
    interrupt: (error) => void interrupted.push(error),
    abandoned: (error) => void abandoned.push(error.code),
  });
  const codes = () => notes.map(([code]) => code);
  const take = (...events: readonly BackendEvent[]) => events.forEach((event) => watch.take(event));
  return { watch, take, notes, codes, lessons, interrupted, abandoned, died };
}

const progress = (value: number, node = '3', within?: number): BackendEvent => ({
  type: 'progress',
  value,
  node,
  ...(within === undefined ? {} : { within }),
});

describe('an attempt that does not move', () => {
  it('is said to be stalled once, with its phase, the time and what to look at, and to move again when it does', () => {
    const { take, codes, notes } = watched();
    take({ type: 'queued' }, { type: 'started' }, progress(0.1));
    vi.advanceTimersByTime(590 * SECOND);
    expect(codes()).toEqual([]);
    vi.advanceTimersByTime(1200 * SECOND);
    expect(codes()).toEqual(['STEP_STALLED']);
    expect(notes[0]?.[1]).toMatch(/nothing has been heard of it for 10 min on http:\/\/b:1, which still answers.*load a large model/s);
    take(progress(0.2, '3', 0.5));
    expect(codes()).toEqual(['STEP_STALLED', 'STEP_MOVES']);
    vi.advanceTimersByTime(601 * SECOND);
    expect(codes()).toEqual(['STEP_STALLED', 'STEP_MOVES', 'STEP_STALLED']);
    expect(notes[2]?.[1]).toContain('Its progress has stood still');
  });

  it('is not taken for moving because the same is found again and again', () => {
    const { take, codes } = watched();
    take({ type: 'queued', position: 2 }, { type: 'started' }, progress(0.5));
    for (let look = 0; look < 70; look += 1) {
      vi.advanceTimersByTime(10 * SECOND);
      take({ type: 'started' }, progress(0.5), { type: 'contact', status: 'restored' });
    }
    expect(codes()).toEqual(['STEP_STALLED']);
  });

  it('is given five times the longest quiet that this step ever had in this phase, at least a minute', () => {
    const { take, codes } = watched({}, { 'quiet.working': { longest: 20 }, 'quiet.loading': { longest: 2 } });
    take({ type: 'queued' }, { type: 'started' }, progress(0, '1'));
    vi.advanceTimersByTime(59 * SECOND);
    expect(codes()).toEqual([]);
    take(progress(0.1, '3', 0.1));
    vi.advanceTimersByTime(99 * SECOND);
    expect(codes()).toEqual([]);
    vi.advanceTimersByTime(4 * SECOND);
    expect(codes()).toEqual(['STEP_STALLED']);
  });

  it('is judged by the general time while fewer than three attempts have taught it', () => {
    const { take, codes } = watched({}, { 'quiet.loading': { longest: 2, count: 2 } });
    take({ type: 'queued' }, { type: 'started' });
    vi.advanceTimersByTime(599 * SECOND);
    expect(codes()).toEqual([]);
  });

  it('in the queue is given three times as long, and starts anew whenever the queue moves', () => {
    const { take, codes } = watched();
    take({ type: 'queued', position: 4 });
    vi.advanceTimersByTime(1790 * SECOND);
    take({ type: 'queued', position: 3 });
    vi.advanceTimersByTime(1790 * SECOND);
    expect(codes()).toEqual([]);
    vi.advanceTimersByTime(20 * SECOND);
    expect(codes()).toEqual(['STEP_STALLED']);
  });

  it('is never interrupted unless the policy says so, and then with an error that may be tried again', () => {
    const plain = watched();
    const strict = watched({ action: 'interrupt' });
    for (const { take } of [plain, strict]) take({ type: 'queued' }, { type: 'started' }, progress(0, '1'));
    vi.advanceTimersByTime(700 * SECOND);
    expect(plain.interrupted).toEqual([]);
    expect(strict.interrupted).toMatchObject([{ code: 'STEP_STALLED', retryable: true }]);
  });

  it('of which nothing can be heard, as after a restart of the daemon, is given five times its longest run and never interrupted', () => {
    const { take, codes, interrupted } = watched({ action: 'interrupt' }, { item: { longest: 300 }, 'quiet.loading': { longest: 1 } });
    take({ type: 'started' });
    vi.advanceTimersByTime(1490 * SECOND);
    expect(codes()).toEqual([]);
    vi.advanceTimersByTime(20 * SECOND);
    expect(codes()).toEqual(['STEP_STALLED']);
    expect(interrupted).toEqual([]);
  });

  it('is never spoken of with a limit of 0, nor after it was stopped', () => {
    const off = watched({ limitMs: 0 });
    const over = watched();
    for (const { take } of [off, over]) take({ type: 'queued' }, { type: 'started' });
    over.watch.stop();
    vi.advanceTimersByTime(86_400 * SECOND);
    expect([...off.codes(), ...over.codes()]).toEqual([]);
  });
});

describe('a backend whose worker may have died', () => {
  it('is asked once it has been quiet for a while, and then now and then', async () => {
    let asked = 0;
    const { take, codes } = watched({}, {}, () => {
      asked += 1;
      return Promise.resolve(undefined);
    });
    take({ type: 'queued' }, { type: 'started' });
    await vi.advanceTimersByTimeAsync(28 * SECOND);
    expect(asked).toBe(0);
    await vi.advanceTimersByTimeAsync(4 * SECOND);
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(60 * SECOND);
    expect(asked).toBe(3);
    take(progress(0.1));
    await vi.advanceTimersByTimeAsync(20 * SECOND);
    expect(asked).toBe(3);
    expect(codes()).toEqual([]);
  });

  it('is said to be dead by proof, once, and its attempt is not interrupted, which would prove nothing', async () => {
    const { take, notes, interrupted, abandoned, died } = watched({ action: 'interrupt' }, {}, () =>
      Promise.resolve('its own log has the end of that thread'),
    );
    take({ type: 'queued' }, { type: 'started' });
    await vi.advanceTimersByTimeAsync(3600 * SECOND);
    expect(notes).toEqual([['BACKEND_WORKER_DEAD', expect.stringMatching(/has died: its own log.*Restart it/s)]]);
    expect(interrupted).toEqual([]);
    expect(died).toEqual(['b']);
    // Again and again: another backend may come up later.
    expect(abandoned.length).toBeGreaterThan(100);
  });

  it('that cannot be asked is stalled like any other', async () => {
    const { take, codes } = watched({}, {}, () => Promise.reject(new Error('no answer')));
    take({ type: 'queued' }, { type: 'started' });
    await vi.advanceTimersByTimeAsync(602 * SECOND);
    expect(codes()).toEqual(['STEP_STALLED']);
  });
});

describe('a finished attempt', () => {
  it('teaches how long its phases took, how long each was quiet, and what its nodes took', () => {
    const { take, lessons } = watched();
    take({ type: 'queued' });
    vi.advanceTimersByTime(4 * SECOND);
    take({ type: 'started' });
    vi.advanceTimersByTime(10 * SECOND);
    take(progress(0.1, '3', 0.1));
    vi.advanceTimersByTime(3 * SECOND);
    take(progress(0.2, '3', 0.2));
    vi.advanceTimersByTime(1 * SECOND);
    const nodes = [
      { node: '3', className: 'KSampler', seconds: 13 },
      { node: '4', className: 'SaveImage', seconds: 0.01 },
    ];
    take({ type: 'finished', outputs, nodes });
    expect(Object.fromEntries((lessons[0] ?? []).map(({ part, seconds }) => [part, seconds]))).toEqual({
      item: 14,
      queued: 4,
      loading: 10,
      working: 4,
      'quiet.queued': 4,
      'quiet.loading': 10,
      'quiet.working': 3,
      'node.3': 13,
      'class.KSampler': 13,
    });
  });

  it('teaches nothing when contact was lost on the way, or its start was not seen', () => {
    const broken = watched();
    broken.take({ type: 'queued' }, { type: 'contact', status: 'unresponsive' }, { type: 'started' }, { type: 'finished', outputs });
    const adopted = watched();
    adopted.take({ type: 'started' }, { type: 'finished', outputs });
    expect([...broken.lessons, ...adopted.lessons].flat()).toEqual([]);
  });
});

describe('the weight of a node', () => {
  it('is what it took in this step, else little; in a step without history what its class took elsewhere', () => {
    const known = watched({}, { item: {}, 'node.3': { mean: 13 } });
    expect(known.watch.weightOf?.('3', 'KSampler')).toBe(13);
    expect(known.watch.weightOf?.('4', 'SaveImage')).toBe(0.05);
    const fresh = watched({}, { 'class.KSampler': { mean: 7 } });
    expect(fresh.watch.weightOf?.('3', 'KSampler')).toBe(7);
    expect(fresh.watch.weightOf?.('4', 'SaveImage')).toBeUndefined();
  });
});
