/**
 * What a long queue costs: submitting 10,000 runs behind a backend that never finishes, holding them, starting over them again, and submitting
 * while runs are worked off. Run: `npm run bench:queue`, or with `-- --runs 1000 --lanes 4`. docs/performance.md says how to read it.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect, type Endpoint } from '#protocol/client.ts';
import type { Counters } from './daemon-process.ts';
import { openLanes, showTimes, type Times } from './lanes.ts';
import { show } from './numbers.ts';
import { type Child, startChild } from './processes.ts';
import { writeChainTemplate } from './sample-graphs.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '10000' }, lanes: { type: 'string', default: '16' } } });
const runs = Number(values.runs);
const lanes = Number(values.lanes);
/** Submissions before the clock starts: a fresh process has not compiled its code yet. They count among the runs. */
const WARM_UP = 300;
/** Longer than any measurement: what is on the backend stays there. */
const FOREVER_MS = 3_600_000;
/** The backend of the second part takes so long for a prompt. */
const HOP_MS = 5;
const PINGS = 3000;
/** The bars of F24: milliseconds, milliseconds, MB. */
const BARS = { submitP99: 50, start: 5000, rss: 300 };

const results = fileURLToPath(new URL('./results/', import.meta.url));
mkdirSync(results, { recursive: true });
const dir = mkdtempSync(join(results, 'scratch-'));
const templates = join(dir, 'templates');
writeChainTemplate(join(templates, 'chain-1'), 'chain-1', 1);
try {
  const load = loadavg()[0];
  const measured = { ...(await measureHeld()), ...(await measureAtWork()) };
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, load };
  console.log(report(measured));
  const file = join(results, `queue-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, runs, lanes, ...measured }, undefined, 1)}\n`);
  console.log(`\n${String(machine.cores)} cores, Node ${machine.node}, load before ${show(load)}. ${file}`);
  const isOver =
    measured.submit.p99 > BARS.submitP99 ||
    measured.atWork.p99 > BARS.submitP99 ||
    measured.startMs > BARS.start ||
    measured.rssHeldMb > BARS.rss ||
    measured.rssStartedMb > BARS.rss;
  if (isOver) process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

interface Held {
  readonly ping: Times;
  readonly submit: Times;
  /** Of the daemon's main thread while the runs were submitted, in milliseconds: at work, and ready to work while others had the processor. */
  readonly cpuMs: number;
  readonly waitedMs: number | undefined;
  readonly rssHeldMb: number;
  readonly databaseMb: number;
  readonly queued: number;
  /** Milliseconds from the start of the process until it lets clients in, over all of them open. */
  readonly startMs: number;
  readonly rssStartedMb: number;
  readonly listMs: number;
  readonly cancelMs: number;
}

interface AtWork {
  readonly pingAtWork: Times;
  readonly atWork: Times;
  /** Runs that ended meanwhile. */
  readonly endedMeanwhile: number;
  readonly submitted: number;
}

async function measureHeld(): Promise<Held> {
  await using started = new AsyncDisposableStack();
  const server = started.adopt(await startChild('fake-server.ts', { hopMs: FOREVER_MS }), (child) => child.stop());
  const startDaemon = () => startDaemonIn(join(dir, 'held'), server);

  const first = await startDaemon();
  const clients = await openLanes(first.hello as Endpoint, lanes);
  await clients.submit('chain-1', WARM_UP);
  const ping = await clients.ping(PINGS);
  const before = await counters(first);
  const submit = await clients.submit('chain-1', runs - WARM_UP);
  const held = await counters(first);
  const status = await ask(first, (client) => client.call('daemon/status', {}));
  await clients.close();
  await first.stop();
  const databaseMb = statSync(join(dir, 'held', 'data', 'callsheet.db')).size / 1e6;

  const again = performance.now();
  const second = started.adopt(await startDaemon(), (child) => child.stop());
  const startMs = performance.now() - again;
  const client = started.adopt(await connect(endpointOf(second, 'after')), (one) => one.close());
  const after = (await client.call('daemon/status', {})).runs;
  if (status.runs.open !== runs || after.open !== runs)
    throw new Error(`${String(status.runs.open)} runs were open, then ${String(after.open)}, of ${String(runs)}`);
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const since = performance.now();
    await work();
    return performance.now() - since;
  };
  const [newest] = (await client.call('run/list', { limit: 1 })).runs;
  return {
    ping,
    submit,
    cpuMs: held.mainCpuMs - before.mainCpuMs,
    waitedMs: held.waitedMs === undefined || before.waitedMs === undefined ? undefined : held.waitedMs - before.waitedMs,
    rssHeldMb: held.rssMb,
    databaseMb,
    queued: status.runs.queued,
    startMs,
    rssStartedMb: (await counters(second)).rssMb,
    listMs: await timed(() => client.call('run/list', { limit: 100, status: ['queued'] })),
    cancelMs: await timed(() => client.call('run/cancel', { runId: newest?.runId ?? '' })),
  };
}

