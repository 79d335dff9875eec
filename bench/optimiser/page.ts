/** The section "Measured" of docs/optimiser.md, drawn from a result. */
import { show } from '../numbers.ts';
import { barsOf, isAvoidable } from './bars.ts';
import { REAL_COLUMNS, realRows } from './real.ts';
import { COLUMNS, rowsOf, SPLIT, splitOf } from './report.ts';
import { type BenchResult, type MachineResult, type RealResult, SAVERS, type SequenceResult } from './result.ts';

const START = '<!-- measured: made by `npm run optimiser:measured`; do not edit -->';
const END = '<!-- /measured -->';

/** What holds of the frozen requests and prices, whatever the optimiser does. */
const LIMITS = [
  '- **The median depends on what is asked for.** A new seed or a new prompt has nothing to avoid, and half of the sequences are such. Had we chosen others, it',
  '  would be another; *saved* beside *possible* says more of the optimiser.',
  '- **Half of a batch is out of reach** with 20 steps a shot: sampling is most of it, and every picture needs its own. With few steps it is not (see *not judged*,',
  '  which was added after the figures of the naive client were seen).',
  '- **New servers do much of it themselves.** With `ram`, the default of new versions, a machine with enough memory keeps every result and both models; what is',
  '  left is what a server cannot know: that nobody looks at a preview, and what was made before it was started.',
  '- **A LoRA or a ControlNet at strength 0** costs next to nothing on ComfyUI: its nodes return at once. Taking it out saves reading a file.',
  '- `ram` is modelled from the source of a newer version; `classic` was compared with a real server. Not counted: memory for activations, moving models off the',
  '  card, building them, files that are read cold.',
  '',
];

/** Every sequence on every machine, with what each part saves. */
export function isWhole({ machines }: BenchResult): boolean {
  return (
    machines.length === 4 && machines.every(({ sequences }) => sequences.length > 1 && sequences.every(({ alone }) => alone !== undefined))
  );
}

/** Puts the section between its marks, or at the end of a page that has none. */
export function withMeasured(page: string, result: BenchResult, real?: RealResult): string {
  const section = `${START}\n${sectionOf(result, real)}\n${END}`;
  const [from, to] = [page.indexOf(START), page.indexOf(END)];
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${section}\n`;
  return page.slice(0, from) + section + page.slice(to + END.length);
}

export function sectionOf(result: BenchResult, real?: RealResult): string {
  const { at, commit, machine, machines } = result;
  return [
    '## Measured',
    '',
    `Made ${at.slice(0, 10)} at ${commit} by \`npm run bench:optimiser\` (${machine.cores} cores, Node ${machine.node}). Seconds are those of the frozen cost model`,
    '(`bench/optimiser/cost-model.json`, a published source for each figure), added up by the sandbox for what really ran; no card was used. *Naive* sends the',
    "same graphs one after the other, with the server's own cache on. *Optimised* is Callsheet as it is. Each sequence gave the same pixels both ways, or there",
    'would be no result. *Possible* is what nobody could beat without changing what is computed: each piece of work that an output needs done once, each model',
    'moved onto the card once. Model files are in main memory when a sequence begins; requests and cost model were committed before the first pass was written.',
    '',
    '### Bars',
    '',
    ...table(
      ['', 'bar', 'measured', 'holds'],
      barsOf(result).map(({ what, bar, got, holds }) => [what, bar, got, holds ? 'yes' : '**no**']),
    ),
    '',
    ...shortfall(machines),
    ...LIMITS,
    ...machines.flatMap(machineSection),
    ...(real === undefined ? [] : realSection(real)),
    '### What the sequences are',
    '',
    ...table(
      ['', 'requests', ''],
      [...(machines[0]?.sequences ?? []), ...(machines[0]?.extras ?? [])].map(({ id, requests, title }) => [id, String(requests), title]),
    ),
  ].join('\n');
}

function shortfall(machines: readonly MachineResult[]): readonly string[] {
  const all = machines.flatMap(({ sequences }) => sequences);
  const avoidable = all.filter(isAvoidable);
  const caught = sum(avoidable, (one) => one.naive.seconds - one.optimised.seconds);
  const possible = sum(avoidable, (one) => one.naive.seconds - one.least);
  return [
    `Of the ${all.length} sequences on these machines ${avoidable.length} have a fifth or more to avoid; of what could be avoided in them ${percent(caught / possible)} % was.`,
    '',
  ];
}

function machineSection(machine: MachineResult): readonly string[] {
  const split = splitOf(machine);
  return [
    `### ${machine.title}, server cache \`${machine.cache}\``,
    '',
    ...table(['', ...COLUMNS], rows(rowsOf(machine.sequences))),
    '',
    ...(machine.extras.length === 0 ? [] : ['Not judged by the bars:', '', ...table(['', ...COLUMNS], rows(rowsOf(machine.extras))), '']),
    ...(split === undefined ? [] : [`${SPLIT}:`, '', ...table(['', ...SAVERS], rows(split)), '']),
  ];
}

function realSection({ at, commit, version, sequences }: RealResult): readonly string[] {
  return [
    `### By the clock on a real ComfyUI ${version}`,
    '',
    `What needs no model, on the processor, made ${at.slice(0, 10)} at ${commit}: medians of three rounds on a machine that did other things, too. The pixels are the same.`,
    '',
    ...table(['', ...REAL_COLUMNS], rows(realRows(sequences))),
    '',
    ...table(
      ['', ''],
      sequences.map(({ id, title }) => [id, title]),
    ),
    '',
  ];
}

const rows = (list: readonly (readonly [string, readonly string[]])[]): readonly (readonly string[])[] =>
  list.map(([what, cells]) => [what, ...cells]);

const sum = (list: readonly SequenceResult[], of: (one: SequenceResult) => number): number =>
  list.reduce((total, one) => total + of(one), 0);

function percent(share: number): string {
  return Number.isFinite(share) ? show(share * 100) : '–';
}

function table(head: readonly string[], body: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)];
}
