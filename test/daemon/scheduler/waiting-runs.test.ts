/** Runs that wait to begin: what begins before its turn keeps nobody from beginning in his. */
import { describe, expect, it } from 'vitest';
import { createWaitingRuns, READY_AHEAD, type Ready, type WaitingRun } from '#daemon/scheduler/waiting-runs.ts';

/** One backend that takes one item at a time, and has one. */
function waitingRuns() {
  const asking = new Map<string, Ready>();
  const begun: string[] = [];
  const byId = new Map<string, WaitingRun>();
  const waiting = createWaitingRuns({
    takers: () => ['gpu'],
    isUp: () => true,
    room: () => 0,
    share: () => undefined,
    asking: () => asking.values(),
    wake: (runId) => void begun.push(runId),
  });
  let order = 0;
  const add = (runId: string) => {
    const run = { runId, client: 'me', priority: 0, order: (order += 1), backend: null, templateHash: 'one', models: [] };
    byId.set(runId, run);
    waiting.add(run);
  };
  const begins = (work: () => void) => {
    begun.length = 0;
    work();
    for (const id of begun) {
      const run = byId.get(id);
      if (run !== undefined) asking.set(id, { ...run, takers: ['gpu'], isEarly: id.startsWith('b') });
      waiting.settled(id);
    }
    return [...begun];
  };
  return { waiting, add, begins, end: (runId: string) => asking.delete(runId) };
}

const names = (letter: string, count: number) => Array.from({ length: count }, (_, at) => `${letter}${String(at)}`);

describe('runs that wait to begin', () => {
  it('begin in the order in which they came, a few more than there is room for', () => {
    const { waiting, add, begins, end } = waitingRuns();
    for (const id of names('a', 10)) add(id);
    expect(begins(() => waiting.look())).toEqual(names('a', READY_AHEAD));
    end('a0');
    expect(begins(() => waiting.look())).toEqual([`a${String(READY_AHEAD)}`]);
  });

  it('are not held up by any number of those that begin before their turn and then want a place all the same', () => {
    const { waiting, add, begins, end } = waitingRuns();
    for (const id of [...names('a', 10), ...names('b', 50)]) add(id);
    begins(() => waiting.look());
    expect(begins(() => names('b', 50).forEach((id) => waiting.begin(id)))).toEqual(names('b', 50));
    for (const [at, id] of names('a', 10 - READY_AHEAD).entries()) {
      end(id);
      expect(begins(() => waiting.look())).toEqual([`a${String(READY_AHEAD + at)}`]);
    }
  });
});
