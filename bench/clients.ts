/**
 * What clients cost that follow everything: runs are worked off with nobody looking, and with fifty clients that subscribe to the whole log, progress
 * and previews. How late each event reaches each client, how long others wait for an answer meanwhile, and what the daemon needs for it.
 * Run: `npm run bench:clients`, or with `-- --clients 100 --runs 400`. docs/performance.md says how to read it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connect, type Endpoint } from '#protocol/client.ts';
import type { Counters } from './daemon-process.ts';
import type { Heard } from './followers.ts';
import { openLanes, type Times } from './lanes.ts';
import { formatTable, show } from './numbers.ts';
import { type Child, startChild } from './processes.ts';
import { writeChainTemplate } from './sample-graphs.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '200' }, clients: { type: 'string', default: '50' } } });
const runs = Number(values.runs);
const followers = Number(values.clients);
/** Before the clock starts: a fresh process has not compiled its code yet. */
const WARM_UP = 50;
const LANES = 4;
/** Processes that the followers live in, so that they do not wait for one another. */
const HOMES = 2;

interface Measured {
  readonly seconds: number;
  readonly events: number;
  readonly pings: Times;
  readonly cpuMs: number;
  readonly rssMb: number;
  readonly heard: readonly Heard[];
}

const results = fileURLToPath(new URL('./results/', import.meta.url));
mkdirSync(results, { recursive: true });
const dir = mkdtempSync(join(results, 'scratch-'));
const templates = join(dir, 'templates');
writeChainTemplate(join(templates, 'chain-1'), 'chain-1', 1);
try {
  const load = loadavg()[0];
  const alone = await measure(0);
  const followed = await measure(followers);
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, load };
  console.log(table(alone, followed));
  const file = join(results, `clients-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, runs, followers, alone, followed }, undefined, 1)}\n`);
  console.log(`\n${String(runs)} runs; ${String(machine.cores)} cores, Node ${machine.node}, load before ${show(load)}. ${file}`);
  const missed = followed.heard.some(({ fewest, most }) => fewest !== followed.events || most !== followed.events);
  if (missed) {
    console.error(`A client was told another number of events than the ${String(followed.events)} that there were.`);
    process.exitCode = 1;
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}

// --- helpers ---

async function measure(count: number): Promise<Measured> {
  await using started = new AsyncDisposableStack();
  const server = started.adopt(await startChild('fake-server.ts', { hopMs: 2 }), (child) => child.stop());
  const { url } = server.hello as { readonly url: string };
  const daemon = started.adopt(await startChild('daemon-process.ts', { dir: join(dir, String(count)), templates, url }), (child) =>
    child.stop(),
  );
  const endpoint = daemon.hello as Endpoint;
  const status = started.adopt(await connect(endpoint), (client) => client.close());
  const lanes = started.adopt(await openLanes(endpoint, LANES), (one) => one.close());
  const open = async () => (await status.call('daemon/status')).runs.open;
  const workOff = async () => {
    while ((await open()) > 0) await pause(20);
  };
  await lanes.submit('chain-1', WARM_UP);
  await workOff();

  const homes = count === 0 ? 0 : HOMES;
  const children: Child[] = [];
  for (let at = 0; at < homes; at += 1) {
    const part = Math.floor(count / homes) + (at < count % homes ? 1 : 0);
    children.push(started.adopt(await startChild('followers.ts', { ...endpoint, count: part }), (child) => child.stop()));
  }
  const before = (await daemon.ask({})) as Counters;
  const begun = performance.now();
  await lanes.submit('chain-1', runs);
  const pings = await lanes.ping(200);
  await workOff();
  const seconds = (performance.now() - begun) / 1000;
  const after = (await daemon.ask({})) as Counters;
  const events = after.events - before.events;
  const heard = await Promise.all(children.map((child) => listen(child, events)));
  return { seconds, events, pings, cpuMs: after.cpuMs - before.cpuMs, rssMb: after.rssMb, heard };
}

/** What reached the followers, once everything has; whoever misses something is waited for no longer than ten seconds. */
async function listen(child: Child, events: number): Promise<Heard> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const heard = (await child.ask({})) as Heard;
    if (heard.fewest >= events || performance.now() > deadline) return heard;
    await pause(50);
  }
}

function table(alone: Measured, followed: Measured): string {
  const worst = (pick: (heard: Heard) => number) => Math.max(...followed.heard.map(pick));
  const rows = [
    ['runs a second', show(runs / alone.seconds), show(runs / followed.seconds)],
    ['events', show(alone.events), show(followed.events)],
    ['events sent a second, to all clients', '', show((followed.events * followers) / followed.seconds)],
    ['lag of an event: p50, ms', '', show(worst(({ lag }) => lag.p50))],
    ['lag of an event: p99, ms', '', show(worst(({ lag }) => lag.p99))],
    ['lag of an event: largest, ms', '', show(worst(({ lag }) => lag.max))],
    ['ping of others meanwhile: p50, ms', show(alone.pings.p50), show(followed.pings.p50)],
    ['ping of others meanwhile: p99, ms', show(alone.pings.p99), show(followed.pings.p99)],
    ['processor time of the daemon for each run, ms', show(alone.cpuMs / runs), show(followed.cpuMs / runs)],
    ['memory of the daemon, MB', show(alone.rssMb), show(followed.rssMb)],
  ];
  const columns = ['nobody looks', `${String(followers)} clients`];
  return formatTable(
    columns,
    rows.map(([what = '', ...cells]) => ({ what, cells: Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? ''])) })),
  );
}
