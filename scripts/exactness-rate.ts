/** Prints how many injected values and how many bytes around them come out exactly: node scripts/exactness-rate.ts DIR… [--object-info FILE] [--rounds N] [--seed N] */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { convertWorkflow } from '#graph/convert/convert.ts';
import { detectFormat } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { add, measureGraph, type Outcome } from './exactness/measure.ts';

const USAGE = `exactness-rate DIR… [--object-info FILE] [--rounds N] [--seed N] [--refused]
  DIR            folders with workflows (*.json, whatever they hold)
  --object-info  converts those in UI format, which are left out without it
  --rounds       times that every input of every graph is given another value; 3 by default
  --refused      lists the files that make no template as they are`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'object-info': { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    refused: { type: 'boolean', default: false },
  },
});
if (positionals.length === 0) {
  console.error(USAGE);
  process.exit(2);
}
const infoText = values['object-info'] === undefined ? undefined : readFileSync(values['object-info'], 'utf8');
const info = infoText === undefined ? undefined : parseObjectInfo(infoText).info;

/** A graph in API form, or undefined for what is none and cannot be made one. */
function graphOf(text: string): string | undefined {
  const { root } = parseJson(text);
  const format = root === undefined ? 'unknown' : detectFormat(root);
  if (format === 'api') return text;
  return format === 'ui' && info !== undefined ? convertWorkflow(text, info, { strict: true }).graph : undefined;
}

let total: Outcome = { values: 0, exact: 0, stretches: 0, untouched: 0, wrong: [] };
const counts = { files: 0, graphs: 0, refused: 0 };
for (const folder of positionals) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!name.endsWith('.json')) continue;
    counts.files += 1;
    const graph = graphOf(readFileSync(join(folder, name), 'utf8'));
    if (graph === undefined) continue;
    counts.graphs += 1;
    const outcome = await measureGraph(name.replaceAll('\\', '/'), graph, Number(values.seed), Number(values.rounds));
    if (outcome.refused === undefined) total = add(total, outcome);
    else counts.refused += 1;
    if (outcome.refused !== undefined && values.refused) console.log(`refused: ${name}: ${outcome.refused}`);
  }
}
const percent = (part: number, all: number): string => `${part} of ${all} (${((100 * part) / all).toFixed(4)} %)`;
for (const line of total.wrong.slice(0, 100)) console.log(line);
console.log(
  `${counts.files} files, ${counts.graphs} graphs, ${counts.refused} of them make no template; seed ${values.seed}, ${values.rounds} rounds`,
);
console.log(`values injected exactly: ${percent(total.exact, total.values)}`);
console.log(`texts around them byte for byte: ${percent(total.untouched, total.stretches)}`);
process.exitCode = total.values > 0 && total.wrong.length === 0 ? 0 : 1;
