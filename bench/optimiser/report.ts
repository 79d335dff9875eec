/** The result for people: a table for each machine, the split of the gain, and the bars. */
import { formatTable, show } from '../numbers.ts';
import { type Bar, barsOf, possibleOf, savingOf } from './bars.ts';
import { type BenchResult, type MachineResult, type Saver, saved, SAVERS, type SequenceResult } from './result.ts';

const percent = (share: number): string => (share * 100).toFixed(1).replace(/^-0\.0$/, '0.0');
const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
const pair = (naive: string, optimised: string): string => (naive === optimised ? naive : `${naive} → ${optimised}`);

export const SPLIT = 'Saved in % with one alone / lost in % with all but it; fusion comes on top of the passes, and is lost with them';

export const COLUMNS = [
  'naive s',
  'optimised s',
  'saved %',
  'possible %',
  'of it loading s',
  'model loads',
  'sampler steps',
  'GB moved',
] as const;

/** Cells of one row for each sequence, in the order of COLUMNS. */
export function rowsOf(sequences: readonly SequenceResult[]): readonly (readonly [what: string, cells: readonly string[]])[] {
  return sequences.map((sequence) => {
    const { naive, optimised } = sequence;
    return [
      sequence.id,
      [
        show(naive.seconds),
        show(optimised.seconds),
        percent(savingOf(sequence)),
        percent(possibleOf(sequence)),
        pair(show(naive.loading), show(optimised.loading)),
        pair(String(naive.modelLoads), String(optimised.modelLoads)),
        pair(String(naive.samplerSteps), String(optimised.samplerSteps)),
        pair(gigabytes(naive.bytesMoved), gigabytes(optimised.bytesMoved)),
      ],
    ];
  });
}

/** Saved in percent of the naive seconds with one alone / lost when it alone is off; undefined when it was not measured. */
export function splitOf({ sequences }: MachineResult): readonly (readonly [what: string, cells: readonly string[]])[] | undefined {
  const rows = sequences.flatMap(({ id, naive, optimised, alone, without }) => {
    if (alone === undefined || without === undefined) return [];
    const all = saved(naive.seconds, optimised.seconds);
    const by = (saver: Saver): number => saved(naive.seconds, alone[saver]);
    const cells = SAVERS.map((saver) => {
      const gain = by(saver) - (saver === 'fusion' ? by('passes') : 0);
      return `${percent(gain)} / ${percent(all - saved(naive.seconds, without[saver]))}`;
    });
    return [[id, cells] as const];
  });
  return rows.length === 0 ? undefined : rows;
}

export function describe(result: BenchResult): string {
  const parts = result.machines.flatMap((machine) => {
    const split = splitOf(machine);
    return [
      `${machine.title}, the server's cache in mode ${machine.cache}`,
      table(COLUMNS, rowsOf(machine.sequences)),
      ...(machine.extras.length === 0 ? [] : ['Not judged', table(COLUMNS, rowsOf(machine.extras))]),
      ...(split === undefined ? [] : [SPLIT, table(SAVERS, split)]),
    ];
  });
  const bars = barsOf(result).map(({ what, bar, got, holds }: Bar) => `${holds ? 'holds ' : 'FAILS '} ${what}: ${bar}; ${got}`);
  return [...parts, bars.join('\n')].join('\n\n');
}

function table(columns: readonly string[], rows: readonly (readonly [string, readonly string[]])[]): string {
  return formatTable(
    columns,
    rows.map(([what, cells]) => ({ what, cells: Object.fromEntries(columns.map((column, place) => [column, cells[place] ?? ''])) })),
  );
}
