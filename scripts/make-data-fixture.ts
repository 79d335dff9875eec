/**
 * Makes test/fixtures/data-<version>: a data directory as this release writes it, with runs in several states.
 * `scripts/make-data-fixture.ts [--from DATA_DIR] [--out DIR]`: with --from, the snapshots come from the runs of a real data directory.
 * Made once per release and then kept: later releases must open a copy of it.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunStatus } from '#protocol/views.ts';
import { lockDataDirectory } from '#store/lock.ts';
import { openStore } from '#store/store.ts';
import type { Batch, RunRow, RunState, Store } from '#store/types.ts';

const ROOT = join(import.meta.dirname, '..');
const { version }: { readonly version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const START = Date.UTC(2026, 10, 23, 9);
const HASH = '5f'.repeat(32);

const STATES: readonly { readonly status: RunStatus; readonly value: string; readonly progress: number }[] = [
  { status: 'queued', value: 'loading', progress: 0 },
  { status: 'running', value: 'executing', progress: 0.4 },
  { status: 'waiting', value: 'waiting', progress: 0.5 },
  { status: 'cancelling', value: 'cancelling', progress: 0.5 },
  { status: 'succeeded', value: 'succeeded', progress: 1 },
  { status: 'failed', value: 'failed', progress: 0.6 },
  { status: 'cancelled', value: 'cancelled', progress: 0.3 },
  { status: 'lost', value: 'lost', progress: 0.2 },
];

const { values } = parseArgs({
  options: { from: { type: 'string' }, out: { type: 'string', default: join(ROOT, 'test', 'fixtures', `data-${version}`) } },
});

const real = values.from === undefined ? new Map<RunStatus, RunRow>() : realRuns(values.from);
rmSync(values.out, { recursive: true, force: true });
mkdirSync(values.out, { recursive: true });
const store = openStore({ dir: values.out });
for (const [index, { status }] of STATES.entries()) writeRun(store, status, index);
store.putAsset({
  assetId: 'asset-1',
  path: '/films/uploads/reference.png',
  name: 'reference.png',
  mediaType: 'image/png',
  bytes: 2048,
  sha256: '1a'.repeat(32),
  createdAt: START,
});
store.close();
const names = [...real.keys()].join(', ');
process.stdout.write(`${values.out}: ${STATES.length} runs${names === '' ? '' : `, snapshots taken over for ${names}`}\n`);

/** One real run for each status that the directory knows. */
function realRuns(directory: string): Map<RunStatus, RunRow> {
  const lock = lockDataDirectory(directory);
  const source = openStore({ dir: directory });
  const found = new Map<RunStatus, RunRow>();
  for (const run of source.runs({ limit: 1000 })) if (!found.has(run.status)) found.set(run.status, run);
  source.close();
  lock.release();
  return found;
}

function writeRun(target: Store, status: RunStatus, index: number): void {
  const runId = `019ab000-0000-7000-8000-00000000000${index}`;
  const at = START + index * 60_000;
  const batch: Batch = {
    templates: [{ hash: HASH, content: JSON.stringify({ hash: HASH, manifest: '{"format":1,"id":"fixture"}', workflows: {} }) }],
    newRuns: [
      {
        runId,
        template: 'fixture',
        version: '1.0.0',
        templateHash: HASH,
        backend: index === 0 ? null : 'sandbox',
        parameters: '{"prompt":"a lighthouse at dusk","seed":"18446744073709551615"}',
        createdAt: at,
      },
    ],
    requestKeys: [{ key: `key-${index}`, method: 'run/start', paramsHash: '2b'.repeat(32), runId, answer: JSON.stringify({ runId }) }],
    events: [{ runId, at, body: { type: 'run.created', template: 'fixture', version: '1.0.0' } }],
  };
  target.commit(batch);
  if (status !== 'queued') target.commit(workOf(runId, at));
  target.commit({
    states: [stateOf(runId, status, at)],
    events: [{ runId, at: at + 900, body: { type: 'run.status', status } }],
  });
}

function workOf(runId: string, at: number): Batch {
  const promptId = runId.replace('7000', '5000');
  const place = { step: 'base', item: 0 };
  const status = { type: 'step.status', ...place, attempt: 1, promptId, backend: 'sandbox' } as const;
  const file = { artifactId: promptId, ...place, output: 'portrait', path: `/films/${runId}/base_portrait.png`, mediaType: 'image/png' };
  return {
    attempts: [
      {
        promptId,
        runId,
        ...place,
        attempt: 1,
        backend: 'sandbox',
        address: 'sandbox',
        payloadHash: '3c'.repeat(32),
        status: 'finished',
        acknowledged: true,
        number: 4,
        createdAt: at,
        endedAt: at + 800,
        error: null,
      },
    ],
    artifacts: [
      {
        ...file,
        runId,
        node: '9',
        index: 0,
        bytes: 1024,
        sha256: '4d'.repeat(32),
        width: 64,
        height: 64,
        kind: 'image',
        createdAt: at + 700,
        draft: true,
      },
    ],
    events: [
      { runId, at: at + 100, body: { type: 'step.planned', step: 'base', items: 1 } },
      { runId, at: at + 200, body: { ...status, status: 'queued' } },
      { runId, at: at + 800, body: { ...status, status: 'done' } },
      { runId, at: at + 800, body: { type: 'artifact.created', ...file } },
    ],
    outbox: [{ runId, kind: 'backend.forget', body: JSON.stringify({ runId, ...place, attempt: 1, promptId, backendId: 'sandbox' }) }],
  };
}

function stateOf(runId: string, status: RunStatus, at: number): RunState {
  const { value = status, progress = 0 } = STATES.find((one) => one.status === status) ?? {};
  const isOver = ['succeeded', 'failed', 'cancelled', 'lost'].includes(status);
  const made: RunState = {
    runId,
    status,
    draft: true,
    progress,
    machine: 'run',
    machineVersion: 1,
    snapshot: isOver ? null : JSON.stringify({ status: 'active', value, historyValue: {}, context: { runId }, children: {} }),
    timers: null,
    error:
      status === 'failed' ? { code: 'NODE_FAILED', message: 'Node 3 (KSampler) failed: out of ideas.', retryable: false, node: '3' } : null,
    endedAt: isOver ? at + 900 : null,
  };
  return taken(made, real.get(status));
}

/** The machine's part of a real run, under the name of ours. */
function taken(made: RunState, run: RunRow | undefined): RunState {
  if (run === undefined) return made;
  const renamed = (text: string | null): string | null => text?.replaceAll(run.runId, made.runId) ?? null;
  const { machine, machineVersion } = run;
  return { ...made, machine, machineVersion, snapshot: renamed(run.snapshot), timers: renamed(run.timers) };
}
