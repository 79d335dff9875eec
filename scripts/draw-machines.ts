// Draws every machine as a statechart: docs/machines/<id>.svg, the page docs/machines.md, and dashboard/inspector/charts.ts. With --check it only says whether they are up to date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromCallback, fromPromise } from 'xstate';
import type { RunActors } from '#actors/logic.ts';
import { describeMachine } from '#machines/describe.ts';
import { createChoiceMachine } from '#machines/choice-machine.ts';
import { createRunMachine } from '#machines/run-machine.ts';
import { createStepMachine } from '#machines/step-machine.ts';
import { layOut } from './chart-layout.ts';
import { chartSvg } from './chart-svg.ts';

const unused = () => fromPromise<never, never>(() => Promise.reject(new Error('drawn, not run')));
const actors = {
  ...Object.fromEntries(
    [
      'load-template',
      'inject-parameters',
      'plan-step',
      'offer-choice',
      'prepare-step',
      'parse-results',
      'cancel-step',
      'collect-results',
    ].map((name) => [name, unused()]),
  ),
  'execute-step': fromCallback(() => undefined),
} as unknown as RunActors;

const MACHINES = [
  {
    machine: createRunMachine(actors),
    about:
      'One execution of a template, from loading to its one end. It plans steps as they become ready and spawns a step machine for each item, and a choice machine for each choice.',
  },
  {
    machine: createStepMachine(actors),
    about: 'The life of one item of one step on one backend: prepared, sent or found again, followed, brought home.',
  },
  {
    machine: createChoiceMachine(actors),
    about: 'One question to a person between steps: offered, waited for, as long as the template says, and made.',
  },
];

const page = [
  '# Machines',
  '',
  'Drawn from the machines themselves by `npm run generate`; `npm run check` fails when a picture is out of date.',
  'A double border is an end; a small arrow from a dot marks the initial state; the line below a name lists the actors at work there.',
  '',
  ...MACHINES.flatMap(({ machine, about }) => [
    `## ${machine.id}`,
    '',
    about,
    '',
    `![Statechart of the ${machine.id} machine](machines/${machine.id}.svg)`,
    '',
  ]),
].join('\n');

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
const files = new Map([[`${docs}machines.md`, page]]);
const charts = await Promise.all(MACHINES.map(({ machine }) => layOut(describeMachine(machine))));
for (const chart of charts) files.set(`${docs}machines/${chart.id}.svg`, chartSvg(chart));
const module = [
  '/** The statecharts as the inspector draws them. Made by `npm run generate` from the machines themselves. */',
  "import type { PlacedChart } from './placed-chart.ts';",
  '',
  'export const CHARTS: Readonly<Record<string, PlacedChart>> = {',
  ...charts.map((chart) => `  ${chart.id}: ${JSON.stringify(chart)},`),
  '};',
  '',
].join('\n');
files.set(fileURLToPath(new URL('../dashboard/inspector/charts.ts', import.meta.url)), module);

const stale = [...files].filter(([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text);
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is out of date: run \`npm run generate\`.`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  mkdirSync(`${docs}machines`, { recursive: true });
  for (const [path, text] of stale) writeFileSync(path, text);
  console.log(`${String(stale.length)} of ${String(files.size)} files written`);
}
