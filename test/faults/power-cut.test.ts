// Everything dies at once and comes back: the daemon, and the backend, which has forgotten queue and history. Nobody saw the backend go.
// And what is left when the history alone is gone.
import { expect, it, onTestFinished } from 'vitest';
import { openWorld } from './world.ts';

it('[F12] a power cut in the middle of a run costs a new attempt, and the run goes on to its end', { timeout: 120_000 }, async () => {
  const world = await openWorld({ latencyMs: 2, timeouts: { absentGapMs: 200, pollMs: 500 } });
  onTestFinished(() => world.close());
  Object.assign(world.sandbox.faults, { slowStarts: 1, slowStartMs: 60_000 });
  const runId = await world.start('three-steps', { colour: 1 });
  const statusOf = async () => (await world.call('run/get', { runId })).run.steps[0]?.status;
  await expect.poll(statusOf, { timeout: 30_000 }).toBe('running');
  await world.killDaemon(() => world.sandbox.restart());
  expect(await world.ended(runId)).toBe('succeeded');
  const { run } = await world.call('run/get', { runId });
  expect(run.steps[0]?.attempts.map(({ attempt, status }) => [attempt, status])).toEqual([
    [1, 'lost'],
    [2, 'finished'],
  ]);
  expect(await world.broken()).toEqual([]);
});

it('[F12] what somebody took off the queue meanwhile is not made again', { timeout: 120_000 }, async () => {
  const world = await openWorld({ latencyMs: 2, timeouts: { absentGapMs: 200, pollMs: 500 } });
  onTestFinished(() => world.close());
  // Behind another, so that it can be taken off the queue.
  Object.assign(world.sandbox.faults, { slowStarts: 1, slowStartMs: 60_000 });
  await world.start('three-steps', { colour: 1 });
  const runId = await world.start('three-steps', { colour: 2 });
  const statusOf = async () => (await world.call('run/get', { runId })).run.steps[0]?.status;
  await expect.poll(statusOf, { timeout: 30_000 }).toBe('queued');
  await world.killDaemon(() => world.clear('queue'));
  expect(await world.ended(runId)).toBe('failed');
  expect((await world.call('run/get', { runId })).run.error).toMatchObject({ code: 'PROMPT_REMOVED' });
});

it(
  '[F12] what failed and was cleared from the history, its prompt never answered, is sent again under its id',
  { timeout: 120_000 },
  async () => {
    const world = await openWorld({ latencyMs: 200, timeouts: { absentGapMs: 200, pollMs: 500 } });
    onTestFinished(() => world.close());
    world.sandbox.faults.outOfMemory = 1;
    // So late that nothing which the backend says of the prompt arrives.
    world.proxy.faults.latencyMs = 1000;
    const runId = await world.start('three-steps', { colour: 1 });
    await expect.poll(() => world.sandbox.ledger().length, { timeout: 30_000 }).toBe(1);
    await world.proxy.refuse();
    world.proxy.faults.latencyMs = 0;
    await world.killDaemon(async () => {
      await expect.poll(() => world.sandbox.ledger()[0]?.outcome, { timeout: 30_000 }).toBe('error');
      await world.clear('history');
      await world.proxy.listen();
    });
    expect(await world.ended(runId)).toBe('succeeded');
    const [first, second] = world.sandbox.ledger();
    expect(first).toMatchObject({ outcome: 'error' });
    expect(second).toMatchObject({ outcome: 'success', prompt_id: first?.prompt_id });
    expect(await world.broken()).toEqual([]);
  },
);
