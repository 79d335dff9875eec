/**
 * Runs the tests that show what happens to attacks and writes docs/security.md: `npm run test:security`. With CALLSHEET_TEST_FULL=1 the floods are
 * those of the bar, else a tenth. Arguments go to vitest.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEvidence } from './reliability/evidence.ts';
import { renderSecurity } from './security/render.ts';
import { ROWS } from './security/score.ts';

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'callsheet-security-'));
const report = join(scratch, 'report.json');
const counts = join(scratch, 'counts.jsonl');

try {
  const shown = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((name) => name.endsWith('.test.ts') && /\[S\d+\]/.test(readFileSync(join(root, name), 'utf8')));
  const files = new Set([...shown, ...ROWS.flatMap(({ files: named = [] }) => named)]);
  const vitest = ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files];
  const env = { ...process.env, CALLSHEET_COUNTS: counts };
  const { status } = spawnSync('npx', [...vitest, ...process.argv.slice(2)], { cwd: root, env, stdio: 'inherit' });
  if (!existsSync(report)) throw new Error('the tests left no report');
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  const made = { at: new Date().toISOString(), commit, isFull: process.env['CALLSHEET_TEST_FULL'] === '1' };
  writeFileSync(join(root, 'docs/security.md'), renderSecurity(readEvidence(root, report, counts), made));
  process.exitCode = status ?? 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
