/**
 * Templates at scale (docs/templates-at-scale.md): discovered, checked and listed cold and warm for 10, 100 and 1,000 of them,
 * how long until a save is seen, the memory they take, and a graph of 1,000 nodes. Run: `npm run bench:templates`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureLibrary, type LibraryRow } from './library-rows.ts';
import { measureMemory } from './library-memory.ts';
import { formatTable, median, percentile, show } from './numbers.ts';
import { measureSaves } from './save-rows.ts';
import { measureTemplates } from './template-rows.ts';

const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '30' }, rounds: { type: 'string', default: '7' }, saves: { type: 'string', default: '60' } },
});
const rounds = Number(values.rounds);
const dir = mkdtempSync(join(tmpdir(), 'callsheet-bench-templates-'));

try {
  const rows: LibraryRow[] = [];
  for (const count of [10, 100, 1000])
    rows.push(...(await measureLibrary(join(dir, `library-${count}`), count, Number(values.nodes), rounds)));
  const columns = ['templates', 'MB', 'median ms', 'p95 ms', 'ratio', 'of'];
  console.log(`Templates of ${values.nodes} nodes: a manifest and a workflow each, all in the page cache.`);
  console.log(
    formatTable(
      columns,
      rows.map(({ what, count, megabytes, times, ratio, base }) => ({
        what,
        cells: {
          templates: String(count),
          MB: megabytes.toFixed(1),
          'median ms': show(median(times)),
          'p95 ms': show(percentile(times, 0.95)),
          ratio: ratio === undefined ? '' : ratio.toFixed(2),
          of: base ?? '',
        },
      })),
    ),
  );
  console.log('\nExponent of growth (cost ~ count^x):');
  for (const what of new Set(rows.map((row) => row.what))) {
    const [ten, hundred, thousand] = rows.filter((row) => row.what === what).map(({ times }) => median(times));
    const exponent = (few?: number, many?: number): string => Math.log10((many ?? 1) / (few ?? 1)).toFixed(2);
    console.log(`  ${what.padEnd(46)} 10→100 ${exponent(ten, hundred)}   100→1,000 ${exponent(hundred, thousand)}`);
  }

  console.log('\nA graph in memory and from disk:');
  const graphs = await measureTemplates(join(dir, 'graphs'), rounds * 3);
  console.log(
    formatTable(
      ['nodes', 'KiB', 'median ms', 'p95 ms', 'of parse+stringify'],
      graphs.map(({ nodes, work, kib, median: middle, p95, ratio }) => ({
        what: work,
        cells: {
          nodes: String(nodes),
          KiB: kib.toFixed(0),
          'median ms': show(middle),
          'p95 ms': show(p95),
          'of parse+stringify': ratio.toFixed(2),
        },
      })),
    ),
  );

  console.log('\nFrom the end of a save to its notification, in ms:');
  const saves = [];
  for (const count of [10, 1000]) saves.push(...(await measureSaves(join(dir, `saves-${count}`), count, Number(values.saves))));
  console.log(
    formatTable(
      ['templates', 'saves', 'median', 'p95', 'p99', 'most'],
      saves.map(({ what, count, times }) => ({
        what,
        cells: {
          templates: String(count),
          saves: String(times.length),
          median: show(median(times)),
          p95: show(percentile(times, 0.95)),
          p99: show(percentile(times, 0.99)),
          most: show(Math.max(...times)),
        },
      })),
    ),
  );

  console.log('\nMemory, in MB of heap after collection:');
  mkdirSync(join(dir, 'memory'));
  for (const line of await measureMemory(join(dir, 'memory'))) console.log(`  ${line}`);
  const { size } = statSync(join(dir, 'library-1000-cache.db'));
  console.log(`  cache file of 1,000 templates: ${(size / 1e6).toFixed(1)} MB on disk`);
  console.log(`\nload average ${readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ')}`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
