/** An engine with a result cache over sandboxes, whose ledgers count what was really executed. Everything ends with the test, promises held. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Sandbox, SandboxOptions } from '#backends/sandbox/options.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import type { StartRequest } from '#daemon/run-service.ts';
import type { ArtifactView, RunView } from '#protocol/views.ts';
import { recordsWritten } from '../../faults/engine-promises.ts';
import { brokenPromises } from '../../faults/promises.ts';
import { type Engine, type EngineOptions, startEngine } from '../supervisor-harness.ts';

const THREE_STEPS = join(import.meta.dirname, '../../fixtures/templates/three-steps');

export interface CacheRig {
  readonly engine: Engine;
  readonly sandbox: Sandbox;
  /** Of all sandboxes. */
  readonly sandboxes: readonly Sandbox[];
  /** Prompts that were executed so far, by all sandboxes. */
  executed(): number;
  start(request?: Partial<StartRequest>): Promise<string>;
  /** Starts and waits for the end. */
  run(request?: Partial<StartRequest>): Promise<RunView>;
  /** Where the kept files lie. */
  readonly cacheDir: string;
}

export interface RigOptions extends Omit<EngineOptions, 'servers' | 'templates'> {
  readonly count?: number;
  readonly sandbox?: Partial<SandboxOptions>;
  /** Templates of one step, by id: their graph, what else stands in the step and in the manifest. */
  readonly templates?: Readonly<Record<string, TemplateOfOneStep>>;
  /** Templates of several, by id. */
  readonly chains?: Readonly<Record<string, TemplateOfSteps>>;
}

export interface TemplateOfSteps {
  readonly steps: readonly { readonly id: string; readonly graph: object; readonly step?: object }[];
  readonly manifest?: object;
}

export interface TemplateOfOneStep {
  readonly graph: object;
  readonly step?: object;
  readonly manifest?: object;
}

export async function startCacheRig({ count = 1, sandbox, templates = {}, chains = {}, ...options }: RigOptions = {}): Promise<CacheRig> {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-cache-rig-'));
  const sandboxes: Sandbox[] = [];
  for (let n = 0; n < count; n += 1)
    sandboxes.push(await startSandbox({ dir: join(dir, `sandbox-${String(n)}`), latencyMs: 0, ...sandbox }));
  for (const [id, { graph, step = {}, manifest = {} }] of Object.entries(templates))
    writeTemplate(join(dir, 'templates', id), id, { steps: [{ id: 'only', graph, step }], manifest });
  for (const [id, template] of Object.entries(chains)) writeTemplate(join(dir, 'templates', id), id, template);
  copyOneByOne(join(dir, 'templates', 'one-by-one-steps'));
  const servers = Object.fromEntries(sandboxes.map(({ url }, n) => [n === 0 ? 'comfyui' : `comfyui-${String(n + 1)}`, { url }]));
  const engine = await startEngine({ cacheBytes: 1024 ** 3, ...options, servers, templates: join(dir, 'templates') });
  const started: string[] = [];
  const rig: CacheRig = {
    engine,
    get sandbox() {
      const [first] = sandboxes;
      if (first === undefined) throw new Error('no sandbox');
      return first;
    },
    sandboxes,
    executed: () => sandboxes.flatMap((one) => one.ledger()).length,
    async start(request) {
      const { runId } = await engine.supervisor.start({ template: 'one-by-one-steps', parameters: {}, ...request });
      started.push(runId);
      return runId;
    },
    run: async (request) => engine.ended(await rig.start(request)),
    cacheDir: join(engine.dir, 'cache'),
  };
  onTestFinished(async () => {
    await Promise.all(started.map((runId) => engine.ended(runId)));
    await recordsWritten(engine.store);
    const executions = sandboxes.flatMap((one) => one.ledger());
    const evidence = { store: engine.store, outputDir: join(engine.dir, 'output'), executions, acknowledged: started, seen: engine.events };
    const broken = await brokenPromises(evidence);
    await engine.close();
    for (const one of sandboxes) await one.close();
    rmSync(dir, { recursive: true, force: true });
    expect(broken).toEqual([]);
  });
  return rig;
}

export function bytesOf(artifacts: readonly ArtifactView[]): readonly string[] {
  return artifacts.map(({ path }) => readFileSync(path).toString('base64'));
}

/** What the cache had, by step, as `hit` or the reason. */
export function cacheOf(run: RunView): Readonly<Record<string, string>> {
  return Object.fromEntries(
    run.steps.map(({ id, cache = [] }) => [
      id,
      cache.map(({ result, reason }) => (result === 'hit' ? 'hit' : `${result}: ${reason}`)).join(' | '),
    ]),
  );
}

/** `three-steps` of the fixtures, each step with a prompt of its own. */
function copyOneByOne(folder: string): void {
  cpSync(THREE_STEPS, folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(folder, 'template.json'), 'utf8')) as { readonly steps: readonly object[] };
  const steps = manifest.steps.map((step) => ({ ...step, fuse: false }));
  writeFileSync(join(folder, 'template.json'), JSON.stringify({ ...manifest, id: 'one-by-one-steps', steps }));
}

function writeTemplate(folder: string, id: string, { steps, manifest = {} }: TemplateOfSteps): void {
  mkdirSync(folder, { recursive: true });
  const defined = steps.map(({ id: step, step: rest }) => ({ id: step, workflow: `${step}.json`, ...rest }));
  writeFileSync(join(folder, 'template.json'), JSON.stringify({ format: 1, id, version: '1.0.0', ...manifest, steps: defined }));
  for (const { id: step, graph } of steps) writeFileSync(join(folder, `${step}.json`), JSON.stringify(graph));
}
