/** An engine and the sandbox with a fault proxy between them; the sandbox's ledger is the judge. Everything ends with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Sandbox, SandboxOptions } from '#backends/sandbox/options.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import type { RunView } from '#protocol/views.ts';
import { type Engine, type EngineOptions, startEngine } from '../daemon/supervisor-harness.ts';
import { type FaultProxy, startFaultProxy } from '../fakes/fault-proxy.ts';
import { recordsWritten } from './engine-promises.ts';
import { brokenPromises } from './promises.ts';

export interface Rig {
  readonly engine: Engine;
  readonly sandbox: Sandbox;
  readonly proxy: FaultProxy;
  /** Starts a run of `three-steps` with a colour of its own, so that no cache serves it. */
  start(): Promise<string>;
  /** Resolves with all runs once they have ended, and fails when a promise is broken. */
  settled(): Promise<readonly RunView[]>;
}

export async function startRig(options: EngineOptions & { readonly sandbox?: Partial<SandboxOptions> } = {}): Promise<Rig> {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-faults-'));
  const sandbox = await startSandbox({ dir, latencyMs: 0, ...options.sandbox });
  const proxy = await startFaultProxy(sandbox.url);
  const headers = { Host: new URL(sandbox.url).host };
  const engine = await startEngine({ ...options, servers: { comfyui: { url: proxy.url, headers } } });
  const started: string[] = [];
  onTestFinished(async () => {
    await engine.close();
    await proxy.close();
    await sandbox.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return {
    engine,
    sandbox,
    proxy,
    async start() {
      const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: { colour: 1 + started.length } });
      started.push(runId);
      return runId;
    },
    async settled() {
      const views = await Promise.all(started.map((runId) => engine.ended(runId)));
      await recordsWritten(engine.store);
      const evidence = { store: engine.store, outputDir: join(engine.dir, 'output'), executions: sandbox.ledger(), acknowledged: started };
      expect(await brokenPromises({ ...evidence, seen: engine.events })).toEqual([]);
      return views;
    },
  };
}
