// Which of the runs that have not begun are woken, and when.
import { describe, expect, it } from 'vitest';
import { createWaitingRuns, READY_AHEAD, type WaitingRun } from '#daemon/scheduler/waiting-runs.ts';

function open(room: number) {
  const woken: string[] = [];
  const state = { room, up: true };
  const waiting = createWaitingRuns({
    takers: ({ backend }) => [backend ?? 'a'],
    isUp: () => state.up,
    room: () => state.room,
    asking: () => [],
    wake: (runId) => void woken.push(runId),
  });
  let order = 0;
  const add = (runId: string, change: Partial<WaitingRun> = {}) => {
    order += 1;
    waiting.add({ runId, client: '', priority: 0, order, backend: null, templateHash: 't', ...change });
    waiting.look(runId);
  };
  return { waiting, woken, state, add };
}

describe('runs that wait', () => {
  it('are woken up to the room there is and a few more, the rest as those ask for places', () => {
    const { waiting, woken, add } = open(1);
    const names = Array.from({ length: 9 }, (_, index) => `run ${String(index)}`);
    for (const name of names) add(name);
    expect(woken).toEqual(names.slice(0, 1 + READY_AHEAD));
    waiting.settled('run 0');
    waiting.settled('run 1');
    waiting.look();
    expect(woken).toEqual(names.slice(0, 3 + READY_AHEAD));
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
