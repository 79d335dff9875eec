/** Writes what the passes say about themselves into docs/optimiser.md. With --check it only says whether the page is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NO_OPS } from '#graph/optimise/no-ops.ts';
import { GRAPH_PASSES } from '#graph/optimise/passes.ts';
import type { PassAccount } from '#graph/optimise/types.ts';
import { PASSES } from '#protocol/views.ts';

const page = join(import.meta.dirname, '..', 'docs', 'optimiser.md');
const BEGIN = '<!-- passes: written by `npm run generate` -->\n';
const END = '<!-- /passes -->';

type Named = PassAccount & { readonly name: (typeof PASSES)[number] };
/** In the order in which they are reported. */
const accounts: readonly Named[] = [...GRAPH_PASSES].toSorted((a, b) => PASSES.indexOf(a.name) - PASSES.indexOf(b.name));

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');

function described(): string {
  const sections = accounts.map(({ name, condition, proof, example }) =>
    [
      `### ${name}`,
      '',
      `**When.** ${condition}`,
      '',
      `**Why the outputs are the same.** ${proof}`,
      '',
      `**Example.** ${example}`,
      ...(name === 'no-ops'
        ? [
            '',
            table(
              ['node', 'when', 'source', ''],
              NO_OPS.map(({ classType, when, source, isCopy }) => [`\`${classType}\``, when, source, isCopy === true ? 'a copy' : '']),
            ),
          ]
        : []),
    ].join('\n'),
  );
  const overview = table(
    ['pass', 'what it does'],
    accounts.map(({ name, does }) => [`\`${name}\``, does]),
  );
  return `${[overview, ...sections].join('\n\n')}\n\n`;
}

const text = readFileSync(page, 'utf8');
const [before, rest = ''] = text.split(BEGIN);
const after = rest.slice(rest.indexOf(END));
const fresh = `${before}${BEGIN}${described()}${after}`;
if (process.argv.includes('--check')) {
  if (fresh !== text) console.error(`${page} is out of date: run \`npm run generate\`.`);
  process.exitCode = fresh === text ? 0 : 1;
} else writeFileSync(page, fresh);
