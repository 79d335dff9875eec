// A daemon that is killed with its queue paused before or after: nothing new goes to a backend, and what is there is followed.
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '#store/store.ts';
import { openWorld, type World, type WorldOptions } from '../faults/world.ts';

async function world(options: WorldOptions): Promise<World> {
  const made = await openWorld({ quiet: true, ...options });
  onTestFinished(() => made.close());
  return made;
}

const viewOf = async (here: World, runId: string) => (await here.call('run/get', { runId })).run;

/** Killed between the commit of the attempt and its sending; resolves with the run once the next daemon is there. */
async function killedBeforeSending(here: World, meanwhile: () => Promise<void> | void): Promise<string> {
  const starting = here.start('three-steps', { colour: 1 });
  await here.died();
  await here.killDaemon(meanwhile);
  return starting;
}

/** The daemon has looked for the attempt, and says what it waits for. */
async function waits(here: World, runId: string): Promise<void> {
  await expect
    .poll(async () => (await viewOf(here, runId)).steps.map(({ reason, attempts }) => [reason, attempts.length]), { timeout: 15_000 })
    .toEqual([
      ['The queue is paused. Go on with: callsheet queue resume', 1],
      [undefined, 0],
      [undefined, 0],
    ]);
  expect(here.sandbox.ledger()).toEqual([]);
}

/** What became of the run once the queue goes on. */
async function goneOn(here: World, runId: string) {
  await here.call('queue/resume');
  const end = await here.ended(runId);
  const attempts = (await viewOf(here, runId)).steps.map((step) => step.attempts.length);
  return { end, attempts, executed: here.sandbox.ledger().length, broken: await here.broken() };
}

const ONCE = { end: 'succeeded', attempts: [1, 1, 1], executed: 3, broken: [] };

describe('an attempt that was written down and had not left when the daemon was killed', () => {
  it('stays here when the queue is found paused', async () => {
    const here = await world({ dieBefore: 'submit.before' });
    const runId = await killedBeforeSending(here, () => {
      const store = openStore({ dir: here.data });
      store.putSetting('queue.paused', 'true');
      store.close();
    });
    await waits(here, runId);
    expect(await goneOn(here, runId)).toEqual(ONCE);
  });

  it('stays here when the queue is paused before the next daemon has found its backend', async () => {
    const here = await world({ dieBefore: 'submit.before' });
    const runId = await killedBeforeSending(here, () => here.proxy.refuse());
    await here.call('queue/pause');
    await here.proxy.listen();
    await waits(here, runId);
    expect(await goneOn(here, runId)).toEqual(ONCE);
  });

  it('can be cancelled while it waits', async () => {
    const here = await world({ dieBefore: 'submit.before' });
    const runId = await killedBeforeSending(here, () => here.proxy.refuse());
    await here.call('queue/pause');
    await here.proxy.listen();
    await waits(here, runId);
    await here.call('run/cancel', { runId });
    expect(await here.ended(runId)).toBe('cancelled');
    await here.call('queue/resume');
    expect(await here.ended(await here.start('three-steps', { colour: 2 }))).toBe('succeeded');
    expect(here.sandbox.ledger()).toHaveLength(3);
    expect(await here.broken()).toEqual([]);
  });
});

describe('an attempt that was sent when the daemon was killed', () => {
  it('is followed to its end although the queue is paused, and what comes after it waits', async () => {
    const here = await world({ latencyMs: 60 });
    const runId = await here.start('three-steps', { colour: 1 });
    await expect.poll(() => here.sandbox.ledger().length).toBe(1);
    await here.call('queue/pause');
    await here.killDaemon();
    await expect
      .poll(async () => (await viewOf(here, runId)).steps.map(({ status }) => status), { timeout: 15_000 })
      .toEqual(['done', 'waiting', 'pending']);
    expect(here.sandbox.ledger()).toHaveLength(1);
    expect(await goneOn(here, runId)).toEqual(ONCE);
  });
});
