/**
 * How long a daemon takes to have everything in hand again after kill -9 with 1,000 runs at work: `npm run bench:recovery [-- --runs N]`.
 * All of them are on the backend, none has ended. Two moments count: clients are let in, and every prompt has been found on its backend again.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect, type Client, type Endpoint } from '#protocol/client.ts';
import type { Counters } from './daemon-process.ts';
import { show } from './numbers.ts';
import { type Child, startChild } from './processes.ts';
import { writeChainTemplate } from './sample-graphs.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000' }, lanes: { type: 'string', default: '8' } } });
const runs = Number(values.runs);
const lanes = Number(values.lanes);
/** Longer than any measurement: what is on the backend stays there. */
const FOREVER_MS = 3_600_000;
const BAR_MS = 3000;
const PATIENCE_MS = 300_000;

const results = fileURLToPath(new URL('./results/', import.meta.url));
mkdirSync(results, { recursive: true });
const dir = mkdtempSync(join(results, 'scratch-'));
try {
  const measured = await measure();
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg()[0] };
  console.log('| what | measured | bar |\n|---|---:|---:|');
  console.log(`| runs at work when the daemon is killed | ${String(runs)} | |`);
  console.log(`| until clients are let in, ms | ${show(measured.readyMs)} | |`);
  console.log(`| until every prompt has been found on its backend, ms | ${show(measured.recoveredMs)} | < ${String(BAR_MS)} |`);
  console.log(`| requests to the backend until then | ${String(measured.requests)} | |`);
  const file = join(results, `recovery-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, runs, ...measured }, undefined, 1)}\n`);
  console.log(`\n${String(machine.cores)} cores, Node ${machine.node}, load ${show(machine.load)}. ${file}`);
  if (measured.recoveredMs > BAR_MS) process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

async function measure(): Promise<{ readonly readyMs: number; readonly recoveredMs: number; readonly requests: number }> {
  const templates = join(dir, 'templates');
  writeChainTemplate(join(templates, 'chain-1'), 'chain-1', 1);
  await using started = new AsyncDisposableStack();
  const server = started.adopt(await startChild('fake-server.ts', { hopMs: FOREVER_MS }), (child) => child.stop());
  const { url } = server.hello as { readonly url: string };
  const startDaemon = (): Promise<Child> => startChild('daemon-process.ts', { dir, templates, url: `${url},ahead=${String(runs)}` });

  const first = await startDaemon();
  const clients = await Promise.all(Array.from({ length: lanes }, () => open(first)));
  await Promise.all(
    clients.map(async (client, lane) => {
      for (let nth = lane; nth < runs; nth += lanes) await client.call('run/start', { template: 'chain-1', parameters: {} });
    }),
  );
  const [client] = clients;
  if (client === undefined) throw new Error('there is no client');
  await until('every prompt is on the backend', async () => (await inFlight(client)) === runs);
  await Promise.all(clients.map((one) => one.close()));
  process.kill(first.pid, 'SIGKILL');

  const { requests: before } = (await server.ask({})) as Requests;
  const since = performance.now();
  const second = started.adopt(await startDaemon(), (child) => child.stop());
  const readyMs = performance.now() - since;
  const looks = async (): Promise<number> => total(((await server.ask({})) as Requests).requests) - total(before);
  await until('every prompt was found', async () => ((await second.ask({})) as Counters).found >= runs);
  const recoveredMs = performance.now() - since;
  return { readyMs, recoveredMs, requests: await looks() };
}

interface Requests {
  readonly requests: Readonly<Record<string, number>>;
}

function total(requests: Requests['requests']): number {
  return Object.values(requests).reduce((sum, count) => sum + count, 0);
}

function open(daemon: Child): Promise<Client> {
  const { url, key } = daemon.hello as Endpoint;
  return connect({ url, key });
}

async function inFlight(client: Client): Promise<number> {
  const { backends } = await client.call('backend/list', {});
  return backends[0]?.queueRemaining ?? 0;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const since = performance.now();
  while (!(await holds())) {
    if (performance.now() - since > PATIENCE_MS) throw new Error(`${what}: not within ${String(PATIENCE_MS / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
