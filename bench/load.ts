/**
 * How fast Callsheet is beside doing the same by hand. Run: `npm run bench:load` (five minutes) or `npm run bench:load -- --quick`.
 * Absolute figures move with the machine; the ratios are what counts. docs/performance.md says how to read them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable, median, percentile, show } from './numbers.ts';
import type { TableRow } from './numbers.ts';
import { sample } from './run-rows.ts';
import type { Case, Kind, Sample } from './run-rows.ts';
import { measureTemplates } from './template-rows.ts';
import type { TemplateRow } from './template-rows.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const plan = values.quick
  ? { templateRounds: 11, rounds: 1, warmUp: 40, runs: 40, all: false }
  : { templateRounds: 41, rounds: 5, warmUp: 150, runs: 150, all: true };

/** The largest template must load, and be injected, within this many milliseconds. */
const BAR_MS = 100;
const CASES: readonly Case[] = [
  { steps: 1, hopMs: 0, lanes: 1 },
  ...(plan.all ? [{ steps: 1, hopMs: 5, lanes: 1 }] : []),
  { steps: 3, hopMs: 0, lanes: 1 },
  ...(plan.all ? [{ steps: 3, hopMs: 0, lanes: 20 }] : []),
];
const KINDS: readonly Kind[] = ['raw', 'raw-files', 'callsheet'];
const NAMES: Readonly<Record<Kind, string>> = {
  raw: 'raw client, keeps nothing',
  'raw-files': 'raw client + file written with fsync',
  callsheet: 'Callsheet (FULL durability)',
};

const HOW = [
  "p50 is the median over rounds of each round's median; ratio is to JSON.parse + JSON.stringify (templates) or to the raw client of the same round (runs).",
  'CPU, commits, fsyncs, bytes and requests are per run; CPU counts client and daemon, not the fake server.',
].join(' ');

const results = fileURLToPath(new URL('./results/', import.meta.url));
mkdirSync(results, { recursive: true });
// Beside the results and not in the system's temporary directory, which may be memory: there a sync costs nothing.
const scratch = mkdtempSync(join(results, 'scratch-'));
try {
  const begin = performance.now();
  const templates = await measureTemplates(join(scratch, 'templates'), plan.templateRounds);
  const samples = await measureRuns();
  const seconds = (performance.now() - begin) / 1000;
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length, load: loadavg()[0] };
  console.log(report(templates, samples));
  console.log(`\n${machine.cores} cores, Node ${machine.node}, load ${show(machine.load)}, ${seconds.toFixed(0)} s. ${HOW}`);
  const file = join(results, `load-${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, plan, templates, samples }, undefined, 1)}\n`);
  console.log(`Every sample: ${file}`);
  const slowest = Math.max(...templates.map((row) => row.median));
  if (slowest >= BAR_MS) {
    console.log(`The largest template took ${show(slowest)} ms, over the bar of ${BAR_MS} ms.`);
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function measureRuns(): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const one of CASES) {
      for (const kind of KINDS) {
        const dir = join(scratch, `${round}-${one.steps}-${one.hopMs}-${one.lanes}-${kind}`);
        samples.push(await sample({ ...one, kind, round, dir, warmUp: plan.warmUp, runs: plan.runs }));
        rmSync(dir, { recursive: true, force: true });
      }
    }
  }
  return samples;
}

function report(templates: readonly TemplateRow[], samples: readonly Sample[]): string {
  const columns = ['p50 ms', 'p95 ms', 'ratio', 'runs/s', 'CPU ms', 'commits', 'fsyncs', 'written kB', 'requests'];
  const rows: TableRow[] = [];
  for (const { nodes, kib, work, median: p50, p95, ratio } of templates) {
    const what = `${nodes} nodes (${kib.toFixed(0)} KiB): ${work}`;
    rows.push({ what, cells: { 'p50 ms': show(p50), 'p95 ms': show(p95), ratio: show(ratio) } });
  }
  for (const one of CASES) for (const kind of KINDS) rows.push(runRow(one, kind, samples));
  return formatTable(columns, rows);
}

function runRow({ steps, hopMs, lanes }: Case, kind: Kind, all: readonly Sample[]): TableRow {
  const ofCase = all.filter((one) => one.steps === steps && one.hopMs === hopMs && one.lanes === lanes);
  const own = ofCase.filter((one) => one.kind === kind);
  const p50 = own.map(({ times }) => median(times));
  const raw = (round: number): number => median(ofCase.find((one) => one.kind === 'raw' && one.round === round)?.times ?? []);
  const written = own.flatMap((one) => one.written ?? []);
  const of = (numbers: readonly (number | undefined)[]): string => show(median(numbers.filter((value) => value !== undefined)));
  const requests = own.map((one) => Object.entries(one.requests).reduce((sum, [, count]) => sum + count, 0));
  return {
    what: `${steps === 1 ? 'one step' : `${steps} steps`}, ${hopMs === 0 ? 'instant' : `${hopMs} ms hop`}${lanes === 1 ? '' : `, ${lanes} at a time`}: ${NAMES[kind]}`,
    cells: {
      'p50 ms': show(median(p50)),
      'p95 ms': show(
        percentile(
          own.flatMap(({ times }) => times),
          0.95,
        ),
      ),
      ratio: show(median(own.map(({ round }, index) => (p50[index] ?? Number.NaN) / raw(round)))),
      'runs/s': of(own.map(({ runsPerSecond }) => runsPerSecond)),
      'CPU ms': of(own.map(({ cpuMs }) => cpuMs)),
      requests: of(requests),
      ...(written.length === 0
        ? {}
        : {
            commits: of(written.map(({ commits }) => commits)),
            // A commit is one fsync of SQLite's log; the other syncs are those of files and their directories.
            fsyncs: of(written.map(({ commits, fileSyncs }) => commits + fileSyncs)),
            'written kB': of(written.map(({ kb }) => kb)),
          }),
    },
  };
}
