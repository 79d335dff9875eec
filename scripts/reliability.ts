/**
 * Runs the tests that show what happens when things break and writes docs/reliability.md: `npm run reliability`, every point of every sweep;
 * `npm run reliability -- --quick`, a sample of each. What long sweeps have tried of this very code stands in bench/results/ and is not tried again
 * (test/kept.ts). Benchmarks are not run: their newest results there are taken. `-- --failed` runs the files again in which something failed, once that is
 * mended, beside what the last whole run said of the others; the page says so. `-- --draw` runs nothing
 * and draws the page again, with the newest results of benchmarks.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readEvidence } from './reliability/evidence.ts';
import { keptRun } from './reliability/keep.ts';
import { renderReliability } from './reliability/render.ts';
import { ROWS } from './reliability/score.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    failed: { type: 'boolean', default: false },
    draw: { type: 'boolean', default: false },
  },
});
const root = join(import.meta.dirname, '..');
const kept = keptRun(root);
const isFull = values.failed || values.draw ? kept.made().isFull : !values.quick;
const scratch = mkdtempSync(join(tmpdir(), 'callsheet-reliability-'));
const report = join(scratch, 'report.json');
const counts = join(scratch, 'counts.jsonl');

try {
  if (values.draw) draw();
  else run();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(): void {
  const named = ROWS.flatMap(({ files = [], counted = [] }) => [...files, ...counted]);
  const shown = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((name) => name.endsWith('.test.ts') && readFileSync(join(root, name), 'utf8').includes('[F'));
  const env = { ...process.env, CALLSHEET_COUNTS: counts, ...(isFull ? { CALLSHEET_TEST_FULL: '1' } : {}) };
  const vitest = [
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...new Set(values.failed ? kept.failed(root) : [...shown, ...named]),
  ];
  const { status } = spawnSync('npx', vitest, { cwd: root, env, stdio: 'inherit' });
  if (!existsSync(report)) throw new Error('the tests left no report');
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  if (values.failed) kept.replace(report, counts, commit);
  else kept.keep(report, counts, { isFull, at: new Date().toISOString(), commit });
  draw();
  process.exitCode = status ?? 1;
}

function draw(): void {
  const page = renderReliability(readEvidence(root, kept.report, kept.counts), root, kept.made());
  writeFileSync(join(root, 'docs/reliability.md'), page);
}
