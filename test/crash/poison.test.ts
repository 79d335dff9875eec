// A run that kills the daemon whenever it is touched, in real processes: three deaths, then it is set aside, the others go on, and a person may try it again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, connect } from '#protocol/client.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { readRuntimeFile } from '#daemon/runtime-file.ts';
import { type Process, startProcess } from './processes.ts';

const TEMPLATES = fileURLToPath(new URL('../fixtures/templates', import.meta.url));
/** Long enough for a poisoned run to strike, short enough for a test. In milliseconds. */
const SETTLE_MS = 1500;

let dir: string;
let backend: Process | undefined;
let daemon: Process | undefined;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-poison-'));
  backend = await startProcess('./sandbox-child.ts', { CALLSHEET_SANDBOX_DIR: join(dir, 'sandbox') });
});
afterEach(async () => {
  await daemon?.stop('SIGKILL');
  await backend?.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(poison: string | undefined): Promise<Client | undefined> {
  const url = String(backend?.ready['url']);
  const orders = {
    data: dir,
    templates: TEMPLATES,
    backends: [url],
    root: dir,
    record: '',
    dieAt: 0,
    fate: 'killed',
    settleMs: SETTLE_MS,
    poison,
  };
  daemon = await startProcess('./crash-child.ts', { CALLSHEET_CRASH_ORDERS: JSON.stringify(orders) });
  const info = daemon === undefined ? undefined : readRuntimeFile(String(daemon.ready['runtimeFile']));
  return info === undefined ? undefined : connect({ url: info.url, key: info.key }).catch(() => undefined);
}

async function ended(client: Client, runId: string): Promise<RunView> {
  await expect.poll(async () => RUN_ENDS.includes((await client.call('run/get', { runId })).run.status), { timeout: 20_000 }).toBe(true);
  return (await client.call('run/get', { runId })).run;
}

it('[F27] is set aside after it took three daemons down, and nobody else is', { timeout: 120_000 }, async () => {
  let client = await start('invert');
  const innocent = (await client?.call('run/start', { template: 'with-choice', parameters: {} }))?.runId ?? '';
  await expect.poll(async () => (await client?.call('run/get', { runId: innocent }))?.run.status, { timeout: 20_000 }).toBe('waiting');
  const poisoned = (await client?.call('run/start', { template: 'three-steps', parameters: {} }))?.runId ?? '';
  for (let deaths = 1; deaths <= 3; deaths += 1) {
    await daemon?.ended;
    client = await start('invert');
  }
  if (client === undefined) throw new Error('the fourth daemon did not live');
  const run = await ended(client, poisoned);
  expect(run).toMatchObject({ status: 'failed', error: { code: 'RUN_SET_ASIDE', hint: expect.stringContaining('callsheet runs retry') } });
  expect(run.problems).toEqual([expect.objectContaining({ code: 'RUN_SET_ASIDE', severity: 'error' })]);
  expect(run.artifacts.map(({ step }) => step)).toEqual(['base']);

  // The queue goes on: a new run, and the one that was there all the time.
  const { runId: next } = await client.call('run/start', { template: 'many', parameters: {} });
  expect((await ended(client, next)).status).toBe('succeeded');
  const into = (await client.call('run/get', { runId: innocent })).run.choices?.[0]?.into ?? '';
  await client.call('run/choose', { runId: innocent, into, indices: [0] });
  expect((await ended(client, innocent)).status).toBe('succeeded');

  // A version that can live with it.
  await daemon?.stop();
  const cured = await start(undefined);
  await cured?.call('run/retry', { runId: poisoned });
  const again = cured === undefined ? run : await ended(cured, poisoned);
  expect(again).toMatchObject({ status: 'succeeded', tries: 2 });
  expect(again.steps[0]?.attempts).toHaveLength(1);
});

it('is never a run that waits for a person, however often the daemon is killed', { timeout: 120_000 }, async () => {
  let client = await start(undefined);
  const runId = (await client?.call('run/start', { template: 'with-choice', parameters: {} }))?.runId ?? '';
  const status = async () => (await client?.call('run/get', { runId }))?.run.status;
  await expect.poll(status, { timeout: 20_000 }).toBe('waiting');
  for (let deaths = 1; deaths <= 5; deaths += 1) {
    await daemon?.stop('SIGKILL');
    client = await start(undefined);
    expect(await status()).toBe('waiting');
  }
  if (client === undefined) throw new Error('the last daemon did not live');
  await client.call('run/choose', { runId, into: 'picked', indices: [0] });
  expect((await ended(client, runId)).status).toBe('succeeded');
});
