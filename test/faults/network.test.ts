// Faults of the connection between the daemon and its backend. Numbers are those of the list in docs/reliability.md.
import { describe, expect, it } from 'vitest';
import type { Timeouts } from '#backends/comfyui/settings.ts';
import type { ProxyFaults } from '../fakes/fault-proxy.ts';
import { type Rig, startRig } from './rig.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const executed = ({ sandbox }: Rig) => sandbox.ledger().length;
const statuses = async (rig: Rig) => (await rig.settled()).map(({ status }) => status);

/** The backend takes a prompt, says nothing until that has shown, and then goes on. */
async function fallSilent(timeouts: Partial<Timeouts>): Promise<{ readonly ends: readonly string[]; readonly executions: number }> {
  const rig = await startRig({ sandbox: { faults: { slowStarts: 1, slowStartMs: 400 } }, timeouts });
  const runId = await rig.start();
  await expect.poll(() => executed(rig)).toBe(1);
  rig.proxy.faults.blackhole = true;
  await expect.poll(() => rig.engine.supervisor.get(runId).steps[0]?.status).toBe('unresponsive');
  rig.proxy.faults.blackhole = false;
  return { ends: await statuses(rig), executions: executed(rig) };
}

describe('[F10] a backend that dies before it has accepted a prompt', () => {
  it.each<[string, ProxyFaults]>([
    ['the connection is reset at once', { resetOnConnect: 3 }],
    ['the connection is reset after the head of the request', { resetOnRequest: 3 }],
    ['half of the prompt arrives', { halvePrompts: 2 }],
  ])('is asked again, and each step runs once (%s)', async (_, faults) => {
    const rig = await startRig();
    Object.assign(rig.proxy.faults, faults);
    await rig.start();
    expect(await statuses(rig)).toEqual(['succeeded']);
    expect(executed(rig)).toBe(3);
  });
});

describe('[F11] an answer to a prompt that is lost after the backend has taken it', () => {
  it.each([1, 3])('is found by its own id and never sent again (%i times)', async (times) => {
    const rig = await startRig();
    rig.proxy.faults.losePromptReplies = times;
    await rig.start();
    expect(await statuses(rig)).toEqual(['succeeded']);
    expect(executed(rig)).toBe(3);
  });

  it('is waited for when the backend falls silent, however long', async () => {
    expect(await fallSilent({ getMs: 100, slowMs: 50, promptMs: 100 })).toEqual({ ends: ['succeeded'], executions: 3 });
  });
});

describe('[F13] a WebSocket that is cut', () => {
  const frames = isFull ? Array.from({ length: 40 }, (_, index) => index + 1) : [1, 2, 3, 5, 8, 13, 21];
  it.each(frames)('at frame %i costs nothing: the end comes from HTTP', async (frame) => {
    const rig = await startRig();
    rig.proxy.faults.cutAtFrame = frame;
    await rig.start();
    expect(await statuses(rig)).toEqual(['succeeded']);
    expect(executed(rig)).toBe(3);
  });

  it('again and again costs nothing either', async () => {
    const rig = await startRig({ sandbox: { latencyMs: 5 } });
    await rig.start();
    for (let cut = 0; cut < 10; cut += 1) {
      await expect.poll(() => rig.proxy.connections()).toBeGreaterThan(0);
      rig.proxy.cutAll();
    }
    expect(await statuses(rig)).toEqual(['succeeded']);
    expect(executed(rig)).toBe(3);
  });
});

describe('[F15] a peer that is there and says nothing', () => {
  it('is unresponsive and not lost, and the run goes on when it speaks again', async () => {
    expect(await fallSilent({ silenceMs: 100, probeMs: 100, pingMs: 50, getMs: 200, slowMs: 100 })).toEqual({
      ends: ['succeeded'],
      executions: 3,
    });
  });
});

describe('a slow and narrow line', () => {
  it('in small pieces, late and slowly, changes nothing', async () => {
    const rig = await startRig();
    Object.assign(rig.proxy.faults, { sliceBytes: 50, jitterMs: 2, slowCloseMs: 20 });
    await rig.start();
    expect(await statuses(rig)).toEqual(['succeeded']);
    expect(executed(rig)).toBe(3);
  });
});

describe('[F19] a file that does not arrive whole', () => {
  it.each([0, 60])('is fetched again and never registered in part (cut after %i bytes)', async (bytes) => {
    const rig = await startRig();
    const runId = await rig.start();
    await expect.poll(() => rig.engine.store.attempts(runId)[0]?.acknowledged).toBe(true);
    Object.assign(rig.proxy.faults, { truncations: 4, truncateAfterBytes: bytes });
    expect(await statuses(rig)).toEqual(['succeeded']);
    expect(executed(rig)).toBe(3);
  });
});

describe('[F12] a backend that restarts and forgets', () => {
  it('at any moment of a run costs a new attempt at most, and nothing runs twice for one', async () => {
    const rig = await startRig({ sandbox: { latencyMs: 5 } });
    for (let restart = 0; restart < 4; restart += 1) {
      await rig.start();
      await expect.poll(() => executed(rig)).toBeGreaterThan(restart * 2);
      await rig.sandbox.restart({ downMs: 20 });
      // Its clients see a dead process, as they would without a proxy.
      await rig.proxy.refuse();
      // Several times the pause between two tries to connect: a restart that nobody could see proves nothing, and its prompts count as removed.
      await new Promise((resolve) => setTimeout(resolve, 400));
      await rig.proxy.listen();
    }
    expect(await statuses(rig)).toEqual(Array.from({ length: 4 }, () => 'succeeded'));
  });
});
