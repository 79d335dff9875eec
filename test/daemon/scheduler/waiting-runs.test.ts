/** Runs that wait to begin: which are woken, and when; what begins before its turn keeps nobody from beginning in his. */
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

function open(room: number) {
  const woken: string[] = [];
  const state = { room, up: true };
  const waiting = createWaitingRuns({
    takers: ({ backend }) => [backend ?? 'a'],
    isUp: () => state.up,
    room: () => state.room,
    share: () => undefined,
    asking: () => [],
    wake: (runId) => void woken.push(runId),
  });
  let order = 0;
  const add = (runId: string, change: Partial<WaitingRun> = {}) => {
    order += 1;
    waiting.add({ runId, client: '', priority: 0, order, backend: null, templateHash: 't', models: [], ...change });
    waiting.look(runId);
  };
  return { waiting, woken, state, add };
}

describe('runs that wait', () => {
  it('are woken up to the room there is and a few more, the rest as those ask for places', () => {
    const { waiting, woken, add } = open(1);
    const runs = Array.from({ length: 9 }, (_, index) => `run ${String(index)}`);
    for (const name of runs) add(name);
    expect(woken).toEqual(runs.slice(0, 1 + READY_AHEAD));
    waiting.settled('run 0');
    waiting.settled('run 1');
    waiting.look();
    expect(woken).toEqual(runs.slice(0, 3 + READY_AHEAD));
  });

  it('let one of a higher priority pass that has just come, whatever waits before it', () => {
    const { woken, add, state } = open(0);
    for (let index = 0; index < READY_AHEAD + 3; index += 1) add(`low ${String(index)}`);
    expect(woken).toHaveLength(READY_AHEAD);
    add('high', { priority: 5 });
    expect(woken.at(-1)).toBe('high');
    state.room = 1;
    add('for another backend', { backend: 'b' });
    expect(woken.at(-1)).toBe('for another backend');
  });

  it('begin with nothing up only as the one that has just come and finds nobody before it', () => {
    const { waiting, woken, state, add } = open(2);
    for (let index = 0; index < 2 + READY_AHEAD; index += 1) add(`ready ${String(index)}`);
    add('waits');
    state.up = false;
    for (let index = 0; index < 2 + READY_AHEAD; index += 1) waiting.settled(`ready ${String(index)}`);
    add('behind it');
    waiting.look();
    expect(woken).toHaveLength(2 + READY_AHEAD);
    add('alone', { backend: 'a' });
    expect(woken.at(-1)).toBe('alone');
    state.up = true;
    waiting.look();
    expect(woken.slice(-2)).toEqual(['waits', 'behind it']);
  });
});