/** The same with a backend that works: runs begin, send, bring files home and end while others come, and a client hears of it all. */
async function measureAtWork(): Promise<AtWork> {
  await using started = new AsyncDisposableStack();
  const server = started.adopt(await startChild('fake-server.ts', { hopMs: HOP_MS }), (child) => child.stop());
  const daemon = started.adopt(await startDaemonIn(join(dir, 'at-work'), server), (child) => child.stop());
  const listener = started.adopt(await connect(endpointOf(daemon, 'listener')), (one) => one.close());
  await listener.subscribe({}, { onEvent: () => undefined });
  const clients = started.adopt(await openLanes(daemon.hello as Endpoint, lanes), (one) => one.close());
  const open = async () => (await listener.call('daemon/status', {})).runs.open;
  await clients.submit('chain-1', WARM_UP);
  const submitted = Math.round(runs / 5);
  const before = await open();
  const atWork = await clients.submit('chain-1', submitted);
  const after = await open();
  const pingAtWork = await clients.ping(PINGS / 3);
  return { atWork, pingAtWork, submitted, endedMeanwhile: before + submitted - after };
}

function startDaemonIn(place: string, server: Child): Promise<Child> {
  return startChild('daemon-process.ts', { dir: place, templates, url: (server.hello as { readonly url: string }).url });
}

function endpointOf(daemon: Child, name: string) {
  const { url, key } = daemon.hello as Endpoint;
  return { url, key, name };
}

async function counters(daemon: Child): Promise<Counters> {
  return (await daemon.ask({})) as Counters;
}

async function ask<T>(daemon: Child, work: (client: Awaited<ReturnType<typeof connect>>) => Promise<T>): Promise<T> {
  const client = await connect(endpointOf(daemon, 'status'));
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

function report(measured: Held & AtWork): string {
  const { submit, cpuMs, waitedMs, queued, endedMeanwhile, submitted } = measured;
  const clients = `${String(lanes)} clients: p50 / p99 / max, ms`;
  const perRun = (milliseconds: number | undefined) => show(milliseconds === undefined ? undefined : milliseconds / (runs - WARM_UP));
  const rows: readonly (readonly [string, string, string])[] = [
    [`ping, ${clients}`, showTimes(measured.ping), ''],
    [`run/start, ${clients}`, showTimes(submit), `p99 < ${String(BARS.submitP99)}`],
    ['run/start a second', show(submit.perSecond), ''],
    [`for each, the daemon's main thread: at work / kept waiting for a processor, ms`, `${perRun(cpuMs)} / ${perRun(waitedMs)}`, ''],
    [`resident memory with ${String(queued)} waiting, MB`, show(measured.rssHeldMb), `< ${String(BARS.rss)}`],
    ['database, MB', show(measured.databaseMb), ''],
    [`start over ${String(runs)} open runs, ms`, show(measured.startMs), `< ${String(BARS.start)}`],
    ['resident memory after it, MB', show(measured.rssStartedMb), `< ${String(BARS.rss)}`],
    ['run/list of 100, ms', show(measured.listMs), ''],
    ['run/cancel of one that waits, ms', show(measured.cancelMs), ''],
    [`while runs are worked off (${String(endedMeanwhile)} ended): ping, ${clients}`, showTimes(measured.pingAtWork), ''],
    [`the same: run/start of ${String(submitted)}, ${clients}`, showTimes(measured.atWork), `p99 < ${String(BARS.submitP99)}`],
  ];
  return ['| what | measured | bar |', '|---|---:|---:|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}
