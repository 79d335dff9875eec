/**
 * Measures what hostile and changed files cost: `npm run bench:media -- [--files 10000] [--seed N]`.
 * Each is recognised and measured in this process, as a result is when it comes home, and looked into by the inspector's child, as artifact/get
 * and imports do. Ends with 1 when one is not survived, takes longer than it should, or leaves the child larger than it may be.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CallsheetError } from '#protocol/errors.ts';
import { createInspector, INSPECTOR_LIMITS } from '#results/inspect/inspector.ts';
import { recogniseBytes } from '#results/recognise.ts';
import { generator } from '../test/crash/random.ts';
import { hostileFiles, mutate, realFiles } from '../test/results/hostile.ts';
import { percentile } from './numbers.ts';

/** Milliseconds of the processor for one file; the bar of reliability.md, row 27. */
const BAR_MS = 200;

const { values } = parseArgs({
  options: { files: { type: 'string', default: '10000' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } },
});
const count = Number(values.files);
const dice = generator(Number(values.seed));
const directory = mkdtempSync(join(tmpdir(), 'callsheet-media-'));
// One child for all of them: what it does not give back shows.
const inspector = createInspector({ ...INSPECTOR_LIMITS, files: Number.POSITIVE_INFINITY });

interface Tally {
  readonly name: string;
  files: number;
  refused: number;
  tooComplex: number;
  readonly recognised: number[];
  readonly inspected: number[];
  slowest: string;
}

const tally = (name: string): Tally => ({ name, files: 0, refused: 0, tooComplex: 0, recognised: [], inspected: [], slowest: '' });
const failures: string[] = [];

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function look(group: Tally, name: string, bytes: Buffer): Promise<void> {
  const path = join(directory, 'file');
  group.files += 1;
  try {
    // What it costs the daemon, whatever else the machine does meanwhile.
    const before = process.cpuUsage();
    if ((await recogniseBytes(bytes)).fault !== undefined) group.refused += 1;
    const spent = process.cpuUsage(before);
    const here = (spent.user + spent.system) / 1000;
    writeFileSync(path, bytes);
    const there = await timed(() =>
      inspector.inspect(path).catch((error: unknown) => {
        if (!(error instanceof CallsheetError) || error.code !== 'FILE_TOO_COMPLEX') throw error;
        group.tooComplex += 1;
      }),
    );
    if (here + there > Math.max(0, ...group.recognised) + Math.max(0, ...group.inspected)) group.slowest = name;
    group.recognised.push(here);
    group.inspected.push(there);
  } catch (error) {
    failures.push(`${name}: ${String(error)}`);
  }
}

const real = [...realFiles()];
const groups = [tally('hostile'), tally('changed'), tally('cut')] as const;
try {
  // A first file starts the child, which says nothing about files.
  await look(tally('first'), 'first', real[0]?.[1] ?? Buffer.alloc(0));
  const before = process.memoryUsage.rss();
  for (const [name, bytes] of await hostileFiles()) await look(groups[0], name, bytes);
  for (let file = 0; file < count; file += 1) {
    const [name, bytes] = real[Math.floor(dice() * real.length)] ?? ['', Buffer.alloc(0)];
    if (dice() < 0.2) await look(groups[2], name, bytes.subarray(0, Math.floor(dice() * bytes.length)));
    else await look(groups[1], name, mutate(bytes, dice));
  }
  const rows = groups.map(({ name, files, refused, tooComplex, recognised, inspected, slowest }) => ({
    name,
    values: [
      files,
      refused,
      tooComplex,
      percentile(recognised, 0.5),
      Math.max(...recognised),
      percentile(inspected, 0.5),
      Math.max(...inspected),
      slowest,
    ],
  }));
  const columns = ['', 'files', 'refused', 'too complex', 'recognised p50, CPU ms', 'max', 'looked into p50 ms', 'max', 'slowest'];
  process.stdout.write(`seed ${values.seed}\n${columns.join(' | ')}\n`);
  for (const { name, values: cells } of rows)
    process.stdout.write(
      `${name} | ${cells.map((cell) => (typeof cell === 'number' ? Math.round(cell * 100) / 100 : cell)).join(' | ')}\n`,
    );
  process.stdout.write(`this process grew by ${Math.round((process.memoryUsage.rss() - before) / 1024 ** 2)} MiB\n`);
  for (const failure of failures) process.stdout.write(`NOT SURVIVED ${failure}\n`);
  const slow = groups.filter(({ recognised, inspected }) => Math.max(...recognised) > BAR_MS || Math.max(...inspected) > 5000 + BAR_MS);
  process.exitCode = failures.length > 0 || slow.length > 0 ? 1 : 0;
} finally {
  inspector.close();
  rmSync(directory, { recursive: true });
}
