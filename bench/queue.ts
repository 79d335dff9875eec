/**
 * What a long queue costs: submitting 10,000 runs behind a backend that never finishes, holding them, and starting over them again.
 * Run: `npm run bench:queue` or `npm run bench:queue -- --runs 1000`. docs/performance.md says how to read it.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Client, connect, type Endpoint } from '#protocol/client.ts';
import type { Counters } from './daemon-process.ts';
import { percentile, show } from './numbers.ts';
import { type Child, startChild } from './processes.ts';
import { writeChainTemplate } from './sample-graphs.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '10000' }, lanes: { type: 'string', default: '4' } } });
const runs = Number(values.runs);
const lanes = Number(values.lanes);
/** Submissions before the clock starts: a fresh process has not compiled its code yet. They count among the runs. */
const WARM_UP = 300;
/** Longer than any measurement: what is on the backend stays there. */
const FOREVER_MS = 3_600_000;
/** The bars of F24: milliseconds, milliseconds, MB. */
const BARS = { submitP99: 50, start: 5000, rss: 300 };

const results = fileURLToPath(new URL('./results/', import.meta.url));
mkdirSync(results, { recursive: true });
const dir = mkdtempSync(join(results, 'scratch-'));
try {
  const measured = await measure();
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg()[0] };
  console.log(report(measured));
  const file = join(results, `queue-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, runs, lanes, ...measured }, undefined, 1)}\n`);
  console.log(`\n${String(machine.cores)} cores, Node ${machine.node}, load ${show(machine.load)}. ${file}`);
  const isOver =
    measured.submit.p99 > BARS.submitP99 ||
    measured.startMs > BARS.start ||
    measured.rssHeldMb > BARS.rss ||
    measured.rssStartedMb > BARS.rss;
  if (isOver) process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

interface Measured {
  /** Milliseconds of `run/start`, from the call to the answer. */
  readonly submit: { readonly p50: number; readonly p99: number; readonly max: number; readonly perSecond: number };
  readonly rssHeldMb: number;
  readonly databaseMb: number;
  readonly queued: number;
  /** Milliseconds from the start of the process until it lets clients in, over all of them open. */
  readonly startMs: number;
  readonly rssStartedMb: number;
  readonly listMs: number;
  readonly cancelMs: number;
}

async function measure(): Promise<Measured> {
  const templates = join(dir, 'templates');
  writeChainTemplate(join(templates, 'chain-1'), 'chain-1', 1);
  await using started = new AsyncDisposableStack();
  const server = started.adopt(await startChild('fake-server.ts', { hopMs: FOREVER_MS }), (child) => child.stop());
  const { url } = server.hello as { readonly url: string };
  const startDaemon = (): Promise<Child> => startChild('daemon-process.ts', { dir, templates, url });

  const first = await startDaemon();
  const times: number[] = [];
  const clients = await Promise.all(Array.from({ length: lanes }, (_, lane) => open(first, `lane-${String(lane)}`)));
  const share = (whole: number, lane: number) => Math.ceil((whole - lane) / lanes);
  await Promise.all(clients.map((client, lane) => submit(client, share(WARM_UP, lane), [])));
  const begin = performance.now();
  await Promise.all(clients.map((client, lane) => submit(client, share(runs - WARM_UP, lane), times)));
  const wallMs = performance.now() - begin;
  const { runs: counts } = await (clients[0] ?? (await open(first, 'status'))).call('daemon/status', {});
  const held = (await first.ask({})) as Counters;
  await Promise.all(clients.map((client) => client.close()));
  await first.stop();
  const databaseMb = statSync(join(dir, 'data', 'callsheet.db')).size / 1e6;

  const again = performance.now();
  const second = started.adopt(await startDaemon(), (child) => child.stop());
  const startMs = performance.now() - again;
  const client = started.adopt(await open(second, 'after'), (one) => one.close());
  const after = (await client.call('daemon/status', {})).runs;
  if (counts.open !== runs || after.open !== runs)
    throw new Error(`${String(counts.open)} runs were open, then ${String(after.open)}, of ${String(runs)}`);
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const since = performance.now();
    await work();
    return performance.now() - since;
  };
  const [newest] = (await client.call('run/list', { limit: 1 })).runs;
  return {
    submit: {
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      max: Math.max(...times),
      perSecond: ((runs - WARM_UP) / wallMs) * 1000,
    },
    rssHeldMb: held.rssMb,
    databaseMb,
    queued: counts.queued,
    startMs,
    rssStartedMb: ((await second.ask({})) as Counters).rssMb,
    listMs: await timed(() => client.call('run/list', { limit: 100, status: ['queued'] })),
    cancelMs: await timed(() => client.call('run/cancel', { runId: newest?.runId ?? '' })),
  };
}

function open(daemon: Child, name: string): Promise<Client> {
  const { url, key } = daemon.hello as Endpoint;
  return connect({ url, key, name });
}

async function submit(client: Client, count: number, times: number[]): Promise<void> {
  for (let nth = 0; nth < count; nth += 1) {
    const since = performance.now();
    await client.call('run/start', { template: 'chain-1', parameters: {}, priority: nth % 3 });
    times.push(performance.now() - since);
  }
}

function report({
  submit: { p50, p99, max, perSecond },
  rssHeldMb,
  databaseMb,
  queued,
  startMs,
  rssStartedMb,
  listMs,
  cancelMs,
}: Measured): string {
  const rows: readonly (readonly [string, string, string])[] = [
    [
      `run/start, ${String(lanes)} clients: p50 / p99 / max, ms`,
      `${show(p50)} / ${show(p99)} / ${show(max)}`,
      `p99 < ${String(BARS.submitP99)}`,
    ],
    ['run/start a second', show(perSecond), ''],
    [`resident memory with ${String(queued)} waiting, MB`, show(rssHeldMb), `< ${String(BARS.rss)}`],
    ['database, MB', show(databaseMb), ''],
    [`start over ${String(runs)} open runs, ms`, show(startMs), `< ${String(BARS.start)}`],
    ['resident memory after it, MB', show(rssStartedMb), `< ${String(BARS.rss)}`],
    ['run/list of 100, ms', show(listMs), ''],
    ['run/cancel of one that waits, ms', show(cancelMs), ''],
  ];
  return ['| what | measured | bar |', '|---|---:|---:|', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}
