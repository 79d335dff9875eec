/** Prints how many broken graphs the check catches: node scripts/mutation-rate.ts DIR… [--object-info FILE] [--server URL] … */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseObjectInfo } from '#graph/object-info.ts';
import { type Answers, askServer, recorded, recording } from './mutations/judge.ts';
import { measure, type Row, type Source, table } from './mutations/measure.ts';
import { isHeldOut } from './mutations/random.ts';
import { reduceInfo } from './mutations/reduce-info.ts';

const USAGE = `mutation-rate DIR… [--object-info FILE] [--server URL] [--answers FILE] [--seed N] [--part developed|held-out|all] [--list OUTCOME]
  DIR            folders with graphs in API form (*.json)
  --object-info  of the ComfyUI that judges; without it the server is asked
  --server       a ComfyUI of its own for this: what it takes is thrown out again
  --answers      recorded answers; written when --server is given
  --part         which graphs: a third, by hash of the name, is held out of development
  --reduce FILE  writes the object info with only what these graphs need
  --list         prints every mutant that was missed | equivalent | caught | "false alarm"`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'object-info': { type: 'string' },
    server: { type: 'string' },
    answers: { type: 'string' },
    seed: { type: 'string', default: '1' },
    part: { type: 'string', default: 'developed' },
    reduce: { type: 'string' },
    list: { type: 'string', multiple: true, default: [] },
  },
});

if (positionals.length === 0 || (values.server === undefined && values.answers === undefined)) {
  console.error(USAGE);
  process.exit(2);
}

function graphFiles(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json') && !name.endsWith('.ui.json'))
    .toSorted()
    .map((name) => ({ name: name.replaceAll('\\', '/'), text: readFileSync(join(folder, name), 'utf8') }));
}

async function objectInfoText(): Promise<string> {
  if (values['object-info'] !== undefined) return readFileSync(values['object-info'], 'utf8');
  if (values.server === undefined) throw new Error('Give --object-info FILE, or --server URL to ask it.');
  return (await fetch(new URL('/object_info', values.server))).text();
}

const infoText = await objectInfoText();
const { info } = parseObjectInfo(infoText);
if (info === undefined) throw new Error('That is no object info.');
const seed = Number(values.seed);
const sources = positionals
  .flatMap(graphFiles)
  .filter(({ name }) => values.part === 'all' || isHeldOut(name.split('/').at(-1) ?? name) === (values.part === 'held-out'));
const record = values.server === undefined ? undefined : recording(askServer(values.server));
const judge = record?.judge ?? recorded(JSON.parse(readFileSync(values.answers ?? '', 'utf8')) as Answers);
const { good, refused, rows } = await measure(sources, info, judge, seed);
if (record !== undefined && values.answers !== undefined) {
  writeFileSync(values.answers, `${JSON.stringify(record.answers()).replaceAll(/(["\]]),/g, '$1,\n')}\n`);
}

if (values.reduce !== undefined) {
  const broken = new Set([...good, ...refused].map(({ name }) => name));
  const graphs = sources.filter(({ name }) => broken.has(name)).map(({ text }) => text);
  writeFileSync(values.reduce, reduceInfo(infoText, graphs));
}

const describe = ({ kind, graph, where, verdict, problems }: Row): string =>
  `${kind} ${graph} ${where} [${verdict}] ${problems.map(({ code, severity, message }) => `${severity} ${code} ${message}`).join(' | ')}`;
for (const outcome of values.list) for (const row of rows) if (row.outcome === outcome) console.log(`${outcome}: ${describe(row)}`);
for (const { name, errors } of good)
  for (const { code, message } of errors) console.log(`good graph with an error: ${name} ${code} ${message}`);
for (const { name, errors } of refused) if (errors.length === 0) console.log(`refused graph without an error: ${name}`);
console.log(`seed ${seed}; part ${values.part}; ${good.length} good graphs, ${refused.length} that the judge refuses\n`);
console.log(table(rows));
