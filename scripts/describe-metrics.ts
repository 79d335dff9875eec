/** Writes the table of metrics into docs/observability.md. With --check it only says whether the page is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS } from '#daemon/metrics/catalogue.ts';

const page = join(import.meta.dirname, '..', 'docs', 'observability.md');
const BEGIN = '<!-- metrics: written by `npm run generate` -->\n';
const END = '<!-- /metrics -->';

function table(): string {
  const rows = Object.entries(METRICS).map(([name, { type, since, labels, help }]) => [
    `\`${name}\``,
    type,
    since,
    labels.map((label) => `\`${label}\``).join(' '),
    help,
  ]);
  const header = ['metric', 'type', 'since', 'labels', 'what it says'];
  return [header, header.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('');
}

const text = readFileSync(page, 'utf8');
const [before = '', rest = ''] = text.split(BEGIN);
const fresh = `${before}${BEGIN}${table()}${rest.slice(rest.indexOf(END))}`;
if (process.argv.includes('--check')) {
  if (fresh !== text) console.error(`${page} is out of date: run \`npm run generate\`.`);
  process.exitCode = fresh === text ? 0 : 1;
} else writeFileSync(page, fresh);
