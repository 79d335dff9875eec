// Faults of the backend's process and of its version, with every promise checked after each. Numbers are those of the list in docs/reliability.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LedgerEntry } from '#backends/sandbox/options.ts';
import { startProcess } from '../crash/processes.ts';
import { startEngine } from '../daemon/supervisor-harness.ts';
import { brokenIn } from './engine-promises.ts';
import { startRig } from './rig.ts';

const IMPATIENT = { silenceMs: 100, probeMs: 100, pingMs: 50, getMs: 200, slowMs: 100 };

describe('[F9] a machine that sleeps', () => {
  it('stops the backend for some seconds in the middle of a prompt: it is unresponsive, not lost, and nothing runs twice', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'callsheet-asleep-'));
    const backend = await startProcess('./sandbox-child.ts', { CALLSHEET_SANDBOX_DIR: dir, CALLSHEET_SANDBOX_LATENCY: '200' });
    if (backend === undefined) throw new Error('the sandbox did not start');
    const url = String(backend.ready['url']);
    const ledger = async () => ((await (await fetch(`${url}/sandbox/ledger`)).json()) as { readonly executions: LedgerEntry[] }).executions;
    const engine = await startEngine({ servers: { comfyui: { url } }, timeouts: IMPATIENT });
    onTestFinished(async () => {
      await engine.close();
      await backend.stop('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    });
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {} });
    const status = () => engine.supervisor.get(runId).steps[0]?.status;
    await expect.poll(status).toBe('running');
    backend.child.kill('SIGSTOP');
    await expect.poll(status, { timeout: 10_000 }).toBe('unresponsive');
    await pause(1000);
    expect(engine.supervisor.get(runId).status).toBe('running');
    backend.child.kill('SIGCONT');
    expect((await engine.ended(runId)).status).toBe('succeeded');
    const executions = await ledger();
    expect(executions).toHaveLength(3);
    expect(await brokenIn(engine, executions)).toEqual([]);
  });
});

describe('[F30] a backend of another version', () => {
  it.each([
    ['an old one', true, true],
    ['one that is brought up to date', true, false],
    ['one that is taken back', false, true],
  ])('is probed with each connection, and its runs succeed: %s', async (_, before, after) => {
    const rig = await startRig({ sandbox: { latencyMs: 5, faults: { oldServer: before } } });
    await rig.start();
    await expect.poll(() => rig.sandbox.ledger().length).toBeGreaterThan(0);
    if (before !== after) {
      await rig.proxy.refuse();
      rig.sandbox.faults.oldServer = after;
      await rig.sandbox.restart({ downMs: 100 });
      await rig.proxy.listen();
    }
    await rig.start();
    expect((await rig.settled()).map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  });

  it('that sends events nobody knows, and more in those that are known, is understood as far as it can be', async () => {
    const engine = await startEngine();
    onTestFinished(() => engine.close());
    engine.fake.transform = (message) => [
      { type: 'execution_forecast', data: { prompt_id: 'x', seconds: null } },
      { ...message, data: { ...message.data, added_in_2031: [1, { deep: true }] } },
      { type: 'feature_notice', data: {} },
    ];
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {} });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(await brokenIn(engine)).toEqual([]);
  });
});

describe('[F24] a long queue', () => {
  it('is held in its order, also by a daemon that was started again, and begun only as far as there is room', async () => {
    const engine = await startEngine();
    onTestFinished(() => engine.close());
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const runIds: string[] = [];
    for (let colour = 0; colour < 100; colour += 1) {
      runIds.push((await engine.supervisor.start({ template: 'many', parameters: { colours: [colour] } })).runId);
    }
    await engine.fake.engine.held();
    await engine.restart();
    expect(engine.supervisor.counts()).toMatchObject({ open: 100 });
    expect(engine.supervisor.counts().active).toBeLessThan(20);
    engine.fake.engine.plan = () => ({});
    engine.fake.engine.release();
    const views = await Promise.all(runIds.map((runId) => engine.ended(runId)));
    expect(new Set(views.map(({ status }) => status))).toEqual(new Set(['succeeded']));
    const executed = engine.fake.engine.ledger.map(({ prompt }) => Number(prompt['1']?.inputs['color']));
    expect(executed).toEqual(Array.from(executed, (_, index) => index));
    expect(executed).toHaveLength(100);
    expect(await brokenIn(engine)).toEqual([]);
  }, 60_000);
});
