/**
 * Records test/fixtures/runs-<version>: the data directory of a real engine that stopped with runs in every state, as this release writes it.
 * Made once per release and then kept: later releases must resume a copy of it. `node scripts/record-runs.ts [--out DIR]`
 */
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEngine } from '../test/daemon/supervisor-harness.ts';

const ROOT = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
const { values } = parseArgs({ options: { out: { type: 'string', default: join(ROOT, 'test', 'fixtures', `runs-${version}`) } } });

const request = { template: 'three-steps', parameters: {} };
const engine = await startEngine({ graceMs: 60_000, backends: ['comfyui', 'farm', 'far'] });
const { supervisor, fake } = engine;
const farm = engine.fakeOf('farm');
const far = engine.fakeOf('far');

/** Waits until the first step of a run says `status`. */
async function reaches(runId: string, status: string): Promise<void> {
  const isThere = () => supervisor.get(runId).steps.some((step) => step.status === status);
  if (isThere()) return;
  await new Promise<void>((resolve) => {
    const stop = supervisor.onEvents(() => {
      if (!isThere()) return;
      stop();
      resolve();
    });
  });
}

const succeeded = await supervisor.start({ ...request, requestKey: 'the first' });
await engine.ended(succeeded.runId);
fake.engine.plan = () => ({ error: { node: '1', type: 'RuntimeError', message: 'no colours left' } });
await engine.ended((await supervisor.start(request)).runId);
fake.engine.plan = () => ({ holdAt: '1' });
const cancelled = await supervisor.start(request);
await fake.engine.held();
await supervisor.cancel(cancelled.runId);
await engine.ended(cancelled.runId);

const running = await supervisor.start(request);
await reaches(running.runId, 'running');
const queued = await supervisor.start(request);
await reaches(queued.runId, 'queued');
const cancelling = await supervisor.start(request);
await reaches(cancelling.runId, 'queued');
fake.misbehave({ method: 'POST', path: /./, mode: { kind: 'hang' } });
await supervisor.cancel(cancelling.runId);

for (const other of [farm, far]) other.engine.plan = () => (other.engine.ledger.length === 0 ? { holdAt: '1' } : {});
const unknown = await supervisor.start({ ...request, backend: 'far' });
await far.engine.held();
await far.stop();
await reaches(unknown.runId, 'unknown');
const backingOff = await supervisor.start({ ...request, backend: 'farm' });
await farm.engine.held();
await farm.stop();
farm.engine.wipe();
await reaches(backingOff.runId, 'unknown');
await farm.start();
await reaches(backingOff.runId, 'backing-off');

await supervisor.close();
engine.store.close();
rmSync(values.out, { recursive: true, force: true });
mkdirSync(values.out, { recursive: true });
cpSync(engine.dir, values.out, { recursive: true });
console.log(`${values.out}: recorded`);
process.exit(0);
