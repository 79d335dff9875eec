/** Writes the section "Measured" of docs/optimiser.md from the newest results of `npm run bench:optimiser`: `npm run optimiser:measured`. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWhole, withMeasured } from '../bench/optimiser/page.ts';
import type { BenchResult, RealResult } from '../bench/optimiser/result.ts';

const root = join(import.meta.dirname, '..');
const results = join(root, 'bench/results');
const read = (kind: string): readonly unknown[] =>
  (existsSync(results) ? readdirSync(results) : [])
    .filter((name) => name.startsWith(`${kind}-2`) && name.endsWith('.json'))
    .toSorted()
    .toReversed()
    .map((name) => JSON.parse(readFileSync(join(results, name), 'utf8')) as unknown);
const result = (read('optimiser') as readonly BenchResult[]).find(isWhole);
if (result === undefined) throw new Error('There is no whole result: run `npm run bench:optimiser` first.');
const [real] = read('real-optimiser') as readonly RealResult[];
const page = join(root, 'docs/optimiser.md');
writeFileSync(page, withMeasured(existsSync(page) ? readFileSync(page, 'utf8') : '# The optimiser\n', result, real));
console.log(`docs/optimiser.md: what was measured at ${result.at}`);
